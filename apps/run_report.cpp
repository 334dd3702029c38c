#include "apps/run_report.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "apps/confusion_text.hpp"
#include "apps/energy_text.hpp"
#include "apps/model_table.hpp"
#include "apps/report/report.hpp"
#include "apps/training_log.hpp"
#include "core/atomic_file.hpp"
#include "core/metric_log.hpp"
#include "network/delays.hpp"

namespace synfire::apps {

namespace {

constexpr int kExamplesPerClass = 2;
constexpr std::size_t kMaxExamples = 24;

/// The first samples of each class, and what the network took them for.
std::vector<ReportExample> pick_examples(const datasets::Split& source, const learning::Evaluation& evaluation) {
  std::vector<ReportExample> examples;
  std::map<std::int32_t, int> taken;
  const std::vector<std::string>& classes = source.class_names();
  for (std::size_t i = 0; i < evaluation.index.size() && examples.size() < kMaxExamples; ++i) {
    if (taken[evaluation.label[i]]++ >= kExamplesPerClass) continue;
    examples.push_back({source.thumbnail_png(evaluation.index[i]),
                        classes[static_cast<std::size_t>(evaluation.label[i])],
                        classes[static_cast<std::size_t>(evaluation.prediction[i])]});
  }
  return examples;
}

void add_training_figures(const MetricTable& metrics, learning::Selection selection, ReportData& data) {
  if (metrics.count.empty()) return;
  const auto column = [&](const std::string& name) -> const std::vector<double>& {
    for (std::size_t c = 0; c < metrics.value_names.size(); ++c) {
      if (metrics.value_names[c] == name) return metrics.values[c];
    }
    throw Error("[report] the metrics have no column " + name);
  };
  double best = -1.0;
  for (const double accuracy : column("validation_accuracy")) {
    if (accuracy > best) best = accuracy;
  }
  const bool on_test = selection == learning::Selection::best_test;
  if (best >= 0.0) {
    data.figures.emplace_back(fmt::format("{:.1f} %", 100.0 * best),
                              on_test ? "highest test accuracy of an epoch" : "best validation accuracy");
  }
  data.figures.emplace_back(std::to_string(metrics.count.back()), "epochs");
  double seconds = 0.0;
  for (const double s : column("seconds")) seconds += s;
  data.figures.emplace_back(duration_text(seconds), "training time");
  data.figures.emplace_back(fmt::format("{:.0f}", column("samples_per_second").back()), "samples per second");
}

/// Delays per whole tick, as the network began and as it is now. The beginning is drawn again from the seed.
std::vector<DelayHistogram> delay_histograms(const Experiment& experiment, const network::Network<float>& network) {
  if (!network::has_learned_delays(network.spec)) return {};
  const auto start =
      network::delays_of(network::build<float>(experiment.network, experiment.tick_shape(), experiment.seed));
  const auto end = network::delays_of(network);
  const auto counted = [](const network::NodeDelays& node) {
    std::vector<long long> counts(static_cast<std::size_t>(node.max_delay) + 1);
    for (const float delay : node.delays)
      ++counts[static_cast<std::size_t>(std::clamp(std::lround(delay), 0L, long{node.max_delay}))];
    return counts;
  };
  std::vector<DelayHistogram> histograms;
  for (std::size_t i = 0; i < end.size(); ++i) {
    histograms.push_back({end[i].node, counted(start[i]), counted(end[i])});
  }
  return histograms;
}

}  // namespace

void write_run_report(const RunFolder& run, const Experiment& experiment, const network::Network<float>& network,
                      const learning::RoundedEvaluation* evaluation, const std::string& protocol) {
  ReportData data;
  data.title = experiment.name;
  data.subtitle = fmt::format("{} training samples, {} classes, {} ticks of {} ms",
                              experiment.data.train->num_samples(), experiment.data.train->class_names().size(),
                              experiment.data.train->sample_shape()[0], experiment.network.dt_ms);
  if (evaluation != nullptr) {
    const learning::ConfusionMatrix& confusion = evaluation->rounded.confusion;
    const learning::Interval interval = learning::wilson_interval(confusion.correct(), confusion.total());
    data.figures.emplace_back(
        fmt::format("{:.1f} %", 100.0 * confusion.accuracy()),
        fmt::format("test accuracy ({}): {} of {}, 95 % interval {:.1f} to {:.1f} %", protocol, confusion.correct(),
                    confusion.total(), 100.0 * interval.low, 100.0 * interval.high));
    if (evaluation->unrounded) {
      data.figures.emplace_back(fmt::format("{:.1f} %", 100.0 * evaluation->unrounded_accuracy()),
                                "test accuracy before delays are rounded to whole ticks");
    }
    data.split = "test";
    data.classes = experiment.data.test->class_names();
    for (int label = 0; label < confusion.num_classes(); ++label) {
      std::vector<long long> row;
      for (int guess = 0; guess < confusion.num_classes(); ++guess) row.push_back(confusion.count(label, guess));
      data.confusion.push_back(row);
    }
    data.examples = pick_examples(*experiment.data.test, evaluation->rounded);
  }
  data.delays = delay_histograms(experiment, network);
  add_training_figures(read_metrics(run.metrics()), experiment.learning.selection, data);
  data.epochs_json = epochs_json(run.metrics());
  data.layers = model_table(network, experiment.data.train->sample_shape()[0]).rows();
  if (std::filesystem::exists(run.energy())) {
    data.energy = energy_section(read_whole_file(run.energy()), run.energy().string());
  }
  data.config = experiment.resolved;
  data.environment = read_environment(run.environment());
  write_file_atomically(run.report(), report_html(data));
}

}  // namespace synfire::apps
