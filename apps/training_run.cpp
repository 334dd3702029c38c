#include "apps/training_run.hpp"

#include <iostream>
#include <optional>

#include <fmt/format.h>

#include "apps/commands.hpp"
#include "apps/confusion_text.hpp"
#include "apps/run_report.hpp"
#include "apps/training_log.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/parallel.hpp"
#include "learning/trainer.hpp"

namespace synfire::apps {

namespace {

/// What is validated after each epoch: held-out training data, or the test split where that is the protocol.
BatchSource* validation_source(Experiment& experiment) {
  if (experiment.learning.selection != learning::Selection::best_test) return experiment.data.validation.get();
  if (experiment.data.validation) {
    throw Error(
        "[train] learning.selection = \"best_test\" validates on the test split and trains on all other data; it does "
        "not go with held-out data ([data] validation)");
  }
  return experiment.data.test.get();
}

/// The test split is used once, with the weights that were selected, unless the protocol has selected them on it.
void finish(const RunFolder& run, Experiment& experiment, learning::Trainer& trainer) {
  const std::string protocol = learning::selection_text(experiment.learning.selection);
  std::optional<learning::RoundedEvaluation> evaluation;
  if (experiment.data.test) {
    evaluation = learning::evaluate_rounded(trainer.runtime(), *experiment.data.test, experiment.learning.loss,
                                            [](std::int64_t, std::int64_t) { return !interrupt_requested(); });
    const EvaluationTitle title{experiment.data.test->class_names(), "test", protocol};
    write_file_atomically(run.evaluation(), evaluation_json(*evaluation, title));
    std::cout << '\n' << evaluation_text(*evaluation, title);
  }
  write_run_report(run, experiment, trainer.runtime().network(), evaluation ? &*evaluation : nullptr, protocol);
  std::cout << fmt::format("run:    {}\nreport: {}\n", run.folder().string(), run.report().string());
}

int train(const RunFolder& run, Experiment& experiment, network::Network<float>& network) {
  BatchSource* const validation = validation_source(experiment);
  learning::Trainer trainer(network, experiment.learning, experiment.seed, run.folder(), experiment.resolved);
  // A run that was killed before its first checkpoint starts again from the beginning, which is the same run.
  if (std::filesystem::exists(run.last())) trainer.resume();
  std::cerr << fmt::format("{}: {} training samples, {} validation, {} test; {} threads; seed {}; {}\n",
                           experiment.name, experiment.data.train->num_samples(),
                           validation != nullptr ? validation->num_samples() : 0,
                           experiment.data.test ? experiment.data.test->num_samples() : 0, num_threads(),
                           experiment.seed, run.folder().string());
  learning::Outcome outcome{};
  {
    const InterruptGuard guard;
    TrainingLog log(run.metrics(), network.spec, experiment.learning.epochs, trainer.progress().epoch);
    outcome = trainer.run(*experiment.data.train, validation, log, [] { return interrupt_requested(); });
  }
  if (outcome == learning::Outcome::interrupted) return kExitInterrupted;
  finish(run, experiment, trainer);
  return kExitOk;
}

network::Network<float> network_of(const Experiment& experiment) {
  auto network = network::build<float>(experiment.network, experiment.tick_shape(), experiment.seed);
  learning::check_classes(network, *experiment.data.train);
  return network;
}

}  // namespace

int start_training_run(Experiment experiment, const std::filesystem::path& folder) {
  network::Network<float> network = network_of(experiment);
  validation_source(experiment);
  const RunFolder run = RunFolder::create(folder);
  write_file_atomically(run.environment(), environment_json(describe_environment(experiment.seed)));
  write_file_atomically(run.config(), experiment.resolved);
  return train(run, experiment, network);
}

int resume_training_run(const RunFolder& run) {
  Experiment experiment = open_experiment(run.config(), {});
  network::Network<float> network = network_of(experiment);
  return train(run, experiment, network);
}

}  // namespace synfire::apps
