#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace synfire::learning {

struct Interval {
  double low = 0.0;
  double high = 1.0;
};

/// Wilson's score interval for a proportion of `count` in `total`; z = 1.96 holds 95 %. [0, 1] for total 0.
Interval wilson_interval(std::int64_t count, std::int64_t total, double z = 1.959963984540054);

struct Spread {
  double mean = 0.0;
  double deviation = 0.0;  ///< root of the sum of squares over n - 1; NaN for n = 1
};

/// Of one number or more. NaN for none.
Spread spread_of(std::span<const double> values);

/// How one class fared. A ratio with nothing below it is NaN.
struct ClassScore {
  std::int64_t num_samples = 0;    ///< samples of this class
  std::int64_t num_predicted = 0;  ///< samples taken for this class
  std::int64_t num_correct = 0;
  double recall = 0.0;     ///< num_correct / num_samples
  double precision = 0.0;  ///< num_correct / num_predicted
  double f1 = 0.0;         ///< 2 num_correct / (num_samples + num_predicted)
};

/// Counts of (true class, predicted class).
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int num_classes);

  /// \throws ShapeError if a class is not in 0..num_classes-1
  void add(std::int32_t label, std::int32_t prediction);
  void clear();

  int num_classes() const { return num_classes_; }
  std::int64_t count(int label, int prediction) const;
  std::int64_t total() const;
  std::int64_t correct() const;
  /// correct / total; NaN if nothing was added.
  double accuracy() const;
  std::vector<ClassScore> per_class() const;

 private:
  int num_classes_;
  std::vector<std::int64_t> counts_;  ///< [label, prediction]
};

}  // namespace synfire::learning
