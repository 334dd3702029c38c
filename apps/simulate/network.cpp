#include <chrono>
#include <cmath>
#include <ctime>
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/simulate/network_spike_files.hpp"
#include "apps/text_table.hpp"
#include "core/interrupt.hpp"
#include "core/parallel.hpp"
#include "core/progress.hpp"
#include "network/sparse/firing_statistics.hpp"
#include "network/sparse/sparse_runtime.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

struct Simulation {
  std::string name;
  network::SparseNetwork network;
  double duration_ms = 0.0;
  double discard_ms = 0.0;

  std::int64_t ticks(double time_ms) const { return std::llround(time_ms / network.dt_ms); }
};

Simulation read_simulation(const std::string& file, const std::vector<std::string>& overrides) {
  const Config config = Config::load(file, overrides);
  const ConfigTable root = config.root();
  Simulation result;
  result.name = root.text("name");
  const auto seed = static_cast<std::uint64_t>(root.integer("seed", 0, 0));
  result.network = network::read_sparse_network(root.table("network"), seed);
  const ConfigTable table = root.table("simulation");
  result.duration_ms = table.number("duration_ms", {}, result.network.dt_ms, result.network.dt_ms * 4e9);
  result.discard_ms = table.number("discard_ms", 0.0, 0.0, result.duration_ms);
  root.finish();
  return result;
}

/// What a run came to.
struct Outcome {
  std::vector<network::FiringSummary> firing;
  network::SparseCounts counts;
  std::size_t synapses = 0, synapse_bytes = 0;
  double build_s = 0.0, wall_s = 0.0, cpu_s = 0.0;
  bool interrupted = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Outcome run(const Simulation& simulation, NetworkSpikeFiles* files) {
  constexpr std::int64_t kTicksAtOnce = 1000;
  Outcome outcome;
  auto start = std::chrono::steady_clock::now();
  network::SparseRuntime runtime(simulation.network);
  outcome.build_s = seconds_since(start);
  outcome.synapses = runtime.num_synapses();
  outcome.synapse_bytes = runtime.synapse_bytes();

  network::FiringStatistics statistics(simulation.network, simulation.ticks(simulation.discard_ms) + 1);
  const std::int64_t total = simulation.ticks(simulation.duration_ms);
  const InterruptGuard guard;
  Progress progress("simulate", {.total = total, .unit = "ticks"});
  const std::clock_t cpu_start = std::clock();
  start = std::chrono::steady_clock::now();
  while (runtime.now() < total && !interrupt_requested()) {
    const std::int64_t ticks = std::min(kTicksAtOnce, total - runtime.now());
    runtime.run(ticks, [&](std::int64_t tick, std::span<const std::int32_t> neurons) {
      statistics.add(tick, neurons);
      if (files != nullptr) files->add(tick, neurons);
    });
    progress.advance(ticks);
  }
  outcome.wall_s = seconds_since(start);
  outcome.cpu_s = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  outcome.interrupted = runtime.now() < total;
  outcome.firing = statistics.summaries();
  outcome.counts = runtime.counts();
  return outcome;
}

void print_json(const Simulation& simulation, const Outcome& outcome) {
  const auto number = [](double value) {
    return std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
  };
  nlohmann::ordered_json json = {{"name", simulation.name},
                                 {"neurons", simulation.network.num_neurons()},
                                 {"synapses", outcome.synapses},
                                 {"synapse_bytes", outcome.synapse_bytes},
                                 {"duration_ms", simulation.duration_ms},
                                 {"discard_ms", simulation.discard_ms},
                                 {"threads", num_threads()},
                                 {"build_s", outcome.build_s},
                                 {"wall_s", outcome.wall_s},
                                 {"cpu_s", outcome.cpu_s},
                                 {"spikes", outcome.counts.spikes},
                                 {"synaptic_events", outcome.counts.synaptic_events},
                                 {"drive_events", outcome.counts.drive_events},
                                 {"neuron_updates", outcome.counts.neuron_updates},
                                 {"populations", nlohmann::ordered_json::array()}};
  for (const network::FiringSummary& firing : outcome.firing) {
    json["populations"].push_back({{"name", firing.name},
                                   {"neurons", firing.neurons},
                                   {"spikes", firing.spikes},
                                   {"rate_hz", firing.rate_hz},
                                   {"cv_isi", number(firing.cv_isi)},
                                   {"count_variance_over_mean", number(firing.count_variance)}});
  }
  std::cout << json.dump(2) << '\n';
}

void print_text(const Simulation& simulation, const Outcome& outcome) {
  const auto number = [](double value, int digits) {
    return std::isnan(value) ? std::string("-") : fmt::format("{:.{}f}", value, digits);
  };
  TextTable table({"population", "neurons", "spikes", "rate Hz", "CV of intervals", "variance/mean per ms"});
  for (const network::FiringSummary& firing : outcome.firing) {
    table.add({firing.name, grouped(firing.neurons), grouped(static_cast<long long>(firing.spikes)),
               number(firing.rate_hz, 2), number(firing.cv_isi, 3), number(firing.count_variance, 1)});
  }
  const double model_s = 1e-3 * simulation.duration_ms;
  const auto events = static_cast<double>(outcome.counts.synaptic_events);
  std::cout << fmt::format("{}: {} neurons, {} synapses ({}), made in {:.2f} s\n", simulation.name,
                           grouped(simulation.network.num_neurons()), grouped(static_cast<long long>(outcome.synapses)),
                           byte_text(static_cast<double>(outcome.synapse_bytes)), outcome.build_s)
            << fmt::format("{} ms in ticks of {} ms; the first {} ms are not in the table\n\n{}\n",
                           simulation.duration_ms, simulation.network.dt_ms, simulation.discard_ms, table.text())
            << fmt::format(
                   "{:.3g} synaptic events and {:.3g} arrivals from outside in {:.2f} s ({:.2f} s of processor "
                   "time, {} threads)\n",
                   events, static_cast<double>(outcome.counts.drive_events), outcome.wall_s, outcome.cpu_s,
                   num_threads())
            << fmt::format("{:.0f} million synaptic events a second; {:.2f} s for a second of the network\n",
                           1e-6 * events / outcome.wall_s, outcome.wall_s / model_s);
}

}  // namespace

int simulate_network_command(const Arguments& args) {
  CommandLine line(
      "synfire simulate network", "CONFIG",
      "Runs a network of sparsely connected neurons, such as configs/brunel.toml, and prints how its "
      "populations fire\nand how fast it ran. With --out FOLDER the spikes go to spikes.h5 and spikes.csv.");
  line.options().add_options()("set", po::value<std::vector<std::string>>(),
                               "KEY=VALUE: overrides a key of the config; may be repeated")(
      "out", po::value<std::string>(), "folder of files")("json", "print JSON")(
      "threads", po::value<int>()->default_value(0), "worker threads (default: one per hardware thread)")(
      "quiet", "no progress display");
  line.positional("config", 1);
  if (!line.parse(args)) return kExitOk;
  set_num_threads(line.get<int>("threads"));
  if (line.has("quiet")) set_progress_style(ProgressStyle::quiet);

  const Simulation simulation = read_simulation(line.list("config").front(), line.list("set"));
  std::unique_ptr<NetworkSpikeFiles> files;
  if (line.has("out")) files = std::make_unique<NetworkSpikeFiles>(line.get<std::string>("out"), simulation.network);
  const Outcome outcome = run(simulation, files.get());
  if (outcome.interrupted) return kExitInterrupted;
  if (files) files->commit(simulation.ticks(simulation.duration_ms));
  line.has("json") ? print_json(simulation, outcome) : print_text(simulation, outcome);
  return kExitOk;
}

}  // namespace synfire::apps
