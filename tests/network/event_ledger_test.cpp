#include "network/event_ledger.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "network/clocked_runtime.hpp"
#include "tests/network/small_networks.hpp"

namespace synfire {

namespace {

using test::network_of;

/// Six of a hundred elements are not zero, half of them 2.
Tensor<float> counts(const Shape& shape) { return test::random_counts(shape, 0.06, 1, 2); }

const char* const kImage = R"(
lif = {tau_mem_ms = 2.0, decay_input = false}
conv2d = {padding = 1}
[[network.layers]]
type = "conv2d"
channels = 5
[[network.layers]]
type = "batch_norm"
[[network.layers]]
type = "lif"
[[network.layers]]
type = "max_pool"
[[network.layers]]
type = "conv2d"
channels = 4
stride = 2
[[network.layers]]
type = "lif"
reset = "soft"
[[network.layers]]
type = "avg_pool"
[[network.layers]]
type = "flatten"
[[network.layers]]
type = "linear"
out_features = 6
[[network.layers]]
type = "lif"
[[network.layers]]
type = "vote"
group = 2
)";

const char* const kDelayed = R"(
lif = {tau_mem_ms = 1.5, decay_input = false}
delayed_linear = {max_delay_ticks = 6}
[[network.layers]]
type = "delayed_linear"
out_features = 20
sparsity = 0.4
[[network.layers]]
type = "lif"
[[network.layers]]
type = "delayed_linear"
out_features = 4
[[network.layers]]
type = "leaky_integrator"
tau_mem_ms = 4.0
)";

/// Feedback with and without delays, neurons of all kinds, a population that reads spikes without weights.
const char* const kRecurrent = R"(
recurrent = {v_th = 0.4, tau_mem_max_ms = 12.0, tau_adapt_max_ms = 80.0, adaptation = 2.0, self_connections = false}
[[network.layers]]
type = "linear"
out_features = 20
[[network.layers]]
type = "recurrent"
neuron = "adlif"
[[network.layers]]
type = "cuba_lif"
tau_mem_ms = 3.0
v_th = 0.2
[[network.layers]]
type = "delayed_linear"
out_features = 15
max_delay_ticks = 4
[[network.layers]]
type = "batch_norm"
[[network.layers]]
type = "recurrent"
neuron = "cuba_lif"
tau_mem_ms = 4.0
delays = "learned"
max_delay_ticks = 6
[[network.layers]]
type = "linear"
out_features = 4
[[network.layers]]
type = "adlif"
v_th = 0.3
)";

struct Ledgers {
  OpLedger clocked, event;
};

/// So that every layer fires.
void strengthen(network::Network<float>& net, float factor) {
  for (auto& tensor : net.tensors) {
    if (tensor.kind != network::TensorKind::weight) continue;
    for (float& weight : tensor.value.span()) weight *= factor;
  }
}

Ledgers count(network::Network<float>& net, const Tensor<float>& input) {
  Ledgers result;
  network::ClockedRuntime<float> clocked(net);
  clocked.use_rounded_delays(true);
  clocked.count_into(&result.clocked);
  clocked.forward(input.view(), network::Mode::eval, {});
  network::EventRuntime runtime(network::make_event_program(net));
  network::count_events(net, runtime, input.view(), result.event);
  return result;
}

}  // namespace

TEST_CASE("both engines are asked for the same: the counts that depend on spikes alone are equal") {
  for (const char* const layers : {kImage, kDelayed, kRecurrent}) {
    CAPTURE(std::string(layers));
    const bool image = layers == kImage;
    network::Network<float> net = network_of(layers, image ? Shape{12, 12, 2} : Shape{30});
    strengthen(net, 4.0F);
    const Ledgers ledgers = count(net, image ? counts({15, 3, 12, 12, 2}) : counts({25, 4, 30}));
    REQUIRE(ledgers.event.layers.size() == ledgers.clocked.layers.size());
    CHECK(ledgers.event.samples == ledgers.clocked.samples);
    CHECK(ledgers.event.ticks == ledgers.clocked.ticks);
    for (std::size_t k = 0; k < ledgers.event.layers.size(); ++k) {
      const LayerLedger &event = ledgers.event.layers[k], &clocked = ledgers.clocked.layers[k];
      CAPTURE(event.name);
      CHECK(event.kind == clocked.kind);
      CHECK(event.samples == clocked.samples);
      CHECK(event.ticks == clocked.ticks);
      CHECK(event.dense_synops == clocked.dense_synops);
      CHECK(event.eff_unit == clocked.eff_unit);
      CHECK(event.eff_graded == clocked.eff_graded);
      CHECK(event.nb_acs == clocked.nb_acs);
      CHECK(event.nb_macs == clocked.nb_macs);
      CHECK(event.events_in == clocked.events_in);
      CHECK(event.input_elems == clocked.input_elems);
      if (event.sizes.fires) {
        CHECK(event.events_out == clocked.events_out);
        CHECK(event.events_out > 0);
      }
      CHECK(event.output_elems == clocked.output_elems);
      CHECK(event.sizes.weights == clocked.sizes.weights);
      CHECK(event.sizes.zero_weights == clocked.sizes.zero_weights);
    }
  }
}

TEST_CASE("what the event engine executed follows from the events") {
  network::Network<float> net = network_of(kImage, {12, 12, 2});
  const Ledgers ledgers = count(net, counts({15, 3, 12, 12, 2}));
  const LayerLedger& first = ledgers.event.layers[0];
  // No weight is 0 here, so that all that is executed is effective; a count of 2 is a multiplication.
  CHECK(first.exec_acs == first.eff_unit);
  CHECK(first.exec_macs == first.eff_graded);
  CHECK(first.exec_macs > 0);
  CHECK(first.w_rd == 4 * (first.exec_acs + first.exec_macs));
  CHECK(first.neuron_updates < ledgers.clocked.layers[0].neuron_updates);
  for (const LayerLedger& layer : ledgers.event.layers) {
    CHECK(layer.exec_acs + layer.exec_macs >= layer.eff_unit);
    CHECK(layer.path_scatter == layer.ticks);
  }
}

TEST_CASE("a delay is an entry in the queue for each spike and distinct delay, not for each synapse") {
  network::Network<float> net = network_of(kDelayed, {30});
  const Ledgers ledgers = count(net, counts({25, 4, 30}));
  const LayerLedger& first = ledgers.event.layers[0];
  CHECK(first.queue_push > first.events_in);
  CHECK(first.queue_push <= 7 * first.events_in + first.queue_stale + first.neuron_updates);
  CHECK(first.exec_acs + first.exec_macs > first.queue_push);
  CHECK(first.queue_pop == first.queue_push);
  CHECK(first.queue_peak > 0);
}

TEST_CASE("batches add up: the ledger of a batch is that of its samples, but for the calls of NeuroBench") {
  network::Network<float> net = network_of(kDelayed, {30});
  const Tensor<float> input = counts({25, 1, 30});
  network::EventRuntime runtime(network::make_event_program(net));
  OpLedger once, twice;
  network::count_events(net, runtime, input.view(), once);
  network::count_events(net, runtime, input.view(), twice);
  network::count_events(net, runtime, input.view(), twice);
  OpLedger sum = once;
  sum += once;
  CHECK(sum == twice);
}

TEST_CASE("a ledger that runs batch after batch counts each as a new one would") {
  for (const char* const layers : {kImage, kDelayed, kRecurrent}) {
    CAPTURE(std::string(layers));
    const bool image = layers == kImage;
    network::Network<float> net = network_of(layers, image ? Shape{12, 12, 2} : Shape{30});
    strengthen(net, 4.0F);
    network::EventRuntime runtime(network::make_event_program(net));
    OpLedger together, apart;
    network::EventLedger ledger(net, runtime, together);
    for (const std::ptrdiff_t ticks : {9, 15}) {
      const Tensor<float> input = counts(image ? Shape{ticks, 2, 12, 12, 2} : Shape{ticks, 2, 30});
      ledger.forward(input.view());
      network::count_events(net, runtime, input.view(), apart);
    }
    CHECK(together.total().eff_unit > 0);
    CHECK(together == apart);
  }
}

namespace {

const char* const kOneTick = R"(
[[network.layers]]
type = "linear"
out_features = 6
bias = false
[[network.layers]]
type = "recurrent"
neuron = "lif"
tau_mem_ms = 2.0
v_th = 0.3
self_connections = false
)";

const char* const kLater = R"(
[[network.layers]]
type = "linear"
out_features = 6
bias = false
[[network.layers]]
type = "recurrent"
neuron = "lif"
tau_mem_ms = 2.0
v_th = 0.3
self_connections = false
delays = "fixed"
max_delay_ticks = 4
)";

/// What a tiny population of six that feeds back takes, counted spike by spike.
struct Brute {
  std::uint64_t spikes = 0, feedback = 0, updates = 0, replayed = 0;
};

/// \param delay_of  of the synapse to o from i beyond the first tick
template <class DelayOf>
Brute brute_force(network::Network<float>& net, const Tensor<float>& input, bool diagonal_is_there,
                  const DelayOf& delay_of) {
  network::EventRuntime runtime(network::make_event_program(net));
  runtime.record_spikes(true);
  runtime.forward(input.view());
  const std::ptrdiff_t ticks = input.shape()[0], inputs = input.shape()[2];
  std::vector<bool> arrives(static_cast<std::size_t>(ticks));
  for (std::ptrdiff_t t = 0; t < ticks; ++t) {
    for (std::ptrdiff_t i = 0; i < inputs; ++i) {
      if (input[t * inputs + i] != 0.0F) arrives[static_cast<std::size_t>(t)] = true;
    }
  }
  Brute result;
  for (const network::EventSpike& spike : runtime.spikes().front()) {
    if (spike.population != 1) continue;
    ++result.spikes;
    for (std::ptrdiff_t o = 0; o < 6; ++o) {
      if (o == spike.neuron && !diagonal_is_there) continue;
      const std::ptrdiff_t arrival = spike.tick + 1 + delay_of(o, spike.neuron);
      if (arrival >= ticks) continue;
      ++result.feedback;
      arrives[static_cast<std::size_t>(arrival)] = true;
    }
  }
  std::uint64_t since = 0;
  for (const bool arrival : arrives) {
    if (arrival) {
      result.updates += 6;
      result.replayed += 6 * since;
    }
    since = arrival ? 0 : since + 1;
  }
  return result;
}

}  // namespace

TEST_CASE("what a population that feeds back took is what a count spike by spike gives") {
  for (const bool delayed : {false, true}) {
    CAPTURE(delayed);
    network::Network<float> net = network_of(delayed ? kLater : kOneTick, {10}, 3);
    for (float& weight : net.tensors[0].value.span()) weight *= 3.0F;
    const Tensor<float> input = test::random_counts({60, 1, 10}, 0.01, 1);
    const std::string name = net.spec.nodes[1].name;
    // Without delays, the zeros of the diagonal are added like other weights.
    const Brute brute = brute_force(net, input, !delayed, [&](std::ptrdiff_t o, std::ptrdiff_t i) {
      return delayed ? 2 - std::lrint(net.tensor(name + ".position").value[o * 6 + i]) : 0L;
    });

    const Ledgers ledgers = count(net, input);

    const LayerLedger &linear = ledgers.event.layers[0], &population = ledgers.event.layers[1];
    CHECK(brute.spikes > 10);
    CHECK(brute.replayed > 0);
    CHECK(population.events_out == brute.spikes);
    // Every spike is also handed out once.
    CHECK(population.exec_acs == brute.feedback + brute.spikes);
    CHECK(population.neuron_updates == brute.updates);
    CHECK(population.replayed_ticks == brute.replayed);
    CHECK(population.w_rd == 4 * (brute.feedback + brute.spikes));
    CHECK(linear.exec_acs == 6 * linear.events_in);
    CHECK(linear.exec_acs == linear.eff_unit);
  }
}

}  // namespace synfire
