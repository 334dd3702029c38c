#include "learning/trainer.hpp"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "network/delays.hpp"

namespace synfire::learning {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

Trainer::Trainer(network::Network<float>& network, const LearningConfig& config, std::uint64_t seed,
                 std::filesystem::path folder, std::string config_text)
    : network_(network),
      config_(config),
      folder_(std::move(folder)),
      config_text_(std::move(config_text)),
      runtime_(network) {
  for (const OptimizerGroup& group : config_.groups) optimizers_.emplace_back(group.optimizer, network, group.kinds);
  progress_.seed = seed;
}

void Trainer::resume() {
  const std::filesystem::path file = last_checkpoint(folder_);
  const std::uint64_t seed = progress_.seed;
  progress_ = read_checkpoint(file, network_, optimizers_);
  if (progress_.seed != seed)
    throw FormatError(file.string(), fmt::format("is of a run with seed {}, not {}", progress_.seed, seed));
}

Outcome Trainer::run(BatchSource& train, BatchSource* validation, Observer& observer,
                     FunctionRef<bool()> stop_requested) {
  check_sources(train, validation);
  progress_.num_batches = train.num_batches();

  while (progress_.epoch < config_.epochs && !patience_is_spent()) {
    const Clock::time_point start = Clock::now();
    start_epoch();
    const std::int64_t samples_before = progress_.num_samples;
    bool completed = train_epoch(train, observer, stop_requested);
    EpochReport report;
    report.seconds = seconds_since(start);
    report.samples_per_second = static_cast<double>(progress_.num_samples - samples_before) / report.seconds;
    report.firing_rates = progress_.firing_rates;
    if (progress_.epoch < config_.delays.round_from_epoch) report.mean_bump_width = network::mean_bump_width(network_);

    std::optional<RoundedEvaluation> evaluation;
    const bool is_last = progress_.epoch + 1 == config_.epochs;
    if (completed && validation != nullptr && (is_last || (progress_.epoch + 1) % config_.validate_every == 0)) {
      evaluation = evaluate_rounded(runtime_, *validation, config_.loss, [&](std::int64_t done, std::int64_t all) {
        observer.on_validation_batch(done, all);
        return !stop_requested();
      });
      // A validation that is stopped is done again after a resume, unless its last batch was done.
      completed = evaluation->complete();
    }
    if (!completed) {
      save(last_checkpoint(folder_));
      return Outcome::interrupted;
    }

    const auto num_samples = static_cast<double>(progress_.num_samples);
    report.record = {
        .epoch = progress_.epoch,
        .step = progress_.step,
        .learning_rate = schedule_at(config_.groups.front().schedule, time_of(progress_.step - 1)).learning_rate,
        .train_loss = progress_.loss_sum / num_samples,
        .train_accuracy = static_cast<double>(progress_.num_correct) / num_samples};
    if (evaluation) {
      const Evaluation& rounded = evaluation->rounded;
      report.record.validation_loss = rounded.mean_loss;
      report.record.validation_accuracy = rounded.confusion.accuracy();
      report.record.validation_accuracy_unrounded = evaluation->unrounded_accuracy();
      report.validation = &rounded;
      report.is_best = update_best(rounded);
    }
    progress_.history.push_back(report.record);
    ++progress_.epoch;
    progress_.batches_done = 0;
    progress_.loss_sum = 0.0;
    progress_.num_correct = 0;
    progress_.num_samples = 0;
    // In this order: a run that is killed in between repeats the end of the epoch, writes the same best.h5 again and
    // reports the same epoch again.
    if (report.is_best) save(best_checkpoint(folder_));
    observer.on_epoch(report);
    save(last_checkpoint(folder_));
  }

  if (config_.selection != Selection::last) read_checkpoint_weights(best_checkpoint(folder_), network_);
  return progress_.epoch < config_.epochs ? Outcome::stopped_early : Outcome::finished;
}

void Trainer::start_epoch() {
  const bool rounded = progress_.epoch >= config_.delays.round_from_epoch;
  network::narrow_bumps(network_, narrowing_share(config_.delays, progress_.epoch), config_.delays.final_width);
  if (rounded) network::round_delays(network_);
  runtime_.use_rounded_delays(rounded);
}

void Trainer::check_sources(const BatchSource& train, const BatchSource* validation) const {
  check_classes(network_, train);
  if (validation != nullptr) check_classes(network_, *validation);
  if (validation == nullptr && config_.selection != Selection::last)
    throw Error(fmt::format("[train] learning.selection = \"{}\" needs {} data; without it, use \"last\"",
                            config_.selection == Selection::best_test ? "best_test" : "best_validation",
                            config_.selection == Selection::best_test ? "test" : "validation"));
  if (train.num_batches() == 0) throw Error("[train] the training data has no samples");
  if (progress_.num_batches != 0 && progress_.num_batches != train.num_batches())
    throw Error(fmt::format("[train] the run was begun with {} batches an epoch, the training data now has {}",
                            progress_.num_batches, train.num_batches()));
}

bool Trainer::train_epoch(BatchSource& train, Observer& observer, FunctionRef<bool()> stop_requested) {
  train.start_epoch(progress_.seed, progress_.epoch, progress_.batches_done);
  while (train.next(batch_)) {
    observer.on_step(train_step());
    // Before a validation overwrites them, and in the checkpoint: the epoch is reported alike after a resume.
    if (progress_.batches_done == progress_.num_batches) progress_.firing_rates = runtime_.firing_rates();
    if (stop_requested()) return false;
    if (config_.checkpoint_every_steps > 0 && progress_.step % config_.checkpoint_every_steps == 0)
      save(last_checkpoint(folder_));
  }
  if (progress_.batches_done != progress_.num_batches)
    throw Error(fmt::format("[train] the training data promised {} batches and gave {}", progress_.num_batches,
                            progress_.batches_done));
  return true;
}

StepReport Trainer::train_step() {
  const RunTime time = time_of(progress_.step);
  const double learning_rate = schedule_at(config_.groups.front().schedule, time).learning_rate;
  const View<const float> output = runtime_.forward(batch_.input.view(), network::Mode::train,
                                                    {progress_.seed, static_cast<std::uint32_t>(progress_.step)});

  const std::size_t num_samples = batch_.label.size();
  const std::size_t num_classes = static_cast<std::size_t>(output.shape.channels());
  scores_.resize(num_samples * num_classes);
  if (grad_output_.size() < output.size()) grad_output_ = Tensor<float>(output.shape);
  const View<float> grad{grad_output_.data(), output.shape};
  const double mean_loss =
      loss<float>(config_.loss, output, targets_of(config_.loss, batch_, output.shape[0]), scores_, grad);
  if (!std::isfinite(mean_loss)) fail_diverged("the loss", mean_loss, learning_rate);

  runtime_.backward(grad);
  const double norm = global_norm(runtime_.gradients());
  if (!std::isfinite(norm)) fail_diverged("the norm of the gradients", norm, learning_rate);
  if (config_.clip_norm > 0.0) clip_to_norm(runtime_.gradients(), norm, config_.clip_norm);
  for (std::size_t i = 0; i < optimizers_.size(); ++i) {
    if (progress_.epoch >= config_.groups[i].end_epoch) continue;
    const ScheduleValue at = schedule_at(config_.groups[i].schedule, time);
    optimizers_[i].step(runtime_.gradients(), at.learning_rate, at.momentum);
  }
  network::bring_within_bounds(network_);

  const StepReport report{.epoch = progress_.epoch,
                          .batch = progress_.batches_done,
                          .num_batches = progress_.num_batches,
                          .step = progress_.step,
                          .num_samples = static_cast<std::int64_t>(num_samples),
                          .loss = mean_loss,
                          .learning_rate = learning_rate,
                          .gradient_norm = norm};
  progress_.loss_sum += mean_loss * static_cast<double>(num_samples);
  for (std::size_t b = 0; b < num_samples; ++b) {
    const auto sample_scores = std::span(scores_).subspan(b * num_classes, num_classes);
    if (predicted_class(sample_scores) == batch_.label[b]) ++progress_.num_correct;
  }
  progress_.num_samples += report.num_samples;
  ++progress_.batches_done;
  ++progress_.step;
  return report;
}

bool Trainer::update_best(const Evaluation& validation) {
  const double accuracy = validation.confusion.accuracy();
  const bool better = progress_.best_epoch < 0 || accuracy > progress_.best_accuracy ||
                      (accuracy == progress_.best_accuracy && validation.mean_loss < progress_.best_loss);
  if (!better) return false;
  progress_.best_epoch = progress_.epoch;
  progress_.best_accuracy = accuracy;
  progress_.best_loss = validation.mean_loss;
  return true;
}

bool Trainer::patience_is_spent() const {
  return config_.early_stop_epochs > 0 && progress_.best_epoch >= 0 &&
         progress_.epoch - 1 - progress_.best_epoch >= config_.early_stop_epochs;
}

RunTime Trainer::time_of(std::int64_t step) const { return {step, progress_.num_batches, config_.epochs}; }

void Trainer::save(const std::filesystem::path& file) {
  write_checkpoint(file, config_text_, network_, optimizers_, progress_);
}

void Trainer::fail_diverged(const char* what, double value, double learning_rate) const {
  throw DivergedError(
      fmt::format("[train] {} is {} in step {} (epoch {}, learning rate {:.3g}); lower learning.learning_rate or set "
                  "learning.clip_norm. The last checkpoint is kept in {}",
                  what, value, progress_.step, progress_.epoch, learning_rate, folder_.string()));
}

}  // namespace synfire::learning
