#pragma once

#include <cstdint>
#include <span>

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
};

/// Loss of a batch of B samples, averaged over the batch, and its gradient.
///
///     rate     m = mean_t u_t           L = CE(m, y)           dL/du_t = (softmax(m) - y) / (T B)
///     softmax  m = sum_t softmax(u_t)   L = CE(m, y)           dL/du_t = p_t (g - <g, p_t>), g = (softmax(m) - y) / B
///     max      m = max_t u_t            L = CE(m, y)           dL/du_t = (softmax(m) - y) / B at the first argmax
///     mse      m = mean_t u_t           L = mean_k (m - y)^2   dL/du_t = 2 (m - y) / (T B K)
///
/// Scores and sums are in double and taken in a fixed order.
///
/// \param output  [T, B, K] rates, spikes or membranes of the last layer
/// \param label   [B] class of each sample
/// \param scores  [B, K] receives m; its largest element is the prediction
/// \param grad    [T, B, K] receives dL/d(output); an empty view if no gradient is wanted
/// \return        L; 0 for an empty batch
/// \throws ShapeError  if the shapes do not fit, T or K is 0, or a label is not in 0..K-1
template <class Scalar>
double loss(const LossConfig& config, View<const Scalar> output, std::span<const std::int32_t> label,
            std::span<double> scores, View<Scalar> grad);

/// The class with the largest of the [K] scores of one sample; the first of equal ones. A NaN is never the largest.
std::int32_t predicted_class(std::span<const double> scores);

}  // namespace synfire::learning
