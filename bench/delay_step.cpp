// How long does a training step of the SHD network of [Hammouamri2024] take, and how much memory? Two hidden layers of
// 256 neurons, delays of up to 24 ticks, on Poisson counts at the rate of spoken digits; bench/compare_delay_step.py
// runs the same network in PyTorch + SpikingJelly + DCLS, bench/delay_length.py other longest delays.
//
//     bench_delay_step [--steps 8] [--warmup 2] [--threads 2] [--batch 256] [--ticks 100] [--width 0.23]
//                      [--max-delay 24] [--extra 12] [--rate 8000] [--rounded 1] [--profile 1] [--eval 1]
//
// Prints one JSON object, with the operations and bytes that sparsity leaves; with --profile a table of nodes to
// stderr.
#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include "bench/step_bench.hpp"
#include <fmt/format.h>

#include "core/random.hpp"

using namespace synfire;

namespace {

constexpr int kInputs = 140, kChannels = 700;
constexpr double kTickMs = 10.0, kDropout = 0.4;

std::string network_toml(bench::Options& o) {
  std::string toml = "[network]\ndt_ms = 10.0\n";
  toml += "lif = {tau_mem_ms = 10.05, decay_input = false, surrogate = \"atan\", surrogate_alpha = 5.0}\n";
  toml += fmt::format("delayed_linear = {{max_delay_ticks = {}, extra_ticks = {}, width = {:f}}}\n", o["max-delay"],
                      o["extra"], o["width"]);
  const auto layer = [&](const std::string& keys) { toml += "[[network.layers]]\n" + keys + "\n"; };
  for (int i = 0; i < 2; ++i) {
    layer("type = \"delayed_linear\"\nout_features = 256");
    layer("type = \"batch_norm\"");
    layer("type = \"lif\"");
    layer(fmt::format("type = \"dropout\"\np = {}", kDropout));
  }
  layer("type = \"delayed_linear\"\nout_features = 20");
  layer("type = \"leaky_integrator\"\ntau_mem_ms = 10.05\ndecay_input = false");
  return toml;
}

/// Poisson counts: `rate_hz` spikes a second over 700 channels, five channels an input.
Tensor<float> spike_counts(std::ptrdiff_t ticks, std::ptrdiff_t batch, double rate_hz) {
  Tensor<float> counts(Shape{ticks, batch, kInputs});
  const double mean = rate_hz * kTickMs * 1e-3 / kInputs;
  const RandomStream random(1, 0, 0);
  for (std::ptrdiff_t i = 0; i < counts.size(); ++i) {
    const double u = random.uniform(static_cast<std::uint64_t>(i));
    double term = std::exp(-mean), sum = term;
    for (int k = 1; u >= sum && k < 50; ++k) {
      counts[i] = static_cast<float>(k);
      term *= mean / k;
      sum += term;
    }
  }
  return counts;
}

/// Batch norms have learned what they see before a network is used: running averages of a smaller batch.
void settle_averages(network::Network<float>& net, bool rounded, const Tensor<float>& few) {
  network::ClockedRuntime<float> runtime(net);
  runtime.use_rounded_delays(rounded);
  for (std::uint32_t pass = 0; pass < 50; ++pass) runtime.forward(few.view(), network::Mode::train, {1, pass});
}

/// Mean number of taps of a synapse whose bump is above 1e-6 of its height: those that a pass has to look at.
double taps_in_reach(const network::Network<float>& net, const std::string& node, const synapses::DelayConfig& delay) {
  const Tensor<float>& position = net.tensor(node + ".position").value;
  const Tensor<float>& width = net.tensor(node + ".width").value;
  const double ends = std::sqrt(2.0 * std::log(1e6));
  double taps = 0.0;
  for (std::ptrdiff_t k = 0; k < position.size(); ++k) {
    const double centre = delay.middle() - static_cast<double>(position[k]), end = ends * (std::abs(width[k]) + 0.27);
    taps += std::floor(std::min(centre + end, 1.0 * delay.max_delay)) - std::ceil(std::max(centre - end, 0.0)) + 1.0;
  }
  return taps / static_cast<double>(position.size());
}

/// For each layer with delays the density of its input and the multiply-adds that it leaves: an event times the taps in
/// reach times the outputs, forward and for the gradient of the weights; all ticks for the gradient of the input, which
/// is dense. For the whole step the bytes of signals that cannot stay in a cache, written and read once: input,
/// current, spikes, and back the current again, gradients of spikes and of currents.
std::string counts(bench::Step& step, bench::Options& options, double input_density) {
  const network::Network<float>& net = step.runtime().network();
  const std::vector<double> rates = step.runtime().firing_rates();
  const bool eval = options["eval"] != 0.0;
  std::string layers;
  double density = input_density, ticks = options["ticks"], in = kInputs, all = 0.0;
  double bytes = ticks * options["batch"] * in * sizeof(float);
  for (std::size_t n = 0; n < net.spec.nodes.size(); ++n) {
    const network::NodeSpec& node = net.spec.nodes[n];
    if (std::holds_alternative<network::LifSpec>(node.operation)) density = rates[n] * (eval ? 1.0 : 1.0 - kDropout);
    const auto* delayed = std::get_if<network::DelayedLinearSpec>(&node.operation);
    if (delayed == nullptr) continue;
    const double out = delayed->out_features, frames = ticks * options["batch"];
    const double taps = options["rounded"] != 0.0 ? 1.0 : taps_in_reach(net, node.name, delayed->delay);
    const double by_events = density * frames * in * taps * out;
    const double input_gradient = eval || layers.empty() ? 0.0 : frames * in * taps * out;
    all += (eval ? 1.0 : 2.0) * by_events + input_gradient;
    layers += fmt::format(
        "{}{{\"density\": {:.4f}, \"taps\": {:.2f}, \"events\": {:.0f}, \"outputs\": {}, "
        "\"mac_by_events\": {:.0f}, \"mac_input_gradient\": {:.0f}}}",
        layers.empty() ? "" : ", ", density, taps, density * frames * in, out, by_events, input_gradient);
    ticks += delayed->delay.extra_ticks;
    in = out;
    bytes += ticks * options["batch"] * out * (2.0 * sizeof(float) + 2.0 + (eval ? 0.0 : 5.0 * sizeof(float)));
  }
  return fmt::format(", \"layers\": [{}], \"least_mac\": {:.0f}, \"least_bytes\": {:.0f}", layers, all, bytes);
}

void run(int argc, char** argv) {
  bench::Options options = bench::read_options(argc, argv,
                                               {{"batch", 256},
                                                {"ticks", 100},
                                                {"width", 0.23},
                                                {"max-delay", 24},
                                                {"extra", 12},
                                                {"rate", 8000},
                                                {"rounded", 0}});
  const auto integer = [&](const char* name) { return static_cast<int>(options[name]); };
  set_num_threads(integer("threads"));
  Tensor<float> input = spike_counts(integer("ticks"), integer("batch"), options["rate"]);
  const auto silent = std::count(input.span().begin(), input.span().end(), 0.0F);
  const double density = 1.0 - static_cast<double>(silent) / static_cast<double>(input.size());
  bench::Step step(network_toml(options), std::move(input), {.kind = learning::LossKind::softmax_sum_cross_entropy});
  const bool rounded = options["rounded"] != 0.0;
  step.runtime().use_rounded_delays(rounded);
  if (options["eval"] != 0.0) {
    settle_averages(step.runtime().network(), rounded, spike_counts(integer("ticks"), 16, options["rate"]));
  }
  bench::measure(step, options, [&](bench::Step& after) { return counts(after, options, density); });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::guarded("bench_delay_step", [&] { run(argc, argv); });
}
