#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/sparse/firing_statistics.hpp"
#include "tests/network/sparse_networks.hpp"

using namespace synfire;
using network::SparsePopulation;
using network::SparseProjection;

namespace {

/// A quarter of everything this engine knows: drawn spikes and drives, weights and delays of their own.
network::SparseNetwork mixed_network(double weight_std_mv) {
  network::SparseNetwork net{.dt_ms = 0.5, .seed = 11};
  net.populations = {{.name = "in", .size = 70, .kind = SparsePopulation::Kind::poisson, .rate_hz = 80.0},
                     {.name = "a", .size = 333, .v_rest_mv = -65.0, .t_ref_ms = 0.0, .current_mv = 10.0},
                     {.name = "b", .size = 101, .tau_mem_ms = 10.0, .t_ref_ms = 3.0}};
  net.populations[1].v_th_mv = -50.0;
  net.populations[1].v_reset_mv = net.populations[1].v_start_mv = -60.0;
  net.populations[2].drives = {{.rate_hz = 4000.0, .weight_mv = 0.75}, {.rate_hz = 500.0, .weight_mv = -0.5}};
  net.projections = {
      {.source = 0, .target = 1, .indegree = 20, .weight_mv = 1.25},
      {.source = 1,
       .target = 2,
       .rule = SparseProjection::Rule::pairwise_bernoulli,
       .probability = 0.1,
       .weight_mv = 0.5,
       .weight_std_mv = weight_std_mv,
       .delay_ticks = 2,
       .max_delay_ticks = 5},
      {.source = 2, .target = 1, .indegree = 30, .weight_mv = -0.25, .delay_ticks = 3, .max_delay_ticks = 3},
      {.source = 1,
       .target = 1,
       .rule = SparseProjection::Rule::all_to_all,
       .weight_mv = -0.01,
       .weight_std_mv = weight_std_mv,
       .delay_ticks = 4,
       .max_delay_ticks = 4}};
  return net;
}

}  // namespace

TEST_CASE("a constant current fires a neuron on NEST's ticks") {
  // NEST 3.10, iaf_psc_delta: tau 10 ms, C 1 pF, I .15 pA, th 1 mV, t_ref 2 ms, dt .1 ms: 11, 24 and 37 ms.
  network::SparseNetwork net{.dt_ms = 0.1};
  net.populations = {
      {.name = "n", .size = 1, .tau_mem_ms = 10.0, .v_th_mv = 1.0, .t_ref_ms = 2.0, .current_mv = 0.15 * 10.0}};
  network::SparseRuntime runtime(net);

  CHECK(test::spikes_of(runtime, 400) == test::SparseSpikes{{110, 0}, {240, 0}, {370, 0}});
}

TEST_CASE("three neurons fire and forget as computed by hand") {
  // Half of a membrane is left after a tick, so all numbers are exact. B is refractory for two ticks, C not at all.
  network::SparseNetwork net{.dt_ms = 1.0};
  net.populations = {{.name = "A", .size = 1, .kind = SparsePopulation::Kind::given},
                     {.name = "A2", .size = 1, .kind = SparsePopulation::Kind::given},
                     {.name = "B", .size = 1, .tau_mem_ms = 1.0 / std::log(2.0), .v_th_mv = 1.0, .t_ref_ms = 2.0},
                     {.name = "C", .size = 1, .tau_mem_ms = 1.0 / std::log(2.0), .v_th_mv = 0.8125, .t_ref_ms = 0.0}};
  net.populations[0].spikes = {{1, 0}, {2, 0}, {6, 0}, {7, 0}};
  net.populations[1].spikes = {{3, 0}, {4, 0}};
  const auto connect = [&](int source, int target, double weight_mv, int delay_ticks) {
    net.projections.push_back({.source = source,
                               .target = target,
                               .rule = SparseProjection::Rule::one_to_one,
                               .weight_mv = weight_mv,
                               .delay_ticks = delay_ticks,
                               .max_delay_ticks = delay_ticks});
  };
  connect(0, 2, 0.75, 2);   // reaches B in ticks 3, 4, 8 and 9
  connect(1, 2, 0.75, 2);   // and in 5 and 6, when B has just fired and hears nothing
  connect(0, 3, 0.5, 1);    // reaches C in 2, 3, 7 and 8
  connect(2, 3, 0.625, 1);  // in 5 and 10
  connect(3, 2, -0.25, 3);  // reaches B in 8 and 13
  network::SparseRuntime runtime(net);
  const double expected_b[] = {0, 0, .75, 0, 0, 0, 0, .5, 0, 0, 0, 0, -.25, -.125};
  const double expected_c[] = {0, .5, .75, .375, 0, 0, .5, .75, .375, 0, 0, 0, 0, 0};

  test::SparseSpikes spikes;
  for (int tick = 1; tick <= 14; ++tick) {
    for (const auto& spike : test::spikes_of(runtime, 1)) {
      if (spike.second >= 2) spikes.push_back(spike);
    }
    CHECK(runtime.membrane_mv(2) == expected_b[tick - 1]);
    CHECK(runtime.membrane_mv(3) == expected_c[tick - 1]);
  }

  // C reaches its threshold exactly, twice; so does B in tick 9.
  CHECK(spikes == test::SparseSpikes{{4, 2}, {5, 3}, {9, 2}, {10, 3}});
  // Arrivals count whether they are heard or not: 6 + 4 + 2 + 2.
  CHECK(runtime.counts().synaptic_events == 14);
}

TEST_CASE("sums that 16 bits cannot hold are held") {
  // Two arrivals of 20,000 units of 0.001 mV at once; the smaller weight makes the unit.
  network::SparseNetwork net{.dt_ms = 1.0};
  net.populations = {{.name = "in", .size = 2, .kind = SparsePopulation::Kind::given},
                     {.name = "out", .size = 1, .v_th_mv = 30.0}};
  net.populations[0].spikes = {{1, 0}, {1, 1}};
  for (const double weight_mv : {20.0, 0.001})
    net.projections.push_back(
        {.source = 0, .target = 1, .rule = SparseProjection::Rule::all_to_all, .weight_mv = weight_mv});
  network::SparseRuntime runtime(net);

  CHECK(test::spikes_of(runtime, 3) == test::SparseSpikes{{1, 0}, {1, 1}, {2, 2}});
}

TEST_CASE("the spikes are the same for any number of threads and any length of a run") {
  for (const double weight_std_mv : {0.0, 0.3}) {
    const network::SparseNetwork net = mixed_network(weight_std_mv);
    const test::ThreadCount one(1);
    network::SparseRuntime runtime(net);
    const test::SparseSpikes expected = test::spikes_of(runtime, 600);
    CHECK(expected.size() > 1000);
    CHECK(std::is_sorted(expected.begin(), expected.end()));

    for (const int threads : {2, 8}) {
      const test::ThreadCount several(threads);
      network::SparseRuntime other(net);
      test::SparseSpikes spikes = test::spikes_of(other, 251);
      for (const auto& spike : test::spikes_of(other, 349)) spikes.push_back(spike);
      CHECK(spikes == expected);
      CHECK(other.counts() == runtime.counts());
    }
  }
}

TEST_CASE("a neuron that is driven alone fires as often as its drive says") {
  // Arrivals of 25 mV each fire the neuron at once: with no refractory period it fires in every tick with an arrival.
  network::SparseNetwork net{.dt_ms = 1.0, .seed = 3};
  net.populations = {{.name = "n", .size = 500, .t_ref_ms = 0.0},
                     {.name = "p", .size = 500, .kind = SparsePopulation::Kind::poisson, .rate_hz = 300.0}};
  net.populations[0].drives = {{.rate_hz = 500.0, .weight_mv = 25.0}};
  network::SparseRuntime runtime(net);
  network::FiringStatistics statistics(net, 1);
  runtime.run(2000, [&](std::int64_t tick, std::span<const std::int32_t> fired) { statistics.add(tick, fired); });

  const auto summaries = statistics.summaries();
  // Five standard errors of a mean of 10^6 Bernoulli draws.
  const double p = -std::expm1(-0.5);
  CHECK(std::abs(summaries[0].rate_hz - 1000.0 * p) <= 5.0 * std::sqrt(p * (1.0 - p)));
  CHECK(std::abs(summaries[1].rate_hz - 300.0) <= 5.0 * std::sqrt(0.3 * 0.7));
  // Intervals are geometric: CV = sqrt(1 - p). Each neuron's estimate from some 790 of them is low by less than 1 %.
  CHECK(summaries[0].cv_isi == doctest::Approx(std::sqrt(1.0 - p)).epsilon(0.01));
  // Counts of independent neurons are binomial; five standard errors of a variance, sqrt(2/2000) of it.
  CHECK(std::abs(summaries[0].count_variance / (1.0 - p) - 1.0) <= 5.0 * std::sqrt(2.0 / 2000));
}

TEST_CASE("Brunel's network fires at the rate, and as irregularly, as in NEST") {
  // NEST 3.10, N = 10,000, g 5, eta 2: 35.61 to 35.75 Hz over seeds, CV of intervals .150, in the second after 0.2 s.
  const network::SparseNetwork net = test::brunel_network(2000, 5.0, 2.0);
  network::SparseRuntime runtime(net);
  network::FiringStatistics statistics(net, 2001);
  runtime.run(12000, [&](std::int64_t tick, std::span<const std::int32_t> fired) { statistics.add(tick, fired); });

  const auto summaries = statistics.summaries();
  CHECK(summaries[0].rate_hz == doctest::Approx(35.65).epsilon(0.03));
  CHECK(summaries[1].rate_hz == doctest::Approx(35.7).epsilon(0.03));
  CHECK(summaries[0].cv_isi == doctest::Approx(0.15).epsilon(0.05));
  CHECK(runtime.num_synapses() == 10'000'000);
  // 20,000 arrivals a second and neuron; five deviations.
  const double arrivals = 20000.0 * 1.2 * 10000;
  CHECK(std::abs(static_cast<double>(runtime.counts().drive_events) - arrivals) <= 5.0 * std::sqrt(arrivals));
}

TEST_CASE("a network that cannot be is refused in words") {
  network::SparseNetwork net = test::brunel_network(10, 5.0, 2.0);
  const auto message = [&]() -> std::string {
    try {
      network::SparseRuntime runtime(net);
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "";
  };

  CHECK(message().empty());
  net.projections[0].delay_ticks = 0;
  CHECK(message() == "[sparse network] projection 0: delays are one tick or longer");
  net = test::brunel_network(10, 5.0, 2.0);
  net.projections[1].indegree = 1000000000;
  CHECK(message() == "[sparse network] network: its synapses need 18.6 GiB, max_memory_gib is 16");
  net.projections[1].indegree = 41;
  net.projections[1].allow_multapses = false;
  CHECK(message() == "[sparse network] projection 1: excitatory has 40 sources for an indegree of 41");
}
