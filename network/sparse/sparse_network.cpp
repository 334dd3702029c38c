#include "network/sparse/sparse_network.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace synfire::network {

namespace {

constexpr double kFar = 1e9;
constexpr std::int64_t kMostNeurons = std::int64_t{1} << 30U;

void expect(bool good, const std::string& who, const std::string& problem) {
  if (!good) throw ShapeError(fmt::format("[sparse network] {}: {}", who, problem));
}

/// A time in ticks. \throws ConfigError if it is not a whole number of them
int whole_ticks(const ConfigTable& table, const std::string& key, double time_ms, double dt_ms) {
  const double ticks = time_ms / dt_ms;
  // A decimal fraction divided by another one is off by some rounding.
  if (std::abs(ticks - std::round(ticks)) > 1e-6 * std::max(1.0, ticks) || ticks > 1e6)
    table.fail(key, fmt::format("must be a whole number of ticks of {} ms, at most 1000000, is {} ms", dt_ms, time_ms));
  return static_cast<int>(std::lround(ticks));
}

void read_lif(const ConfigTable& table, SparsePopulation& lif) {
  const auto read = [&](const char* key, double& value, double at_least) {
    value = table.number(key, value, at_least, kFar);
  };
  read("tau_mem_ms", lif.tau_mem_ms, 1e-6);
  read("v_th_mv", lif.v_th_mv, -kFar);
  read("v_rest_mv", lif.v_rest_mv, -kFar);
  read("v_reset_mv", lif.v_reset_mv, -kFar);
  read("v_start_mv", lif.v_start_mv, -kFar);
  read("t_ref_ms", lif.t_ref_ms, 0.0);
  read("current_mv", lif.current_mv, -kFar);
}

SparsePopulation read_population(const ConfigTable& table, const SparsePopulation& defaults, double dt_ms) {
  SparsePopulation population = defaults;
  population.name = table.text("name");
  // Names become those of groups and columns in files of spikes.
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
  if (population.name.empty() || !std::all_of(population.name.begin(), population.name.end(), plain))
    table.fail("name", fmt::format("must be made of letters, digits, _ and -, is \"{}\"", population.name));
  population.size = static_cast<std::int32_t>(table.integer("size", {}, 1, kMostNeurons));
  if (table.choice("type", {"lif", "poisson"}, "lif") == "poisson") {
    population.kind = SparsePopulation::Kind::poisson;
    population.rate_hz = table.number("rate_hz", {}, 0.0, 1000.0 / dt_ms);
    return population;
  }
  read_lif(table, population);
  if (population.v_reset_mv >= population.v_th_mv || population.v_start_mv >= population.v_th_mv)
    table.fail("v_th_mv", "must be above v_reset_mv and v_start_mv");
  whole_ticks(table, "t_ref_ms", population.t_ref_ms, dt_ms);
  for (const ConfigTable& drive : table.tables("poisson")) {
    population.drives.push_back({drive.number("rate_hz", {}, 0.0, kFar), drive.number("weight_mv", {}, -kFar, kFar)});
  }
  return population;
}

void read_delay(const ConfigTable& table, double dt_ms, SparseProjection& projection) {
  const std::vector<double> delays = table.numbers("delay_ms");
  if (delays.empty() || delays.size() > 2) table.fail("delay_ms", "must be [delay] or [lowest, highest]");
  projection.delay_ticks = whole_ticks(table, "delay_ms", delays.front(), dt_ms);
  projection.max_delay_ticks = whole_ticks(table, "delay_ms", delays.back(), dt_ms);
  if (projection.delay_ticks < 1 || projection.max_delay_ticks < projection.delay_ticks)
    table.fail("delay_ms", "must be at least one tick, and the highest not below the lowest");
}

void read_projections(const ConfigTable& table, SparseNetwork& network) {
  using Rule = SparseProjection::Rule;
  std::vector<std::string> names;
  for (const SparsePopulation& population : network.populations) names.push_back(population.name);
  const auto index_of = [&](const std::string& key, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) table.fail(key, fmt::format("there is no population \"{}\"", name));
    return static_cast<int>(found - names.begin());
  };
  SparseProjection projection;
  projection.source = index_of("source", table.choice("source", names));
  const std::string rule = table.choice("rule", {"fixed_indegree", "pairwise_bernoulli", "one_to_one", "all_to_all"});
  if (rule == "fixed_indegree") {
    projection.indegree = static_cast<std::int32_t>(table.integer("indegree", {}, 0, kMostNeurons));
    projection.allow_multapses = table.flag("allow_multapses", true);
  } else if (rule == "pairwise_bernoulli") {
    projection.rule = Rule::pairwise_bernoulli;
    projection.probability = table.number("probability", {}, 0.0, 1.0);
  } else {
    projection.rule = rule == "one_to_one" ? Rule::one_to_one : Rule::all_to_all;
  }
  projection.allow_autapses = table.flag("allow_autapses", true);
  projection.weight_mv = table.number("weight_mv", {}, -kFar, kFar);
  projection.weight_std_mv = table.number("weight_std_mv", 0.0, 0.0, kFar);
  read_delay(table, network.dt_ms, projection);
  for (const std::string& target : table.texts("targets")) {
    projection.target = index_of("targets", target);
    network.projections.push_back(projection);
  }
}

}  // namespace

void SparseNetwork::check() const {
  expect(dt_ms > 0.0 && !populations.empty(), "network", "needs dt_ms > 0 and a population");
  expect(num_neurons() <= kMostNeurons, "network", fmt::format("has more than {} neurons", kMostNeurons));
  for (const SparsePopulation& p : populations) {
    expect(p.size > 0, p.name, "size must be positive");
    if (p.kind == SparsePopulation::Kind::poisson)
      expect(p.rate_hz >= 0.0 && p.rate_hz * dt_ms <= 1000.0, p.name, "fires at most once in a tick");
    if (p.kind != SparsePopulation::Kind::lif) continue;
    expect(p.tau_mem_ms > 0.0 && p.t_ref_ms >= 0.0, p.name, "needs tau_mem_ms > 0 and t_ref_ms >= 0");
    expect(p.v_reset_mv < p.v_th_mv && p.v_start_mv < p.v_th_mv, p.name, "v_th must be above v_reset and v_start");
    for (const PoissonDrive& drive : p.drives)
      expect(drive.rate_hz >= 0.0 && drive.rate_hz * dt_ms <= 1e6, p.name, "at most 1000 arrivals in a tick");
  }
  double synapses = 0.0;
  for (std::size_t i = 0; i < projections.size(); ++i) {
    const SparseProjection& p = projections[i];
    const std::string who = fmt::format("projection {}", i);
    const auto exists = [&](int at) { return at >= 0 && at < static_cast<int>(populations.size()); };
    expect(exists(p.source) && exists(p.target), who, "there is no such population");
    const SparsePopulation& source = populations[static_cast<std::size_t>(p.source)];
    const SparsePopulation& target = populations[static_cast<std::size_t>(p.target)];
    expect(target.kind == SparsePopulation::Kind::lif, who, fmt::format("{} takes no inputs", target.name));
    expect(p.delay_ticks >= 1 && p.max_delay_ticks >= p.delay_ticks, who, "delays are one tick or longer");
    expect(p.rule != SparseProjection::Rule::one_to_one || source.size == target.size, who,
           fmt::format("one_to_one needs equal sizes, got {} and {}", source.size, target.size));
    const std::int32_t sources = source.size - (p.allow_autapses || p.source != p.target ? 0 : 1);
    if (p.rule == SparseProjection::Rule::fixed_indegree)
      expect(p.indegree == 0 || (sources > 0 && (p.allow_multapses || p.indegree <= sources)), who,
             fmt::format("{} has {} sources for an indegree of {}", source.name, sources, p.indegree));
    synapses += expected_synapses(p) * (p.weight_std_mv > 0.0 ? 4.0 : 2.0);
  }
  expect(synapses <= max_memory_gib * 0x1p30, "network",
         fmt::format("its synapses need {:.1f} GiB, max_memory_gib is {}", synapses / 0x1p30, max_memory_gib));
}

std::int64_t SparseNetwork::num_neurons() const {
  std::int64_t sum = 0;
  for (const SparsePopulation& population : populations) sum += population.size;
  return sum;
}

double SparseNetwork::expected_synapses(const SparseProjection& projection) const {
  const double sources = populations[static_cast<std::size_t>(projection.source)].size;
  const double targets = populations[static_cast<std::size_t>(projection.target)].size;
  switch (projection.rule) {
    case SparseProjection::Rule::fixed_indegree:
      return targets * projection.indegree;
    case SparseProjection::Rule::pairwise_bernoulli:
      return targets * sources * projection.probability;
    case SparseProjection::Rule::one_to_one:
      return targets;
    default:
      return targets * sources;
  }
}

SparseNetwork read_sparse_network(const ConfigTable& table, std::uint64_t seed) {
  SparseNetwork network;
  network.seed = seed;
  network.dt_ms = table.number("dt_ms", {}, 1e-6, 1e3);
  network.max_memory_gib = table.number("max_memory_gib", network.max_memory_gib, 0.0, 1e6);
  SparsePopulation defaults;
  read_lif(table.table("lif"), defaults);
  for (const ConfigTable& population : table.tables("populations")) {
    network.populations.push_back(read_population(population, defaults, network.dt_ms));
    const std::string& name = network.populations.back().name;
    const auto same = [&](const SparsePopulation& other) { return other.name == name; };
    if (std::count_if(network.populations.begin(), network.populations.end(), same) > 1)
      population.fail("name", fmt::format("two populations are called \"{}\"", name));
  }
  if (network.populations.empty()) table.fail("populations", "must have at least one population");
  for (const ConfigTable& projection : table.tables("projections")) read_projections(projection, network);
  network.check();
  return network;
}

}  // namespace synfire::network
