#include "network/event_ledger.hpp"

#include <string>

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

struct Ledgers {
  OpLedger clocked, event;
};

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
  for (const bool image : {true, false}) {
    CAPTURE(image);
    network::Network<float> net = image ? network_of(kImage, {12, 12, 2}) : network_of(kDelayed, {30});
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
      if (event.sizes.fires) CHECK(event.events_out == clocked.events_out);
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

}  // namespace synfire
