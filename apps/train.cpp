#include <filesystem>
#include <iostream>
#include <optional>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/confusion_text.hpp"
#include "apps/experiment.hpp"
#include "apps/run_folder.hpp"
#include "apps/run_report.hpp"
#include "apps/training_log.hpp"
#include "core/atomic_file.hpp"
#include "core/interrupt.hpp"
#include "core/parallel.hpp"
#include "learning/trainer.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

void declare(CommandLine& line) {
  line.options().add_options()("set", po::value<std::vector<std::string>>(),
                               "KEY=VALUE: overrides a key of the config, such as learning.epochs=5; may be repeated")(
      "resume", po::value<std::string>(), "RUN: continues the run in this folder, with its own config")(
      "out", po::value<std::string>(), "folder of the run (default: runs/NAME-DATE-TIME)")(
      "threads", po::value<int>()->default_value(0), "worker threads (default: one per hardware thread)")(
      "quiet", "no progress display");
}

/// The test split is used once, with the weights that were selected on the validation split.
void finish(const RunFolder& run, Experiment& experiment, learning::Trainer& trainer) {
  std::optional<learning::Evaluation> evaluation;
  if (experiment.data.test) {
    evaluation = learning::evaluate(trainer.runtime(), *experiment.data.test, experiment.learning.loss,
                                    [](std::int64_t, std::int64_t) { return !interrupt_requested(); });
    const std::vector<std::string>& classes = experiment.data.test->class_names();
    write_file_atomically(run.evaluation(), evaluation_json(*evaluation, classes, "test"));
    std::cout << '\n' << evaluation_text(*evaluation, classes);
  }
  write_run_report(run, experiment, trainer.runtime().network(), evaluation ? &*evaluation : nullptr);
  std::cout << fmt::format("run:    {}\nreport: {}\n", run.folder().string(), run.report().string());
}

}  // namespace

int train_command(const Arguments& args) {
  CommandLine line(
      "synfire train", "[CONFIG]",
      "Trains the network of a config on its recordings and evaluates it on the test split. Ctrl-C saves and "
      "stops;\n--resume continues with the same bits as if nothing had happened.");
  declare(line);
  line.optional_positional("config");
  if (!line.parse(args)) return kExitOk;
  if (line.has("config") == line.has("resume")) {
    throw UsageError("synfire train: expected either a CONFIG to start a run or --resume RUN to continue one");
  }
  if (line.has("resume") && (line.has("set") || line.has("out"))) {
    throw UsageError(
        "synfire train: a resumed run keeps its config and folder; --set and --out do not go with --resume");
  }
  set_num_threads(line.get<int>("threads"));
  if (line.has("quiet")) set_progress_style(ProgressStyle::quiet);

  const bool resuming = line.has("resume");
  std::optional<RunFolder> run;
  if (resuming) run = RunFolder::open(line.get<std::string>("resume"));
  Experiment experiment =
      open_experiment(resuming ? run->config() : std::filesystem::path(line.list("config").front()), line.list("set"));
  network::Network<float> network = network::build<float>(experiment.network, experiment.tick_shape(), experiment.seed);
  learning::check_classes(network, *experiment.data.train);
  if (!resuming) {
    run = RunFolder::create(line.has("out") ? std::filesystem::path(line.get<std::string>("out"))
                                            : new_run_path(experiment.name));
    write_file_atomically(run->environment(), environment_json(describe_environment(experiment.seed)));
    write_file_atomically(run->config(), experiment.resolved);
  }

  learning::Trainer trainer(network, experiment.learning, experiment.seed, run->folder(), experiment.resolved);
  // A run that was killed before its first checkpoint starts again from the beginning, which is the same run.
  if (resuming && std::filesystem::exists(run->last())) trainer.resume();
  std::cerr << fmt::format("{}: {} training samples, {} validation, {} test; {} threads; seed {}; {}\n",
                           experiment.name, experiment.data.train->num_samples(),
                           experiment.data.validation ? experiment.data.validation->num_samples() : 0,
                           experiment.data.test ? experiment.data.test->num_samples() : 0, num_threads(),
                           experiment.seed, run->folder().string());
  learning::Outcome outcome{};
  {
    const InterruptGuard guard;
    TrainingLog log(run->metrics(), network.spec, experiment.learning.epochs, trainer.progress().epoch);
    outcome = trainer.run(*experiment.data.train, experiment.data.validation.get(), log,
                          [] { return interrupt_requested(); });
  }
  if (outcome == learning::Outcome::interrupted) {
    std::cerr << fmt::format("interrupted; continue with: synfire train --resume {}\n", run->folder().string());
    return kExitInterrupted;
  }
  finish(*run, experiment, trainer);
  return kExitOk;
}

}  // namespace synfire::apps
