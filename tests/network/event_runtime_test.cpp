#include "network/event_runtime.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "network/clocked_runtime.hpp"
#include "network/event_parity.hpp"
#include "tests/network/event_passes.hpp"
#include "tests/network/small_networks.hpp"

namespace synfire {

namespace {

using network::EventMode;
using network::EventRuntime;
using network::EventSpike;
using test::network_of;
using test::num_spikes;
using test::Pass;
using test::random_counts;
using test::run;

const char* const kConvolutional = R"(
[network.lif]
tau_mem_ms = 4.0
[[network.layers]]
type = "conv2d"
channels = 6
kernel = 3
padding = 1
bias = true
[[network.layers]]
type = "batch_norm"
[[network.layers]]
type = "lif"
[[network.layers]]
type = "max_pool"
[[network.layers]]
type = "conv2d"
channels = 5
kernel = 3
stride = 2
[[network.layers]]
type = "batch_norm"
[[network.layers]]
type = "lif"
reset = "soft"
[[network.layers]]
type = "avg_pool"
[[network.layers]]
type = "flatten"
[[network.layers]]
type = "dropout"
[[network.layers]]
type = "linear"
out_features = 12
[[network.layers]]
type = "lif"
decay_input = false
[[network.layers]]
type = "vote"
group = 3
)";

const char* const kDelayed = R"(
lif = {tau_mem_ms = 1.5, decay_input = false}
delayed_linear = {max_delay_ticks = 10}
[[network.layers]]
type = "delayed_linear"
out_features = 24
kernel_count = 2
sparsity = 0.3
[[network.layers]]
type = "batch_norm"
[[network.layers]]
type = "lif"
[[network.layers]]
type = "delayed_linear"
out_features = 16
delay_per = "input"
[[network.layers]]
type = "lif"
decay = "exact"
[[network.layers]]
type = "delayed_linear"
out_features = 4
[[network.layers]]
type = "leaky_integrator"
tau_mem_ms = 5.0
)";

struct Case {
  const char* name;
  const char* layers;
  Shape input, batch;
  double density;
};

const std::vector<Case> kCases = {
    {"convolutional", kConvolutional, {14, 13, 2}, {20, 5, 14, 13, 2}, 0.05},
    {"delayed", kDelayed, {30}, {40, 6, 30}, 0.1},
};

}  // namespace

TEST_CASE("the event engine fires the same spikes as its clocked twin, and reads out the same numbers") {
  for (const Case& c : kCases) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      CAPTURE(c.name);
      CAPTURE(seed);
      network::Network<float> net = network_of(c.layers, c.input, seed);
      test::shake(net, seed);
      const Tensor<float> input = random_counts(c.batch, c.density, static_cast<std::uint32_t>(seed), 3);
      const Pass events = run(net, input, EventMode::events), clocked = run(net, input, EventMode::clocked);
      CHECK(num_spikes(events) > 50);
      CHECK(events.spikes == clocked.spikes);
      CHECK(events.output == clocked.output);
      std::uint64_t updates = 0, all_updates = 0;
      for (std::size_t p = 0; p < events.counts.size(); ++p) {
        CHECK(events.counts[p].events_out == clocked.counts[p].events_out);
        CHECK(events.counts[p].synaptic_events == clocked.counts[p].synaptic_events);
        updates += events.counts[p].neuron_updates;
        all_updates += clocked.counts[p].neuron_updates;
      }
      CHECK(updates <= all_updates);
    }
  }
}

TEST_CASE("600 random networks fire the same spikes event by event and clocked") {
  std::size_t spikes = 0, by_themselves = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    CAPTURE(seed);
    network::Network<float> net = network_of(test::random_layers(seed), {12}, seed);
    test::shake(net, seed);
    test::set_drives_at_threshold(net, seed);
    const Tensor<float> input = random_counts({60, 1, 12}, 0.02 + 0.1 * static_cast<double>(seed % 3), 77, 2);
    const Pass events = run(net, input, EventMode::events), clocked = run(net, input, EventMode::clocked);
    CHECK(events.spikes == clocked.spikes);
    CHECK(events.output == clocked.output);
    spikes += num_spikes(events);
    by_themselves += num_spikes(run(net, Tensor<float>(Shape{60, 1, 12}), EventMode::events)) > 0 ? 1 : 0;
  }
  CHECK(spikes > 100'000);
  CHECK(by_themselves > 100);
}

TEST_CASE("the same spikes for any number of threads, and for the samples in any order") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    network::Network<float> net = network_of(c.layers, c.input);
    test::shake(net, 3);
    test::check_threads_and_order(net, random_counts(c.batch, c.density, 1));
  }
}

TEST_CASE("threads that share the targets of a large layer change no spike of a single sample") {
  const int before = num_threads();
  // 400 inputs in every tick at 1,003 targets: far more synaptic events than it takes to share them.
  const network::Network<float> net = network_of(R"(
[network.lif]
v_th = 0.1
[[network.layers]]
type = "linear"
out_features = 1003
[[network.layers]]
type = "lif"
[[network.layers]]
type = "linear"
out_features = 3
)",
                                                 Shape{800});
  const Tensor<float> input = random_counts(Shape{10, 1, 800}, 0.5, 1);
  set_num_threads(1);
  const Pass one = run(net, input, EventMode::events);
  for (const int threads : {2, 8}) {
    set_num_threads(threads);
    const Pass more = run(net, input, EventMode::events);
    CHECK(one.spikes == more.spikes);
    CHECK(one.output == more.output);
    CHECK(one.counts == more.counts);
  }
  set_num_threads(before);
  CHECK(num_spikes(one) > 100);
  CHECK(one.counts[1].synaptic_events > 10 * 350 * 1003);
}

TEST_CASE("the float engine reads out the same numbers but where a membrane came within rounding of its threshold") {
  // No spike differs in these; weights on a grid of 2^-20 and finer move a sum by less than 1e-5.
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    network::Network<float> net = network_of(c.layers, c.input, 5);
    const Tensor<float> input = random_counts(c.batch, c.density, 9);
    const Pass events = run(net, input, EventMode::events);
    network::ClockedRuntime<float> runtime(net);
    runtime.use_rounded_delays(true);
    const View<const float> out = runtime.forward(input.view(), network::Mode::eval, {});
    REQUIRE(out.size() == std::ssize(events.output));
    for (std::ptrdiff_t k = 0; k < out.size(); ++k) {
      CHECK(std::abs(out[k] - events.output[static_cast<std::size_t>(k)]) < 1e-5);
    }
  }
}

TEST_CASE("engines are compared spike by spike, and a first difference names its distance from the threshold") {
  network::Network<float> net = network_of(kConvolutional, {14, 13, 2}, 5);
  const Tensor<float> input = random_counts({20, 5, 14, 13, 2}, 0.05, 9);
  network::EngineParity parity;
  network::compare_engines(net, input.view(), network::EventArithmetic::stepped, parity);
  network::compare_engines(net, input.view(), network::EventArithmetic::stepped, parity);
  CHECK(parity.samples == 10);
  CHECK(parity.spikes > 100);
  CHECK(parity.twin_differences == 0);
  CHECK(parity.samples_as_float + std::ssize(parity.differences) == 10);
  for (const network::FirstDifference& d : parity.differences) CHECK(d.distance < 1e-5);
}

TEST_CASE("a trace is the membrane that the test for firing sees") {
  const network::Network<float> net = network_of(kDelayed, {30}, 2);
  const Tensor<float> input = random_counts({40, 1, 30}, 0.2, 4);
  EventRuntime runtime(network::make_event_program(net));
  runtime.record_spikes(true);
  runtime.forward(input.view());
  const EventSpike spike = runtime.spikes().front().front();
  const std::vector<float> trace = runtime.trace(input.view(), spike.population, spike.neuron);
  REQUIRE(trace.size() > static_cast<std::size_t>(spike.tick));
  for (std::size_t t = 0; t < trace.size(); ++t) {
    const EventSpike at{static_cast<std::int32_t>(t), spike.population, spike.neuron};
    const auto& fired = runtime.spikes().front();
    CHECK((trace[t] >= 1.0F) == (std::find(fired.begin(), fired.end(), at) != fired.end()));
  }
  CHECK_THROWS_AS(runtime.trace(input.view(), 0, 0), ShapeError);
}

TEST_CASE("a silent recording costs no update where no drive could make a neuron fire") {
  const network::Network<float> net = network_of(kDelayed, {30});
  const Pass pass = run(net, Tensor<float>(Shape{40, 2, 30}), EventMode::events);
  CHECK(num_spikes(pass) == 0);
  for (std::size_t p = 0; p + 1 < pass.counts.size(); ++p) {
    CHECK(pass.counts[p].neuron_updates == 0);
    CHECK(pass.counts[p].synaptic_events == 0);
  }
}

TEST_CASE("a watcher hears of every tick of every sample once") {
  network::Network<float> net = network_of(kDelayed, {30}, 1);
  EventRuntime runtime(make_event_program(net));
  std::atomic<std::int64_t> ticks = 0;
  runtime.watch_ticks([&](std::int32_t since) { ticks += since; });
  const Tensor<float> input = random_counts({600, 3, 30}, 0.1, 1, 3);

  const View<const float> output = runtime.forward(input.view());

  CHECK(ticks == 3 * output.shape[0]);
  CHECK(output.shape[0] >= 600);
}

TEST_CASE("what the event engine cannot run is told, with the layer") {
  CHECK_THROWS_WITH_AS(
      network::make_event_program(network_of("[[network.layers]]\ntype = \"linear\"\nname = \"a\"\nout_features = 3\n"
                                             "[[network.layers]]\ntype = \"linear\"\nname = \"b\"\nout_features = 3\n",
                                             {4})),
      "[events] layer \"b\": the event engine needs neurons between two linear maps", ShapeError);
  network::Network<float> net = network_of(kDelayed, {30});
  Tensor<float> input(Shape{4, 1, 30});
  input[3] = 0.5F;
  CHECK_THROWS_AS(run(net, input, EventMode::events), ShapeError);
  input[3] = 256.0F;
  CHECK_THROWS_AS(run(net, input, EventMode::events), ShapeError);
  CHECK_THROWS_AS(run(net, Tensor<float>(Shape{4, 1, 31}), EventMode::events), ShapeError);
}

}  // namespace synfire
