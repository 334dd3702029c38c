#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/parallel.hpp"
#include "network/event_parity.hpp"
#include "network/event_runtime.hpp"
#include "tests/network/event_passes.hpp"
#include "tests/network/small_networks.hpp"

namespace synfire {

namespace {

using network::EventArithmetic;
using network::EventMode;
using test::network_of;
using test::num_spikes;
using test::Pass;
using test::random_counts;

Pass run(const network::Network<float>& net, const Tensor<float>& input, EventMode mode = EventMode::events) {
  return test::run(net, input, mode, EventArithmetic::lazy);
}

network::Network<float> random_network(std::uint64_t seed) {
  network::Network<float> net = network_of(test::random_layers(seed), {12}, seed);
  test::shake(net, seed);
  test::set_drives_at_threshold(net, seed);
  return net;
}

Tensor<float> random_input(std::uint64_t seed, std::ptrdiff_t batch = 1) {
  return random_counts({60, batch, 12}, 0.02 + 0.1 * static_cast<double>(seed % 3), 77, 2);
}

}  // namespace

TEST_CASE("600 random networks fire the same spikes event by event and clocked, in closed form") {
  std::size_t spikes = 0, by_themselves = 0, differ_from_steps = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    CAPTURE(seed);
    const network::Network<float> net = random_network(seed);
    const Tensor<float> input = random_input(seed);
    const Pass events = run(net, input), clocked = run(net, input, EventMode::clocked);
    CHECK(events.spikes == clocked.spikes);
    CHECK(events.output == clocked.output);
    spikes += num_spikes(events);
    by_themselves += num_spikes(run(net, Tensor<float>(Shape{60, 1, 12}))) > 0 ? 1 : 0;
    differ_from_steps +=
        events.spikes == test::run(net, input, EventMode::events, EventArithmetic::stepped).spikes ? 0 : 1;
  }
  CHECK(spikes > 100'000);
  CHECK(by_themselves > 100);
  MESSAGE(differ_from_steps << " of 600 differ from steps, " << spikes << " spikes");
}

TEST_CASE("in closed form, too: the same spikes for any number of threads, and for the samples in any order") {
  const int before = num_threads();
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    const network::Network<float> net = random_network(seed);
    constexpr std::ptrdiff_t kBatch = 5;
    const Tensor<float> input = random_input(seed, kBatch);
    set_num_threads(1);
    const Pass one = run(net, input);
    for (const int threads : {2, 8}) {
      set_num_threads(threads);
      const Pass more = run(net, input);
      CHECK(one.spikes == more.spikes);
      CHECK(one.output == more.output);
      CHECK(one.counts == more.counts);
    }
    // The last sample first.
    Tensor<float> reversed(input.shape());
    for (std::ptrdiff_t t = 0; t < input.shape()[0]; ++t) {
      for (std::ptrdiff_t b = 0; b < kBatch; ++b) {
        std::copy_n(input.data() + (t * kBatch + b) * 12, 12, reversed.data() + (t * kBatch + kBatch - 1 - b) * 12);
      }
    }
    Pass other = run(net, reversed);
    std::reverse(other.spikes.begin(), other.spikes.end());
    CHECK(one.spikes == other.spikes);
    CHECK(one.counts == other.counts);
  }
  set_num_threads(before);
}

namespace {

/// One input, one neuron, and its spikes in ticks that count from 1.
std::vector<int> spike_ticks(const std::string& lif, float weight, float bias, const std::vector<float>& input,
                             EventMode mode = EventMode::events) {
  network::Network<float> net = network_of(
      "[[network.layers]]\ntype = \"linear\"\nname = \"w\"\nout_features = 1\n[[network.layers]]\ntype = "
      "\"lif\"\n" +
          lif + "\n",
      {1});
  net.tensor("w.weight").value[0] = weight;
  net.tensor("w.bias").value[0] = bias;
  Tensor<float> counts(Shape{std::ssize(input), 1, 1});
  std::copy(input.begin(), input.end(), counts.data());
  const Pass pass = run(net, counts, mode);
  std::vector<int> ticks;
  for (const network::EventSpike& spike : pass.spikes[0]) ticks.push_back(spike.tick + 1);
  return ticks;
}

}  // namespace

TEST_CASE("a drive alone fires a neuron in the ticks of the formula, by hand") {
  const std::vector<float> silence(60);
  const std::string leaky = "tau_mem_ms = 10.0\ndecay_input = false", halving = "tau_mem_ms = 2.0\ndecay_input = false",
                    summing = "tau_mem_ms = 1e9\ndecay_input = false";
  for (const EventMode mode : {EventMode::events, EventMode::clocked}) {
    CHECK(spike_ticks(leaky, 0.0F, 0.15F, silence, mode) == std::vector{11, 22, 33, 44, 55});
    // It would settle at the threshold: real numbers never get there, floats do.
    CHECK(spike_ticks(halving, 0.0F, 0.5F, silence, mode) == std::vector{25, 50});
    CHECK(spike_ticks(halving, 0.0F, 0.499999F, silence, mode).empty());
    // In float a decay of 1 - 1e-9 is 1, no leak. 7 times 0.15.
    CHECK(spike_ticks(summing, 0.0F, 0.15F, silence, mode) == std::vector{7, 14, 21, 28, 35, 42, 49, 56});
    CHECK(spike_ticks(summing, 0.0F, 0.0F, silence, mode).empty());
  }
}

TEST_CASE("a soft reset that leaves a membrane above the threshold fires it again in the next tick, without a drive") {
  std::vector<float> input(12);
  input[1] = 3.0F;
  const std::string lif = "tau_mem_ms = 10.0\ndecay_input = false\n";
  for (const EventMode mode : {EventMode::events, EventMode::clocked}) {
    CHECK(spike_ticks(lif + "reset = \"soft\"", 1.0F, 0.0F, input, mode) == std::vector{2, 3});
    CHECK(spike_ticks(lif, 1.0F, 0.0F, input, mode) == std::vector{2});
  }
}

TEST_CASE("inputs that cancel do not touch a membrane: it stays on its course to the bit") {
  network::Network<float> net = network_of(R"(
[[network.layers]]
type = "linear"
name = "w"
out_features = 1
[[network.layers]]
type = "leaky_integrator"
tau_mem_ms = 7.0
)",
                                           {3});
  net.tensor("w.bias").value[0] = 0.3F;
  net.tensor("w.weight").value[0] = 0.7F;
  net.tensor("w.weight").value[1] = -0.7F;
  net.tensor("w.weight").value[2] = 0.4F;
  Tensor<float> alone(Shape{40, 1, 3}), with_others(Shape{40, 1, 3});
  alone[6 + 2] = with_others[6 + 2] = 1.0F;
  for (std::ptrdiff_t t = 5; t < 40; t += 3) with_others[t * 3] = with_others[t * 3 + 1] = 1.0F;
  CHECK(run(net, alone).output == run(net, with_others).output);
}

TEST_CASE("learned time constants and populations that feed back run in closed form, too") {
  for (const std::string& layers : {test::kLearnedTaus, test::kRecurrent}) {
    network::Network<float> net = network::build<float>(test::spec_of(layers), Shape{4}, 3);
    const Tensor<float> input = random_counts({200, 2, 4}, 0.2, 5, 3);
    const Pass events = run(net, input), clocked = run(net, input, EventMode::clocked);
    CHECK(num_spikes(events) > 20);
    CHECK(events.spikes == clocked.spikes);
    CHECK(events.output == clocked.output);
  }
}

TEST_CASE("a neuron is written when something arrives at it or it fires, and never stepped") {
  const network::Network<float> net = random_network(4);
  const Pass events = run(net, random_input(4)), clocked = run(net, random_input(4), EventMode::clocked);
  for (std::size_t p = 1; p < events.counts.size(); ++p) {
    CHECK(events.counts[p].replayed_ticks == 0);
    CHECK(events.counts[p].states_written == clocked.counts[p].states_written);
    CHECK(events.counts[p].states_written <= events.counts[p].neuron_updates);
    CHECK(events.counts[p].looks_computed <= events.counts[p].looks_evaluated);
  }
}

TEST_CASE("engines are compared in closed form") {
  network::Network<float> net = random_network(7);
  network::EngineParity parity;
  network::compare_engines(net, random_input(7, 4).view(), EventArithmetic::lazy, parity);
  CHECK(parity.samples == 4);
  CHECK(parity.spikes > 10);
  CHECK(parity.twin_differences == 0);
  for (const network::FirstDifference& d : parity.differences) CHECK(d.distance < 1e-5);
}

}  // namespace synfire
