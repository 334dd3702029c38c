#include <filesystem>
#include <iostream>
#include <utility>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/experiment.hpp"
#include "apps/run_folder.hpp"
#include "apps/seed_runs.hpp"
#include "apps/training_run.hpp"
#include "core/parallel.hpp"
#include "core/progress.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

constexpr int kMostSeeds = 1000;

void declare(CommandLine& line) {
  line.options().add_options()("set", po::value<std::vector<std::string>>(),
                               "KEY=VALUE: overrides a key of the config, such as learning.epochs=5; may be repeated")(
      "resume", po::value<std::string>(), "RUN: continues the run in this folder, with its own config")(
      "seeds", po::value<int>(),
      "N: as many runs, with the seed of the config and those after it, and a table of what they came to")(
      "out", po::value<std::string>(), "folder of the run (default: runs/NAME-DATE-TIME)")(
      "threads", po::value<int>()->default_value(0), "worker threads (default: one per hardware thread)")(
      "quiet", "no progress display");
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
  if (line.has("resume") && (line.has("set") || line.has("out") || line.has("seeds"))) {
    throw UsageError(
        "synfire train: a resumed run keeps its config, seeds and folder; --set, --seeds and --out do not go with "
        "--resume");
  }
  if (line.has("seeds") && (line.get<int>("seeds") < 1 || line.get<int>("seeds") > kMostSeeds)) {
    throw UsageError(
        fmt::format("synfire train: --seeds: expected 1 to {}, got {}", kMostSeeds, line.get<int>("seeds")));
  }
  set_num_threads(line.get<int>("threads"));
  if (line.has("quiet")) set_progress_style(ProgressStyle::quiet);

  int exit_code = kExitOk;
  std::filesystem::path folder;
  if (line.has("resume")) {
    folder = line.get<std::string>("resume");
    const RunFolder run = RunFolder::open(folder);
    exit_code = std::filesystem::exists(run.seeds()) ? resume_seed_runs(run) : resume_training_run(run);
  } else {
    Experiment experiment = open_experiment(line.list("config").front(), line.list("set"));
    folder = line.has("out") ? std::filesystem::path(line.get<std::string>("out")) : new_run_path(experiment.name);
    exit_code = line.has("seeds") ? start_seed_runs(std::move(experiment), line.get<int>("seeds"), folder)
                                  : start_training_run(std::move(experiment), folder);
  }
  if (exit_code == kExitInterrupted) {
    std::cerr << fmt::format("interrupted; continue with: synfire train --resume {}\n", folder.string());
  }
  return exit_code;
}

}  // namespace synfire::apps
