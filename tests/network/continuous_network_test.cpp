#include "network/continuous_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/spike_queue.hpp"
#include "tests/reference/continuous_network_reference.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

using Spikes = std::vector<ContinuousSpike>;

/// A tenth of a picosecond: rounding of a spike, and of the spikes that caused it, stays below 1e-9 ms.
constexpr std::int64_t kFine = 10'000'000'000;

std::int64_t units(double ms, std::int64_t units_per_ms) {
  return std::llround(ms * static_cast<double>(units_per_ms));
}

std::vector<double> times_ms(const Spikes& spikes, std::uint32_t neuron, std::int64_t units_per_ms) {
  std::vector<double> times;
  for (const auto& spike : spikes) {
    if (spike.neuron == neuron) times.push_back(static_cast<double>(spike.time) / static_cast<double>(units_per_ms));
  }
  return times;
}

void check_times(const std::vector<double>& times, const std::vector<double>& expected, double tolerance_ms) {
  REQUIRE(times.size() == expected.size());
  for (std::size_t k = 0; k < times.size(); ++k) {
    CAPTURE(times[k]);
    CHECK(std::abs(times[k] - expected[k]) < tolerance_ms);
  }
}

/// A -> B, A -> C, B -> C, C -| B; A is an input.
ContinuousNetworkSpec three_neurons(std::int64_t units_per_ms, double inhibition_delay_ms) {
  const auto delay = [&](double ms) { return units(ms, units_per_ms); };
  return {.units_per_ms = units_per_ms,
          .neurons = {{.tau_mem_ms = 10.0, .drive = 0.12, .t_ref_ms = 2.0}, {.tau_mem_ms = 10.0, .t_ref_ms = 2.0}},
          .num_inputs = 1,
          .input_synapses = {{0, 0, 0.4, delay(1.5)}, {0, 1, 0.7, delay(2.0)}},
          .synapses = {{0, 1, 0.6, delay(1.0)}, {1, 0, -0.5, delay(inhibition_delay_ms)}}};
}

Spikes input_of_three(std::int64_t units_per_ms) {
  Spikes input;
  for (const double ms : {4.25, 8.125, 9.6, 21.03}) input.push_back({units(ms, units_per_ms), 0});
  return input;
}

struct RandomNetwork {
  ContinuousNetworkSpec spec;
  Spikes input;
};

/// Some neurons of every kind, connected at random, with inputs that often come at the same time.
RandomNetwork random_network(std::uint32_t seed, bool driven) {
  const RandomStream random(11, 4, seed);
  std::uint64_t draw = 0;
  const auto between = [&](double low, double high) { return low + (high - low) * random.uniform(draw++); };
  const auto below = [&](std::uint64_t n) { return static_cast<std::uint32_t>(random.below(draw++, n)); };
  RandomNetwork made;
  ContinuousNetworkSpec& spec = made.spec;
  spec.units_per_ms = 100;
  spec.num_inputs = 4;
  const std::uint32_t num_neurons = 3 + below(8);
  for (std::uint32_t n = 0; n < num_neurons; ++n) {
    const double tau_mem = between(3.0, 20.0);
    const double tau_syn[] = {0.0, tau_mem, tau_mem / 2.0, tau_mem * 2.0, between(1.0, 10.0)};
    spec.neurons.push_back({.tau_mem_ms = tau_mem,
                            .tau_syn_ms = tau_syn[below(5)],
                            .v_reset = between(-0.5, 0.3),
                            .drive = driven ? between(-0.1, 0.3) : 0.0,
                            .t_ref_ms = static_cast<double>(below(300)) / 100.0});
  }
  const auto weight = [&](std::uint32_t target) {
    return between(-0.5, 1.0) / (spec.neurons[target].tau_syn_ms > 0.0 ? 3.0 : 1.0);
  };
  for (std::uint32_t k = 0; k < 4 * num_neurons; ++k) {
    const std::uint32_t target = below(num_neurons);
    spec.synapses.push_back({below(num_neurons), target, weight(target), 1 + below(k % 3 == 0 ? 1 : 400)});
    spec.input_synapses.push_back({below(4), target, weight(target), 1 + below(k % 2 == 0 ? 2 : 400)});
  }
  for (int k = 0; k < 60; ++k) made.input.push_back({100 * static_cast<std::int64_t>(below(60)), below(4)});
  return made;
}

}  // namespace

TEST_CASE("three neurons fire at the times that a solution by hand gives") {
  // Worked out in closed form, and by NEST 3.10's precise models.
  ContinuousNetwork network(three_neurons(kFine, 1.0));
  const Spikes spikes = network.run(input_of_three(kFine), units(50.0, kFine));

  // C's spikes reach B exactly at the end of B's refractory period and count: B's last would otherwise be at 35.516.
  check_times(times_ms(spikes, 0, kFine), {8.943473047384917, 22.53, 45.930661634962708}, 1e-9);
  check_times(times_ms(spikes, 1, kFine), {9.943473047384917, 23.53}, 1e-9);
}

TEST_CASE("inhibition that comes later delays the spike that it can still reach") {
  ContinuousNetwork network(three_neurons(kFine, 1.3));
  const Spikes spikes = network.run(input_of_three(kFine), units(50.0, kFine));

  check_times(times_ms(spikes, 0, kFine), {8.943473047384917, 22.53, 46.019835014599910}, 1e-9);
  check_times(times_ms(spikes, 1, kFine), {9.943473047384917, 23.53}, 1e-9);
}

TEST_CASE("a clock of microseconds is late by less than one of them a spike, and never early") {
  ContinuousNetwork network(three_neurons(1000, 1.0));
  const Spikes spikes = network.run(input_of_three(1000), 50'000);

  // B's last follows from two earlier ones, and they from others.
  const std::vector<double> first = times_ms(spikes, 0, 1000);
  check_times(first, {8.943473047384917, 22.53, 45.930661634962708}, 0.004);
  CHECK(first[0] >= 8.943473047384917);
  CHECK(first[0] == 8.944);
}

TEST_CASE("a driven neuron fires with one period") {
  for (const double tau_syn : {0.0, 2.0, 10.0}) {
    ContinuousNetwork network(
        {.units_per_ms = kFine,
         .neurons = {{.tau_mem_ms = 10.0, .tau_syn_ms = tau_syn, .drive = 0.15, .t_ref_ms = 2.0}}});
    const Spikes spikes = network.run({}, units(40.0, kFine));
    check_times(times_ms(spikes, 0, kFine), {10.9861228866811, 23.9722457733622, 36.9583686600433}, 1e-9);
  }
}

TEST_CASE("random networks fire as a simulation from unit to unit of the clock") {
  std::size_t num_spikes = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const auto [spec, input] = random_network(seed, seed % 2 == 0);
    ContinuousNetwork network(spec);

    const Spikes spikes = network.run(input, 8'000);

    CHECK(spikes == test::continuous_network_reference(spec, input, 8'000));
    CHECK(spikes == network.run(input, 8'000));
    num_spikes += spikes.size();
    CHECK(network.counts().predictions >= network.counts().stale_predictions);
  }
  CHECK(num_spikes > 3'000);
}

TEST_CASE("the order of the input does not matter") {
  const auto [spec, input] = random_network(5, true);
  Spikes reversed(input.rbegin(), input.rend());

  CHECK(ContinuousNetwork(spec).run(input, 8'000) == ContinuousNetwork(spec).run(reversed, 8'000));
}

TEST_CASE("without a drive, a later input gives a later, otherwise equal output") {
  constexpr std::int64_t kShift = 123'456'789;
  std::size_t num_spikes = 0;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const auto [spec, input] = random_network(seed, false);
    Spikes later = input;
    for (auto& spike : later) spike.time += kShift;

    Spikes expected = ContinuousNetwork(spec).run(input, 8'000);
    num_spikes += expected.size();
    for (auto& spike : expected) spike.time += kShift;
    CHECK(ContinuousNetwork(spec).run(later, 8'000 + kShift) == expected);
  }
  CHECK(num_spikes > 500);
}

TEST_CASE("a later end only adds spikes") {
  const auto [spec, input] = random_network(8, true);
  const Spikes all = ContinuousNetwork(spec).run(input, 8'000);
  REQUIRE(all.size() > 10);

  const std::int64_t end = all[all.size() / 2].time;
  Spikes expected;
  std::copy_if(all.begin(), all.end(), std::back_inserter(expected),
               [&](const ContinuousSpike& spike) { return spike.time <= end; });
  CHECK(ContinuousNetwork(spec).run(input, end) == expected);
}

TEST_CASE("arrivals of one time are summed before the test") {
  // .6 + .6 - .3 with threshold 1 does not fire, though .6 + .6 would; .6 + .6 does.
  ContinuousNetworkSpec spec{
      .neurons = {{}}, .num_inputs = 3, .input_synapses = {{0, 0, 0.6, 5}, {1, 0, 0.6, 3}, {2, 0, -0.3, 4}}};
  CHECK(ContinuousNetwork(spec).run(Spikes{{10, 0}, {12, 1}, {11, 2}}, 100).empty());
  CHECK(ContinuousNetwork(spec).run(Spikes{{10, 0}, {12, 1}}, 100) == Spikes{{15, 0}});
}

TEST_CASE("inhibition in the very unit of a crossing undoes it, excitation does not") {
  // The drive alone crosses at 10.98612 ms, so in microsecond 10,987.
  ContinuousNetworkSpec spec{.neurons = {{.tau_mem_ms = 10.0, .drive = 0.15}},
                             .num_inputs = 2,
                             .input_synapses = {{0, 0, -0.1, 1}, {1, 0, 0.1, 1}}};

  CHECK(ContinuousNetwork(spec).run({}, 11'000) == Spikes{{10'987, 0}});
  CHECK(ContinuousNetwork(spec).run(Spikes{{10'986, 0}}, 11'000).empty());
  CHECK(ContinuousNetwork(spec).run(Spikes{{10'986, 1}}, 11'000) == Spikes{{10'987, 0}});
  CHECK(ContinuousNetwork(spec).run(Spikes{{10'987, 0}}, 11'000) == Spikes{{10'987, 0}});
}

TEST_CASE("a network that overflows its queue says when, and runs again") {
  ContinuousNetworkSpec spec{.neurons = {{}}, .num_inputs = 1, .input_synapses = {{0, 0, 0.1, 50}}, .max_events = 10};
  ContinuousNetwork network(spec);
  Spikes input;
  for (int k = 0; k < 11; ++k) input.push_back({k, 0});

  try {
    network.run(input, 100);
    FAIL("no error");
  } catch (const QueueFullError& error) {
    CHECK(error.count == 10);
  }
  input.pop_back();
  CHECK(network.run(input, 100).empty());
  CHECK(network.counts().synaptic_events == 10);
}

TEST_CASE("a run that overflows leaves nothing behind for the next one") {
  // Neuron 0 fires and has no room for its two delays, when .6 has just come to neuron 1.
  ContinuousNetworkSpec spec{.neurons = {{}, {}},
                             .num_inputs = 2,
                             .input_synapses = {{0, 0, 1.0, 1}, {0, 1, 0.6, 1}, {1, 1, 0.6, 1}},
                             .synapses = {{0, 1, 0.1, 1}, {0, 1, 0.1, 2}},
                             .max_events = 1};
  ContinuousNetwork network(spec);
  CHECK_THROWS_AS(network.run(Spikes{{5, 0}}, 100), QueueFullError);

  CHECK(network.run(Spikes{{9, 1}}, 100).empty());
  CHECK(network.run(Spikes{{9, 1}, {20, 1}}, 100) == Spikes{{21, 1}});
}

TEST_CASE("a network that cannot be is refused") {
  const ContinuousNetworkSpec good{.neurons = {{}}, .num_inputs = 1, .input_synapses = {{0, 0, 0.1, 1}}};
  const auto refused = [&](const auto& change) {
    ContinuousNetworkSpec spec = good;
    change(spec);
    CHECK_THROWS_AS(ContinuousNetwork{spec}, ShapeError);
  };
  CHECK_NOTHROW(ContinuousNetwork{good});
  refused([](auto& spec) { spec.units_per_ms = 0; });
  refused([](auto& spec) { spec.input_synapses[0].source = 1; });
  refused([](auto& spec) { spec.input_synapses[0].target = 1; });
  refused([](auto& spec) { spec.input_synapses[0].delay = 0; });
  refused([](auto& spec) { spec.input_synapses[0].weight = NAN; });
  refused([](auto& spec) { spec.synapses = {{1, 0, 0.1, 1}}; });
  refused([](auto& spec) { spec.num_inputs = 0xFFFFFFFF; });
  refused([](auto& spec) {
    spec.neurons[0].t_ref_ms = 1e12;
    spec.units_per_ms = kFine;
  });
  CHECK_THROWS_AS(ContinuousNetwork(good).run(Spikes{{0, 1}}, 10), ShapeError);
  CHECK_THROWS_AS(ContinuousNetwork(good).run(Spikes{{-1, 0}}, 10), ShapeError);
  CHECK_THROWS_AS(ContinuousNetwork(good).run({}, -1), ShapeError);
}
