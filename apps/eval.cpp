#include <iostream>

#include <fmt/format.h>

#include "apps/checkpoint_choice.hpp"
#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/confusion_text.hpp"
#include "apps/engines.hpp"
#include "apps/experiment.hpp"
#include "apps/run_folder.hpp"
#include "apps/run_report.hpp"
#include "core/atomic_file.hpp"
#include "core/config.hpp"
#include "core/parallel.hpp"
#include "core/progress.hpp"
#include "learning/checkpoint.hpp"
#include "learning/evaluate_rounded.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

BatchSource& chosen_split(Experiment& experiment, const std::string& split) {
  BatchSource* source = nullptr;
  if (split == "test") source = experiment.data.test.get();
  if (split == "validation") source = experiment.data.validation.get();
  if (source == nullptr) {
    throw UsageError(
        fmt::format("synfire eval: --split: expected test or validation, as far as the config of the run has "
                    "them, got \"{}\"",
                    split));
  }
  return *source;
}

}  // namespace

int eval_command(const Arguments& args) {
  CommandLine line(
      "synfire eval", "RUN",
      "Evaluates the network of a run: accuracy, a row per class, the confusion matrix. On the run's own test "
      "split\nthe result goes into its folder and its report, too.");
  line.options().add_options()("data", po::value<std::string>(),
                               "FOLDER of other recordings, in the layout of the run's test split")(
      "split", po::value<std::string>()->default_value("test"), "test or validation")(
      "checkpoint", po::value<std::string>()->default_value("", "chosen"),
      "best or last (default: what the config selects)")("engine", po::value<std::string>()->default_value("clocked"),
                                                         "clocked, or event: cost follows spikes")(
      "arithmetic", po::value<std::string>()->default_value("stepped"),
      "of the event engine: stepped, as trained, or lazy: silent ticks in closed form")(
      "verify", "compare the spikes of all engines instead")("json", "print JSON, with the prediction of every sample")(
      "threads", po::value<int>()->default_value(0), "worker threads (default: one per hardware thread)")(
      "quiet", "no progress display");
  line.positional("run", 1);
  if (!line.parse(args)) return kExitOk;
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
  const CheckpointChoice checkpoint =
      choose_checkpoint(run, experiment.learning.selection, line.get<std::string>("checkpoint"));
  const std::string split = line.get<std::string>("split");
  BatchSource& source = chosen_split(experiment, split);
  network::Network<float> network = network::build<float>(experiment.network, experiment.tick_shape(), experiment.seed);
  learning::check_classes(network, source);
  learning::read_checkpoint_weights(checkpoint.file, network);

  const std::string engine = line.get<std::string>("engine");
  if (engine != "clocked" && engine != "event") {
    throw UsageError(fmt::format("synfire eval: --engine: expected clocked or event, got \"{}\"", engine));
  }
  const network::EventArithmetic arithmetic = read_arithmetic("eval", line.get<std::string>("arithmetic"));
  if (line.has("verify")) return verify_engines(network, source, arithmetic);
  const learning::RoundedEvaluation evaluation =
      engine == "event" ? evaluate_events(network, source, experiment.learning.loss, arithmetic)
                        : evaluate_clocked(network, source, experiment.learning.loss);
  const EvaluationTitle title{source.class_names(), split, checkpoint.protocol};
  const std::string json = evaluation_json(evaluation, title);
  if (split == "test" && !line.has("data") && engine == "clocked") {
    write_file_atomically(run.evaluation(), json);
    write_run_report(run, experiment, network, &evaluation, title.protocol);
  }
  std::cout << (line.has("json") ? json : evaluation_text(evaluation, title));
  return kExitOk;
}

}  // namespace synfire::apps
