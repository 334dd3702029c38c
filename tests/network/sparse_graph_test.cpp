#include <algorithm>
#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/sparse/lanes8.hpp"
#include "network/sparse/poisson_table.hpp"
#include "tests/network/sparse_networks.hpp"

using namespace synfire;
using network::SparseProjection;
using network::SparseSynapse;

namespace {

/// Two populations of 300 and 200 neurons, and one projection from the first to the second, or to itself.
network::SparseNetwork one_projection(SparseProjection projection) {
  network::SparseNetwork net{.seed = 5};
  net.populations = {{.name = "a", .size = 300}, {.name = "b", .size = 200}};
  projection.weight_mv = 1.0;
  net.projections = {projection};
  return net;
}

std::vector<SparseSynapse> synapses_of(const network::SparseNetwork& net) {
  std::vector<SparseSynapse> synapses = network::SparseRuntime(net).synapses();
  std::sort(synapses.begin(), synapses.end());
  return synapses;
}

std::vector<int> in_degrees(const std::vector<SparseSynapse>& synapses, std::size_t targets) {
  std::vector<int> degrees(targets, 0);
  for (const SparseSynapse& s : synapses) ++degrees[static_cast<std::size_t>(s.target)];
  return degrees;
}

bool has_double(std::vector<SparseSynapse> synapses) {
  const auto same = [](const SparseSynapse& a, const SparseSynapse& b) {
    return a.source == b.source && a.target == b.target;
  };
  return std::adjacent_find(synapses.begin(), synapses.end(), same) != synapses.end();
}

bool has_self(const std::vector<SparseSynapse>& synapses) {
  return std::any_of(synapses.begin(), synapses.end(), [](const SparseSynapse& s) { return s.source == s.target; });
}

}  // namespace

TEST_CASE("every target has the in-degree that was asked for") {
  const auto synapses = synapses_of(one_projection({.target = 1, .indegree = 60}));

  CHECK(in_degrees(synapses, 200) == std::vector<int>(200, 60));
  // 200 targets with 60 of 300 sources each: some are drawn twice, with a chance of 1 - exp(-60 59 / 600) each.
  CHECK(has_double(synapses));
  // Out-degrees are binomial with mean 40 and deviation below 6.4; 300 of them stay within six deviations.
  std::vector<int> out(300, 0);
  for (const SparseSynapse& s : synapses) ++out[static_cast<std::size_t>(s.source)];
  CHECK(*std::min_element(out.begin(), out.end()) > 40 - 39);
  CHECK(*std::max_element(out.begin(), out.end()) < 40 + 39);
}

TEST_CASE("without multapses and autapses the same in-degree comes from different neurons") {
  const auto synapses =
      synapses_of(one_projection({.target = 0, .indegree = 299, .allow_multapses = false, .allow_autapses = false}));

  CHECK(in_degrees(synapses, 300) == std::vector<int>(300, 299));
  CHECK_FALSE(has_double(synapses));
  CHECK_FALSE(has_self(synapses));
}

TEST_CASE("pairs are connected with the probability that was asked for, once") {
  SparseProjection projection{.target = 0, .rule = SparseProjection::Rule::pairwise_bernoulli, .probability = 0.2};
  const auto with_self = synapses_of(one_projection(projection));
  projection.allow_autapses = false;
  const auto without_self = synapses_of(one_projection(projection));

  // Five deviations of a binomial distribution of 90,000 pairs.
  const double deviation = std::sqrt(90000 * 0.2 * 0.8);
  CHECK(std::abs(static_cast<double>(with_self.size()) - 90000 * 0.2) <= 5.0 * deviation);
  CHECK(std::abs(static_cast<double>(without_self.size()) - 89700 * 0.2) <= 5.0 * deviation);
  CHECK_FALSE(has_double(with_self));
  CHECK(has_self(with_self));
  CHECK_FALSE(has_self(without_self));
  // The last sources are reached as often as the first.
  const auto late = std::count_if(with_self.begin(), with_self.end(), [](const auto& s) { return s.source >= 150; });
  CHECK(std::abs(static_cast<double>(late) - 45000 * 0.2) <= 5.0 * deviation / std::sqrt(2.0));
}

TEST_CASE("a probability of 0 connects nothing, of 1 everything") {
  SparseProjection projection{.target = 1, .rule = SparseProjection::Rule::pairwise_bernoulli, .probability = 0.0};

  CHECK(synapses_of(one_projection(projection)).empty());
  projection.probability = 1.0;
  CHECK(synapses_of(one_projection(projection)).size() == 300 * 200);
  projection.rule = SparseProjection::Rule::all_to_all;
  const auto all = synapses_of(one_projection(projection));
  CHECK(all.size() == 300 * 200);
  CHECK_FALSE(has_double(all));
}

TEST_CASE("one to one connects neurons of the same number") {
  const auto synapses = synapses_of(one_projection({.target = 0, .rule = SparseProjection::Rule::one_to_one}));

  CHECK(synapses.size() == 300);
  CHECK(std::all_of(synapses.begin(), synapses.end(), [](const auto& s) { return s.source == s.target; }));
}

TEST_CASE("delays are uniform over their range") {
  const auto synapses =
      synapses_of(one_projection({.target = 1, .indegree = 100, .delay_ticks = 3, .max_delay_ticks = 7}));

  std::map<int, int> counts;
  for (const SparseSynapse& s : synapses) ++counts[s.delay_ticks];
  CHECK(counts.size() == 5);
  CHECK(counts.begin()->first == 3);
  // Five deviations of a binomial distribution of 20,000 synapses with a chance of 1/5.
  for (const auto& [delay, count] : counts) CHECK(std::abs(count - 4000) <= 5.0 * std::sqrt(20000 * 0.16));
}

TEST_CASE("weights have the mean and the deviation that were asked for, dense rows or not") {
  for (const auto rule : {SparseProjection::Rule::all_to_all, SparseProjection::Rule::fixed_indegree}) {
    network::SparseNetwork net = one_projection({.target = 1, .rule = rule, .indegree = 200});
    net.projections[0].weight_mv = 0.5;
    net.projections[0].weight_std_mv = 0.25;
    const auto synapses = synapses_of(net);

    double sum = 0.0, squares = 0.0;
    for (const SparseSynapse& s : synapses) {
      sum += s.weight_mv;
      squares += (s.weight_mv - 0.5) * (s.weight_mv - 0.5);
    }
    const auto n = static_cast<double>(synapses.size());
    // Five standard errors of the mean, and of the variance: sqrt(2/n) of it.
    CHECK(std::abs(sum / n - 0.5) <= 5.0 * 0.25 / std::sqrt(n));
    CHECK(std::abs(squares / n - 0.0625) <= 5.0 * 0.0625 * std::sqrt(2.0 / n));
  }
}

TEST_CASE("the graph is the same for any number of threads") {
  network::SparseNetwork net = one_projection({.target = 1, .indegree = 50, .delay_ticks = 2, .max_delay_ticks = 9});
  net.projections.push_back({.source = 1,
                             .target = 0,
                             .rule = SparseProjection::Rule::pairwise_bernoulli,
                             .probability = 0.1,
                             .weight_mv = 1.0,
                             .weight_std_mv = 0.5});
  net.projections.push_back(
      {.source = 1, .target = 0, .rule = SparseProjection::Rule::all_to_all, .weight_mv = 1.0, .weight_std_mv = 0.5});
  const test::ThreadCount one(1);
  const auto expected = synapses_of(net);

  for (const int threads : {2, 8}) {
    const test::ThreadCount several(threads);
    CHECK(synapses_of(net) == expected);
  }
}

TEST_CASE("equal weights take two bytes a synapse") {
  const network::SparseRuntime runtime(test::brunel_network(500, 5.0, 2.0));

  CHECK(runtime.num_synapses() == 2500 * 250);
  // A row start for every source, worker and route, of which there are two.
  CHECK(runtime.synapse_bytes() <= 2 * runtime.num_synapses() + 4 * 2501 * 2 * static_cast<std::size_t>(num_threads()));
}

TEST_CASE("eight lanes draw the words of the random stream") {
  for (const std::uint32_t group : {0U, 7U, 0x1FFFFFFFU, 0x20000000U}) {
    std::array<network::UInt8, 4> words;
    network::draw_group(0x123456789ABCDEFULL, 3, 9, group, words);

    const RandomStream stream(0x123456789ABCDEFULL, 3, 9);
    bool same = true;
    for (std::uint32_t lane = 0; lane < 8; ++lane)
      for (std::size_t w = 0; w < 4; ++w) same = same && words[w][lane] == stream.words(group * 8ULL + lane)[w];
    CHECK(same);
  }
}

TEST_CASE("counts of arrivals have the Poisson distribution") {
  for (const double mean : {0.0, 0.3, 2.0, 9.0, 100.0}) {
    const network::PoissonTable table(mean);
    constexpr std::uint32_t kStep = 4096;
    std::vector<double> share(static_cast<std::size_t>(table.max_count()) + 1, 0.0);
    bool lanes_agree = true;
    for (std::uint64_t word = kStep / 2; word < (1ULL << 32U); word += kStep) {
      const auto w = static_cast<std::uint32_t>(word);
      share[static_cast<std::size_t>(table.count(w))] += kStep * 0x1p-32;
      if (word % 257 == 0) lanes_agree = lanes_agree && table.counts(network::UInt8{} + w)[3] == table.count(w);
    }

    CHECK(lanes_agree);
    // A column is off by less than a step at its one inner border; counts have at most all columns as aliases.
    const double bound = 512 * kStep * 0x1p-32;
    for (std::size_t k = 0; k < share.size(); ++k) {
      const auto n = static_cast<double>(k);
      const double expected = mean > 0.0 ? std::exp(n * std::log(mean) - mean - std::lgamma(n + 1.0)) : 1.0;
      CHECK(std::abs(share[k] - expected) <= bound);
    }
  }
}
