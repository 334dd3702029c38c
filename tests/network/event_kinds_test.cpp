// The event engine with every kind of neuron, and with populations that feed back.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/random.hpp"
#include "network/clocked_runtime.hpp"
#include "network/event_parity.hpp"
#include "network/event_runtime.hpp"
#include "network/silent_reach.hpp"
#include "neurons/adlif.hpp"
#include "neurons/cuba_lif.hpp"
#include "tests/network/event_passes.hpp"

namespace synfire {

namespace {

using network::EventMode;
using test::network_of;
using test::num_spikes;
using test::Pass;
using test::random_counts;
using test::run;

enum class Delays { none, some };

/// A network of any size: neurons of every kind, with and without recurrence.
class RandomLayers {
 public:
  RandomLayers(std::uint64_t seed, Delays delays) : random_(seed, 57, 0), delays_(delays) {}

  std::string text() {
    std::string layers;
    const std::uint64_t depth = 1 + below(3);
    for (std::uint64_t k = 0; k < depth; ++k) {
      const std::uint64_t out = 4 + below(20);
      if (delays_ == Delays::some && below(3) == 0) {
        layers += layer("delayed_linear") + fmt::format("out_features = {}\nmax_delay_ticks = {}\n", out, even());
      } else {
        layers += layer("linear") + fmt::format("out_features = {}\n", out);
      }
      if (delays_ == Delays::some && below(3) == 0) layers += layer("batch_norm");
      const bool recurs = below(3) != 0;
      const std::string kind = std::vector{"lif", "cuba_lif", "adlif"}[below(3)];
      layers += layer(recurs ? "recurrent" : kind);
      if (recurs) layers += recurrence(kind);
      layers += kind == "adlif" ? adlif() : lif(kind);
    }
    return layers + layer("linear") + "out_features = 3\n";
  }

 private:
  static std::string layer(const std::string& type) { return fmt::format("[[network.layers]]\ntype = \"{}\"\n", type); }
  std::uint64_t below(std::uint64_t n) { return random_.below(draws_++, n); }
  std::uint64_t even() { return 2 * (1 + below(4)); }
  const char* yes_or_no() { return below(2) == 0 ? "true" : "false"; }
  const char* fires_at() { return below(2) == 0 ? "threshold" : "above_threshold"; }

  std::string recurrence(const std::string& kind) {
    std::string text = fmt::format("neuron = \"{}\"\nself_connections = {}\n", kind, yes_or_no());
    if (delays_ == Delays::none || below(2) == 0) return text;
    return text + fmt::format("delays = \"{}\"\nmax_delay_ticks = {}\n", below(2) == 0 ? "fixed" : "learned", even());
  }
  std::string lif(const std::string& kind) {
    const double tau = std::vector{1.25, 2.0, 10.0, 40.0}[below(4)];
    std::string text =
        fmt::format("tau_mem_ms = {:.2f}\nfires_at = \"{}\"\ndecay_input = {}\nlearn_tau = {}\ndecay = \"{}\"\n", tau,
                    fires_at(), yes_or_no(), yes_or_no(), below(2) == 0 ? "exact" : "euler");
    text += below(2) == 0 ? "reset = \"soft\"\n" : fmt::format("v_reset = {:.2f}\n", -0.25 * double(below(2)));
    // As fast as the membrane too.
    if (kind == "cuba_lif") text += fmt::format("tau_syn_ms = {:.2f}\n", std::vector{1.5, 2.0, 10.0, 40.0}[below(4)]);
    return text;
  }
  std::string adlif() {
    const double slow = std::vector{6.0, 60.0, 300.0}[below(3)];
    return fmt::format(
        "tau_mem_min_ms = 2.0\ntau_mem_max_ms = 15.0\ntau_adapt_min_ms = 4.0\ntau_adapt_max_ms = {:.1f}\n"
        "adaptation = {:.1f}\nv_th = 0.5\nfires_at = \"{}\"\nintegration = \"{}\"\n",
        slow, std::vector{0.0, 2.0, 120.0}[below(3)], fires_at(), below(2) == 0 ? "symplectic" : "forward");
  }

  RandomStream random_;
  Delays delays_;
  std::uint64_t draws_ = 0;
};

/// Biases of which a third bring a membrane to its threshold, to the bit if they can, or just above; and weights that
/// make enough spikes.
void shake(network::Network<float>& net, std::uint64_t seed) {
  const RandomStream random(seed, 58, 0);
  std::uint64_t draw = 0;
  for (std::size_t i = 0; i < net.spec.nodes.size(); ++i) {
    const std::string& name = net.spec.nodes[i].name;
    if (std::holds_alternative<network::BatchNormSpec>(net.spec.nodes[i].operation)) {
      for (float& shift : net.tensor(name + ".beta").value.span()) {
        shift = static_cast<float>(0.8 * random.uniform(draw++) - 0.2);
      }
    }
    if (!std::holds_alternative<network::LinearSpec>(net.spec.nodes[i].operation)) continue;
    for (float& weight : net.tensor(name + ".weight").value.span()) weight *= 3.0F;
    for (float& bias : net.tensor(name + ".bias").value.span()) {
      const double u = random.uniform(draw++);
      const double level = std::vector{1.0, 0.5, 0.1, 0.05, 0.025}[random.below(draw++, 5)];
      if (u < 0.33) bias = static_cast<float>(u < 0.2 ? level : 1.25 * level);
    }
  }
}

/// Weights and biases become whole multiples of 2^-8.
void snap(network::Network<float>& net) {
  for (auto& tensor : net.tensors) {
    if (tensor.kind != network::TensorKind::weight && tensor.kind != network::TensorKind::offset) continue;
    for (float& value : tensor.value.span()) value = std::nearbyint(value * 256.0F) / 256.0F;
  }
}

}  // namespace

TEST_CASE("400 random networks of every kind of neuron fire the same spikes event by event and clocked") {
  std::size_t spikes = 0, by_themselves = 0;
  std::uint64_t updates = 0, all_updates = 0, replayed = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    const std::string layers = RandomLayers(seed, Delays::some).text();
    CAPTURE(layers);
    network::Network<float> net = network_of(layers, {12}, seed);
    shake(net, seed);
    const double density = std::vector{0.002, 0.02, 0.1}[seed % 3];
    const Tensor<float> input = random_counts({80, 2, 12}, density, 77, 2);
    const Pass events = run(net, input, EventMode::events), clocked = run(net, input, EventMode::clocked);
    CHECK(events.spikes == clocked.spikes);
    CHECK(events.output == clocked.output);
    spikes += num_spikes(events);
    for (std::size_t p = 1; p + 1 < events.counts.size(); ++p) {
      updates += events.counts[p].neuron_updates;
      replayed += events.counts[p].replayed_ticks;
      all_updates += clocked.counts[p].neuron_updates;
    }
    by_themselves += num_spikes(run(net, Tensor<float>(Shape{60, 1, 12}), EventMode::events)) > 0 ? 1 : 0;
  }
  CHECK(spikes > 100'000);
  CHECK(by_themselves > 100);
  MESSAGE(spikes << " spikes, " << updates << " updates of " << all_updates << ", " << replayed << " replayed");
  CHECK(updates < all_updates * 4 / 5);
  CHECK(replayed > 0);
}

TEST_CASE("on a grid, where float sums are exact too, the runtime that trains fires the very same spikes") {
  std::int64_t spikes = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const std::string layers = RandomLayers(seed, Delays::none).text();
    CAPTURE(layers);
    network::Network<float> net = network_of(layers, {12}, seed);
    shake(net, seed);
    snap(net);
    network::EngineParity parity;
    network::compare_engines(net, random_counts({60, 2, 12}, 0.05, 78, 2).view(), network::EventArithmetic::stepped,
                             parity);
    CHECK(parity.twin_differences == 0);
    CHECK(parity.samples_as_float == parity.samples);
    spikes += parity.spikes;
  }
  CHECK(spikes > 50'000);
}

TEST_CASE("pooling windows may overlap, in an average and in a maximum") {
  const char* const layers = R"(
[[network.layers]]
type = "conv2d"
channels = 4
padding = 1
[[network.layers]]
type = "lif"
tau_mem_ms = 2.0
v_th = 0.1
[[network.layers]]
type = "max_pool"
kernel = 3
stride = 2
[[network.layers]]
type = "avg_pool"
kernel = 4
stride = 2
[[network.layers]]
type = "conv2d"
channels = 4
kernel = 2
[[network.layers]]
type = "cuba_lif"
tau_mem_ms = 2.0
tau_syn_ms = 3.0
v_th = 0.02
[[network.layers]]
type = "avg_pool"
kernel = 2
stride = 1
[[network.layers]]
type = "flatten"
[[network.layers]]
type = "linear"
out_features = 3
)";
  network::Network<float> net = network_of(layers, {21, 19, 2}, 5);
  const Tensor<float> input = random_counts({20, 3, 21, 19, 2}, 0.05, 81);
  network::EngineParity parity;
  network::compare_engines(net, input.view(), network::EventArithmetic::stepped, parity);
  CHECK(parity.spikes > 1'000);
  CHECK(parity.twin_differences == 0);
  CHECK(parity.samples_as_float == 3);
  // Sums of 64 weights below 1 in another order, and means of four of them: far below 1e-5.
  network::ClockedRuntime<float> runtime(net);
  const View<const float> wanted = runtime.forward(input.view(), network::Mode::eval, {});
  const Pass events = run(net, input, EventMode::events);
  float largest = 0.0F;
  for (std::ptrdiff_t k = 0; k < wanted.size(); ++k) {
    largest = std::max(largest, std::abs(wanted[k]));
    CHECK(std::abs(events.output[static_cast<std::size_t>(k)] - wanted[k]) < 1e-5F);
  }
  CHECK(largest > 0.1F);
}

TEST_CASE("float sums in another order decide a spike of any kind of neuron otherwise only next to its threshold") {
  // A sum of up to 50 weights of up to 2 in another order moves a current by less than 1e-4, and with it a membrane.
  constexpr double kNear = 1e-4;
  network::EngineParity parity;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string layers = RandomLayers(seed, Delays::some).text();
    // An adaptation this strong and fast makes a difference of the last bit grow from tick to tick, without a spike.
    if (layers.find("adaptation = 120") != std::string::npos) continue;
    network::Network<float> net = network_of(layers, {12}, seed);
    shake(net, seed);
    const std::size_t found = parity.differences.size();
    network::compare_engines(net, random_counts({60, 2, 12}, 0.05, 78, 2).view(), network::EventArithmetic::stepped,
                             parity);
    for (std::size_t k = found; k < parity.differences.size(); ++k) {
      CAPTURE(layers);
      CAPTURE(parity.differences[k].node);
      CAPTURE(parity.differences[k].tick);
      CHECK(parity.differences[k].distance < kNear);
    }
  }
  CHECK(parity.samples > 100);
  CHECK(parity.twin_differences == 0);
  MESSAGE(parity.samples_as_float << " of " << parity.samples << " samples without a difference");
}

TEST_CASE("any kind of neuron fires the same spikes for any number of threads, and for the samples in any order") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    network::Network<float> net = network_of(RandomLayers(seed, Delays::some).text(), {12}, seed);
    shake(net, seed);
    test::check_threads_and_order(net, random_counts({50, 70, 12}, 0.05, 79, 2));  // some workers run two samples
  }
}

TEST_CASE("the networks of the repository for spoken words run event by event") {
  for (const char* const name : {"shd_delays", "ssc_delays", "fsdd_delays", "fsdd_fixed_delays", "fsdd_no_delays"}) {
    CAPTURE(std::string(name));
    const Config config = Config::load(fmt::format("{}/configs/{}.toml", SYNFIRE_SOURCE_DIR, name));
    const network::NetworkSpec spec = network::read_network_spec(config.root().table("network"));
    network::Network<float> net = network::build<float>(spec, {140}, 1);
    const Tensor<float> input = random_counts({60, 1, 140}, 0.1, 80, 3);
    const Pass events = run(net, input, EventMode::events), clocked = run(net, input, EventMode::clocked);
    CHECK(events.spikes == clocked.spikes);
    CHECK(events.output == clocked.output);
    CHECK(num_spikes(events) > 200);
  }
}

namespace {

/// One neuron of a row model, whose parameters stand behind each other.
struct OneNeuron {
  neurons::RowModel<float> model;
  std::array<float, 4> parameters{};
  std::array<float, 4> state{};
  float x = 0.0F;  ///< in every tick

  /// The tick of the first spike, 1 at the earliest; 0 if there is none within `ticks`.
  std::int32_t first_spike(std::int32_t ticks) const {
    std::array<float, 4> now = state, kept{};
    float spike = 0.0F;
    for (std::int32_t tick = 1; tick <= ticks; ++tick) {
      model.forward(model.constants, {parameters.data(), 1}, &x, {now.data(), 1}, {kept.data(), 1}, &spike);
      if (spike != 0.0F) return tick;
    }
    return 0;
  }
  std::int32_t predicted() const {
    neurons::RowModel<float> with_rows = model;
    for (std::size_t k = 0; k < 4; ++k) with_rows.parameters[k] = &parameters[k];
    std::uint64_t examined = 0;
    return network::SilentReach(with_rows, 1, {x}).could_fire_in(0, {state.data(), 1}, examined);
  }
};

/// A neuron of any kind, in any state below its threshold, with a level that lies at the threshold more often than not:
/// exactly, or so near that rounding decides.
OneNeuron random_neuron(std::uint64_t seed) {
  const RandomStream random(seed, 59, 0);
  std::uint64_t draw = 0;
  const auto uniform = [&](double low, double high) { return low + (high - low) * random.uniform(draw++); };
  const auto decay = [&] { return std::exp(-1.0 / std::exp(uniform(std::log(0.5), std::log(300.0)))); };
  const double level = std::vector{0.0, 1.0, 1.0, 1.0 + 1e-7, 1.0 - 1e-7, 1.01, 3.0}[random.below(draw++, 7)];
  if (random.below(draw++, 2) == 0) {
    neurons::CubaLifParams params;
    params.membrane.decay = decay();
    params.membrane.gain = random.below(draw++, 2) == 0 ? 1.0 : 1.0 - params.membrane.decay;
    params.membrane.v_reset = random.below(draw++, 2) == 0 ? 0.0 : -0.5;
    params.syn_decay = random.below(draw++, 3) == 0 ? params.membrane.decay : decay();
    const double settled = (level - params.membrane.v_reset) * (1.0 - params.membrane.decay) / params.membrane.gain;
    OneNeuron result{neurons::cuba_lif_rows<float>(params, false)};
    result.x = level == 0.0 ? 0.0F : static_cast<float>(settled * (1.0 - params.syn_decay));
    result.state = {static_cast<float>(uniform(-2.0, 0.999)), static_cast<float>(uniform(-1.0, 1.0))};
    if (random.below(draw++, 2) == 0) result.state[1] = static_cast<float>(settled);
    return result;
  }
  neurons::AdlifConfig config;
  config.adaptation = std::vector{0.0, 2.0, 20.0, 120.0}[random.below(draw++, 4)];
  config.integration = random.below(draw++, 2) == 0 ? neurons::Integration::symplectic : neurons::Integration::forward;
  OneNeuron result{neurons::adlif_rows<float>({}, config, false)};
  const double a = uniform(0.0, 1.0);
  result.parameters = {static_cast<float>(decay()), static_cast<float>(decay()), static_cast<float>(a),
                       static_cast<float>(uniform(0.0, 2.0))};
  result.state = {static_cast<float>(uniform(-2.0, 0.999)), static_cast<float>(uniform(-1.0, 2.0)),
                  static_cast<float>(random.below(draw++, 2))};
  if (result.state[2] != 0.0F) result.state[0] = 0.0F;
  result.x = static_cast<float>(level * (1.0 + config.adaptation * a));
  return result;
}

}  // namespace

TEST_CASE("a neuron is never looked at after it has fired by itself, nor for no reason") {
  constexpr std::int32_t kTicks = 20'000;
  int fire = 0, never = 0, at_once = 0;
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    CAPTURE(seed);
    const OneNeuron neuron = random_neuron(seed);
    const std::int32_t fires = neuron.first_spike(kTicks), predicted = neuron.predicted();
    if (fires != 0) {
      CHECK(predicted != 0);
      CHECK(predicted <= fires);
    }
    fire += fires != 0 ? 1 : 0;
    never += predicted == 0 ? 1 : 0;
    at_once += fires != 1 && predicted == 1 ? 1 : 0;
  }
  MESSAGE(fire << " fire, " << never << " never could, " << at_once << " looked at for nothing");
  CHECK(fire > 1'000);
  CHECK(never > 500);
  CHECK(at_once < 1'000);
}

}  // namespace synfire
