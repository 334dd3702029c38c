#include "apps/confusion_text.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/text_table.hpp"

namespace synfire::apps {

namespace {

using learning::ClassScore;
using learning::ConfusionMatrix;

std::string percent(double ratio) { return std::isnan(ratio) ? "-" : fmt::format("{:.1f} %", 100.0 * ratio); }

TextTable class_table(const ConfusionMatrix& confusion, const std::vector<std::string>& classes) {
  TextTable table({"class", "samples", "correct", "accuracy", "precision", "F1"});
  const std::vector<ClassScore> scores = confusion.per_class();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    table.add({classes[i], grouped(scores[i].num_samples), grouped(scores[i].num_correct), percent(scores[i].recall),
               percent(scores[i].precision), percent(scores[i].f1)});
  }
  return table;
}

TextTable confusion_table(const ConfusionMatrix& confusion, const std::vector<std::string>& classes) {
  std::vector<std::string> header{"true \\ predicted"};
  for (int i = 0; i < confusion.num_classes(); ++i) header.push_back(std::to_string(i + 1));
  TextTable table(header);
  for (int label = 0; label < confusion.num_classes(); ++label) {
    std::vector<std::string> row{fmt::format("{} {}", label + 1, classes[static_cast<std::size_t>(label)])};
    for (int guess = 0; guess < confusion.num_classes(); ++guess) {
      const std::int64_t count = confusion.count(label, guess);
      row.push_back(count == 0 ? "." : grouped(count));
    }
    table.add(row);
  }
  return table;
}

}  // namespace

std::string accuracy_text(const ConfusionMatrix& confusion) {
  const learning::Interval interval = learning::wilson_interval(confusion.correct(), confusion.total());
  return fmt::format("{} of {} correct: {} (95 % interval {:.1f} to {:.1f} %)", grouped(confusion.correct()),
                     grouped(confusion.total()), percent(confusion.accuracy()), 100.0 * interval.low,
                     100.0 * interval.high);
}

std::string evaluation_text(const learning::RoundedEvaluation& evaluation, const EvaluationTitle& title) {
  const ConfusionMatrix& confusion = evaluation.rounded.confusion;
  std::string text = fmt::format("{}\n{}\n{}\n", class_table(confusion, title.classes).text(),
                                 confusion_table(confusion, title.classes).text(), accuracy_text(confusion));
  if (evaluation.unrounded) {
    text += fmt::format("with delays on whole ticks; {} correct before rounding: {}\n",
                        grouped(evaluation.unrounded->confusion.correct()), percent(evaluation.unrounded_accuracy()));
  }
  return text + fmt::format("weights: {}\n", title.protocol);
}

std::string evaluation_json(const learning::RoundedEvaluation& evaluation, const EvaluationTitle& title) {
  const learning::Evaluation& rounded = evaluation.rounded;
  const ConfusionMatrix& confusion = rounded.confusion;
  const learning::Interval interval = learning::wilson_interval(confusion.correct(), confusion.total());
  nlohmann::ordered_json result = {
      {"split", title.split},       {"protocol", title.protocol},       {"correct", confusion.correct()},
      {"total", confusion.total()}, {"accuracy", confusion.accuracy()}, {"interval_95", {interval.low, interval.high}}};
  if (evaluation.unrounded) {
    result["correct_unrounded"] = evaluation.unrounded->confusion.correct();
    result["accuracy_unrounded"] = evaluation.unrounded_accuracy();
  }
  result["mean_loss"] = rounded.mean_loss;
  result["classes"] = title.classes;
  result["per_class"] = nlohmann::ordered_json::array();
  result["confusion"] = nlohmann::ordered_json::array();
  const std::vector<ClassScore> scores = confusion.per_class();
  for (int label = 0; label < confusion.num_classes(); ++label) {
    const auto& score = scores[static_cast<std::size_t>(label)];
    result["per_class"].push_back({{"class", title.classes[static_cast<std::size_t>(label)]},
                                   {"samples", score.num_samples},
                                   {"correct", score.num_correct},
                                   {"recall", score.recall},
                                   {"precision", score.precision},
                                   {"f1", score.f1}});
    std::vector<std::int64_t> row;
    for (int guess = 0; guess < confusion.num_classes(); ++guess) row.push_back(confusion.count(label, guess));
    result["confusion"].push_back(row);
  }
  for (std::size_t i = 0; i < rounded.index.size(); ++i) {
    result["predictions"].push_back(
        {{"sample", rounded.index[i]}, {"label", rounded.label[i]}, {"predicted", rounded.prediction[i]}});
  }
  return result.dump(2) + "\n";
}

}  // namespace synfire::apps
