#include <iostream>

#include <fmt/format.h>

#include "apps/checkpoint_choice.hpp"
#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/energy_text.hpp"
#include "apps/engines.hpp"
#include "apps/experiment.hpp"
#include "apps/run_folder.hpp"
#include "apps/run_report.hpp"
#include "core/atomic_file.hpp"
#include "core/config.hpp"
#include "core/digest.hpp"
#include "core/energy_table.hpp"
#include "core/parallel.hpp"
#include "core/progress.hpp"
#include "learning/checkpoint.hpp"
#include "network/describe.hpp"
#include "network/ledger_json.hpp"
#include "network/ledger_plan.hpp"
#include "network/lemaire.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

/// After the model of [Lemaire2022], of the layers that it knows; none if it knows none.
std::optional<double> lemaire_pj(const network::Network<float>& network, const OpLedger& ledger) {
  const EnergyTable prices = open_energy_table("lemaire");
  const std::vector<int> first_nodes = network::plan_ledger(network).first_node;
  const std::vector<std::vector<int>> inputs = network::input_indices(network.spec);
  std::optional<double> sum;
  for (std::size_t i = 0; i < ledger.layers.size(); ++i) {
    const auto node = static_cast<std::size_t>(first_nodes[i]);
    const int source = inputs[node].front();
    const Shape& input = source < 0 ? network.input : network.node_shapes[static_cast<std::size_t>(source)];
    const auto layer =
        network::lemaire_layer(network.spec.nodes[node].operation, input, network.node_shapes[node], ledger.layers[i]);
    if (layer) sum = sum.value_or(0.0) + network::lemaire_energy(*layer, prices).total_pj();
  }
  return sum;
}

void check_engine(const std::string& engine) {
  if (engine == "clocked" || engine == "event") return;
  throw UsageError(fmt::format("synfire energy: --engine: expected clocked or event, got \"{}\"", engine));
}

}  // namespace

int energy_command(const Arguments& args) {
  CommandLine line("synfire energy", "RUN",
                   "Runs the test split of a run, counts every operation, and prices it: per layer, beside a dense "
                   "twin.\nOn the run's own test split the result goes into its folder and its report, too.");
  line.options().add_options()("data", po::value<std::string>(),
                               "FOLDER of other recordings, in the layout of the run's test split")(
      "engine", po::value<std::string>()->default_value("clocked"), "clocked or event")(
      "arithmetic", po::value<std::string>()->default_value("stepped"), "of the event engine: stepped or lazy")(
      "table", po::value<std::string>()->default_value(shipped_energy_tables().front()),
      "prices: a TOML file, or horowitz-45nm-fp32, lemaire, papers")(
      "json", "print the ledger and its energies as JSON")("csv", "print the counts as CSV, a line a layer")(
      "threads", po::value<int>()->default_value(0), "worker threads (default: one per hardware thread)")(
      "quiet", "no progress display");
  line.positional("run", 1);
  if (!line.parse(args)) return kExitOk;
  if (line.has("json") && line.has("csv")) throw UsageError("synfire energy: --json and --csv: expected one of them");
  check_engine(line.get<std::string>("engine"));
  const network::EventArithmetic arithmetic = read_arithmetic("energy", line.get<std::string>("arithmetic"));
  const EnergyTable table = open_energy_table(line.get<std::string>("table"));
  set_num_threads(line.get<int>("threads"));
  if (line.has("quiet")) set_progress_style(ProgressStyle::quiet);

  const RunFolder run = RunFolder::open(line.list("run").front());
  std::vector<std::string> overrides;
  if (line.has("data")) {
    const std::string kind = Config::load(run.config()).root().table("data").text("kind");
    overrides.push_back(
        fmt::format("data.{}=\"{}\"", kind == "dvs_gesture" ? "folder" : "test", line.get<std::string>("data")));
  }
  Experiment experiment = open_experiment(run.config(), overrides);
  if (!experiment.data.test) throw UsageError("synfire energy: the config of the run has no test split");
  BatchSource& source = *experiment.data.test;
  const CheckpointChoice checkpoint = choose_checkpoint(run, experiment.learning.selection, "");
  network::Network<float> network = network::build<float>(experiment.network, experiment.tick_shape(), experiment.seed);
  learning::check_classes(network, source);
  learning::read_checkpoint_weights(checkpoint.file, network);

  OpLedger ledger;
  const bool by_events = line.get<std::string>("engine") == "event";
  const learning::RoundedEvaluation evaluation =
      by_events ? count_by_events(network, source, experiment.learning.loss, arithmetic, ledger)
                : count_clocked(network, source, experiment.learning.loss, ledger);
  const network::LedgerTitle title{experiment.name, sha256(experiment.resolved), source.batch_size(),
                                   experiment.network.dt_ms, lemaire_pj(network, ledger)};
  const std::string json = network::ledger_json(ledger, title, table, network::energy_report(ledger, table));
  if (!line.has("data")) {
    write_file_atomically(run.energy(), json);
    // The evaluation of the report is the one in time steps, on whole ticks and before.
    if (!by_events) write_run_report(run, experiment, network, &evaluation, checkpoint.protocol);
  }
  if (line.has("json")) {
    std::cout << json;
  } else if (line.has("csv")) {
    std::cout << ledger_csv(ledger);
  } else {
    std::cout << energy_text(energy_section(json, run.energy().string()));
  }
  return kExitOk;
}

}  // namespace synfire::apps
