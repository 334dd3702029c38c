#pragma once

#include <cstdint>
#include <span>

#include "core/batch.hpp"
#include "core/tensor.hpp"

namespace synfire::learning {

/// How the output of a network over time becomes one score per class, and the scores a loss.
enum class LossKind : std::uint8_t {
  rate_cross_entropy,         ///< cross entropy of the mean over time
  softmax_sum_cross_entropy,  ///< of sum_t softmax(u_t): a softmax in every tick and one more over the sums
  max_cross_entropy,          ///< of the maximum over time; the gradient goes to the first tick that reaches it
  rate_mse                    ///< mean squared difference of the mean over time and the target
};

struct LossConfig {
  LossKind kind = LossKind::rate_cross_entropy;
  /// The target is 1 - label_smoothing on the label plus label_smoothing / K on every class.
  double label_smoothing = 0.0;
  /// Of a sample that ends before its batch, only its own ticks count: those of its input, and as many more as the
  /// network's output is longer than its input. Otherwise the padding takes part, as in most published code.
  bool mask_padding = false;
};

/// What the output of a network for B samples is compared with. All are [B] or, but for the labels, empty.
struct Targets {
  std::span<const std::int32_t> label{};
  std::span<const std::int32_t> mixed_label{};  ///< of samples that are a mixture of two classes
  std::span<const float> label_weight{};        ///< share of `label`; the rest is the mixed label's
  std::span<const std::int64_t> num_ticks{};    ///< of the input that are the sample's own; empty: all
  std::ptrdiff_t extra_ticks = 0;               ///< of the output that count besides them
};

/// What is asked of a network's output of `output_ticks` ticks for this batch; refers to the batch.
Targets targets_of(const LossConfig& config, const Batch& batch, std::ptrdiff_t output_ticks);

/// Loss of a batch of B samples, averaged over the batch, and its gradient.
///
///     rate     m = mean_t u_t           L = CE(m, y)           dL/du_t = (softmax(m) - y) / (T B)
///     softmax  m = sum_t softmax(u_t)   L = CE(m, y)           dL/du_t = p_t (g - <g, p_t>), g = (softmax(m) - y) / B
///     max      m = max_t u_t            L = CE(m, y)           dL/du_t = (softmax(m) - y) / B at the first argmax
///     mse      m = mean_t u_t           L = mean_k (m - y)^2   dL/du_t = 2 (m - y) / (T B K)
///
/// Scores and sums are in double and taken in a fixed order. T is the number of ticks of the sample that count; behind
/// them the gradient is 0. y is w on the label and 1 - w on the mixed label, then smoothed.
///
/// \param output  [T, B, K] rates, spikes or membranes of the last layer
/// \param scores  [B, K] receives m; its largest element is the prediction
/// \param grad    [T, B, K] receives dL/d(output); an empty view if no gradient is wanted
/// \return        L; 0 for an empty batch
/// \throws ShapeError  if the shapes do not fit, T or K is 0, a label is not in 0..K-1, a weight not in [0, 1], or the
///                     ticks that count not in 1..T
template <class Scalar>
double loss(const LossConfig& config, View<const Scalar> output, const Targets& targets, std::span<double> scores,
            View<Scalar> grad);

/// The class with the largest of the [K] scores of one sample; the first of equal ones. A NaN is never the largest.
std::int32_t predicted_class(std::span<const double> scores);

}  // namespace synfire::learning
