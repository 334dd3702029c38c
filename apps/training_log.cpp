#include "apps/training_log.hpp"

#include <cmath>
#include <cstdio>
#include <string_view>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "network/delays.hpp"

namespace synfire::apps {

namespace {

constexpr std::string_view kRatePrefix = "rate.";

std::vector<std::size_t> lif_nodes(const network::NetworkSpec& spec) {
  std::vector<std::size_t> nodes;
  for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
    if (std::holds_alternative<network::LifSpec>(spec.nodes[i].operation)) nodes.push_back(i);
  }
  return nodes;
}

std::string percent(double ratio) { return std::isnan(ratio) ? "-" : fmt::format("{:.1f} %", 100.0 * ratio); }

}  // namespace

std::vector<std::string> metric_names(const network::NetworkSpec& spec) {
  std::vector<std::string> names{"step",           "learning_rate",     "train_loss",
                                 "train_accuracy", "validation_loss",   "validation_accuracy",
                                 "seconds",        "samples_per_second"};
  if (network::has_learned_delays(spec)) {
    names.emplace_back("validation_accuracy_unrounded");
    names.emplace_back("bump_width");
  }
  for (const std::size_t i : lif_nodes(spec)) names.push_back(std::string(kRatePrefix) + spec.nodes[i].name);
  return names;
}

TrainingLog::TrainingLog(const std::filesystem::path& metrics, const network::NetworkSpec& spec, int num_epochs,
                         int first_epoch)
    : num_epochs_(num_epochs),
      learns_delays_(network::has_learned_delays(spec)),
      lif_nodes_(lif_nodes(spec)),
      metrics_(metrics, "epoch", metric_names(spec), first_epoch == 0 ? 0 : first_epoch + 1) {}

TrainingLog::~TrainingLog() = default;

void TrainingLog::on_step(const learning::StepReport& report) {
  if (!bar_) {
    Progress::Options options;
    options.total = report.num_batches;
    options.already_done = report.batch;
    options.unit = "batches";
    bar_ = std::make_unique<Progress>(fmt::format("epoch {}/{}", report.epoch + 1, num_epochs_), options);
    loss_average_ = report.loss;
  }
  loss_average_ += 0.1 * (report.loss - loss_average_);
  bar_->set_note(fmt::format("loss {:.4f}", loss_average_));
  bar_->advance();
}

void TrainingLog::on_validation_batch(std::int64_t, std::int64_t num_batches) {
  if (!validating_) {
    Progress::Options options;
    options.total = num_batches;
    options.unit = "batches";
    bar_ = std::make_unique<Progress>("validation", options);
    validating_ = true;
  }
  bar_->advance();
}

void TrainingLog::on_epoch(const learning::EpochReport& report) {
  bar_.reset();
  validating_ = false;
  const learning::EpochRecord& record = report.record;
  std::vector<double> values{
      static_cast<double>(record.step), record.learning_rate,       record.train_loss, record.train_accuracy,
      record.validation_loss,           record.validation_accuracy, report.seconds,    report.samples_per_second};
  if (learns_delays_) values.insert(values.end(), {record.validation_accuracy_unrounded, report.mean_bump_width});
  for (const std::size_t i : lif_nodes_) values.push_back(report.firing_rates[i]);
  metrics_.write(record.epoch + 1, values);
  const std::string unrounded = std::isnan(record.validation_accuracy_unrounded)
                                    ? ""
                                    : fmt::format(", {} unrounded", percent(record.validation_accuracy_unrounded));
  fmt::print(
      stderr,
      "epoch {:>3}/{}  train loss {:.4f}  accuracy {}   validation loss {}  accuracy {}{}{}   {:.0f} samples/s\n",
      record.epoch + 1, num_epochs_, record.train_loss, percent(record.train_accuracy),
      std::isnan(record.validation_loss) ? "-" : fmt::format("{:.4f}", record.validation_loss),
      percent(record.validation_accuracy), unrounded, report.is_best ? " (best)" : "", report.samples_per_second);
}

std::string epochs_json(const std::filesystem::path& metrics) {
  const MetricTable table = read_metrics(metrics);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::size_t r = 0; r < table.count.size(); ++r) {
    nlohmann::ordered_json row{{table.count_name, table.count[r]}};
    for (std::size_t c = 0; c < table.value_names.size(); ++c) {
      const std::string& name = table.value_names[c];
      if (name.starts_with(kRatePrefix)) {
        row["firing_rates"][name.substr(kRatePrefix.size())] = table.values[c][r];
      } else {
        row[name] = table.values[c][r];
      }
    }
    rows.push_back(row);
  }
  return rows.dump();
}

}  // namespace synfire::apps
