// How long does a training step of the SHD network of [Hammouamri2024] take, and how much memory? Two hidden layers of
// 256 neurons, delays of up to 24 ticks, on Poisson counts at the rate of spoken digits; bench/compare_delay_step.py
// runs the same network in PyTorch + SpikingJelly + DCLS.
//
//     bench_delay_step [--steps 8] [--warmup 2] [--threads 2] [--batch 256] [--ticks 100] [--width 0.23] [--max-delay
//     24]
//                      [--extra 12] [--rate 8000] [--rounded 1] [--profile 1] [--eval 1]
//
// Prints one JSON object, with the bytes and operations that sparsity leaves; with --profile a table of nodes to
// stderr.
#include <cmath>
#include <string>

#include "bench/step_bench.hpp"
#include <fmt/format.h>

#include "core/random.hpp"

using namespace synfire;

namespace {

constexpr int kInputs = 140, kChannels = 700;
constexpr double kTickMs = 10.0;

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
    layer("type = \"dropout\"\np = 0.4");
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
  bench::Step step(network_toml(options), spike_counts(integer("ticks"), integer("batch"), options["rate"]),
                   {.kind = learning::LossKind::softmax_sum_cross_entropy});
  step.runtime().use_rounded_delays(options["rounded"] != 0.0);
  bench::measure(step, options, "");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::guarded("bench_delay_step", [&] { run(argc, argv); });
}
