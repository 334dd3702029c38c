#include "learning/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>

#include "core/error.hpp"

namespace synfire::learning {

namespace {

double ratio(std::int64_t count, std::int64_t total) {
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(count) / static_cast<double>(total);
}

}  // namespace

Interval wilson_interval(std::int64_t count, std::int64_t total, double z) {
  if (total == 0) return {};
  const auto n = static_cast<double>(total);
  const double p = static_cast<double>(count) / n;
  const double scale = 1.0 / (1.0 + z * z / n);
  const double center = scale * (p + z * z / (2.0 * n));
  const double half = scale * z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
  return {std::max(0.0, center - half), std::min(1.0, center + half)};
}

Spread spread_of(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, n > 1.0 ? std::sqrt(squares / (n - 1.0)) : std::numeric_limits<double>::quiet_NaN()};
}

ConfusionMatrix::ConfusionMatrix(int num_classes)
    : num_classes_(num_classes),
      counts_(static_cast<std::size_t>(num_classes) * static_cast<std::size_t>(num_classes)) {}

void ConfusionMatrix::add(std::int32_t label, std::int32_t prediction) {
  if (label < 0 || label >= num_classes_ || prediction < 0 || prediction >= num_classes_)
    throw ShapeError("[confusion] classes must be in 0.." + std::to_string(num_classes_ - 1) + ", got label " +
                     std::to_string(label) + " and prediction " + std::to_string(prediction));
  ++counts_[static_cast<std::size_t>(label) * static_cast<std::size_t>(num_classes_) +
            static_cast<std::size_t>(prediction)];
}

void ConfusionMatrix::clear() { std::fill(counts_.begin(), counts_.end(), 0); }

std::int64_t ConfusionMatrix::count(int label, int prediction) const {
  return counts_.at(static_cast<std::size_t>(label) * static_cast<std::size_t>(num_classes_) +
                    static_cast<std::size_t>(prediction));
}

std::int64_t ConfusionMatrix::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}); }

std::int64_t ConfusionMatrix::correct() const {
  std::int64_t sum = 0;
  for (int k = 0; k < num_classes_; ++k) sum += count(k, k);
  return sum;
}

double ConfusionMatrix::accuracy() const { return ratio(correct(), total()); }

std::vector<ClassScore> ConfusionMatrix::per_class() const {
  std::vector<ClassScore> scores(static_cast<std::size_t>(num_classes_));
  for (int label = 0; label < num_classes_; ++label) {
    for (int prediction = 0; prediction < num_classes_; ++prediction) {
      const std::int64_t n = count(label, prediction);
      scores[static_cast<std::size_t>(label)].num_samples += n;
      scores[static_cast<std::size_t>(prediction)].num_predicted += n;
      if (label == prediction) scores[static_cast<std::size_t>(label)].num_correct = n;
    }
  }
  for (ClassScore& score : scores) {
    score.recall = ratio(score.num_correct, score.num_samples);
    score.precision = ratio(score.num_correct, score.num_predicted);
    score.f1 = ratio(2 * score.num_correct, score.num_samples + score.num_predicted);
  }
  return scores;
}

}  // namespace synfire::learning
