#include "learning/losses.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "core/error.hpp"

namespace synfire::learning {

namespace {

template <class Value>
double log_sum_exp(const Value* values, std::ptrdiff_t count) {
  const double largest = static_cast<double>(*std::max_element(values, values + count));
  double sum = 0.0;
  for (std::ptrdiff_t k = 0; k < count; ++k) sum += std::exp(static_cast<double>(values[k]) - largest);
  return largest + std::log(sum);
}

/// Where one sample of a [T, B, K] block lies: tick t starts `stride` elements after tick t - 1.
template <class Scalar>
struct Sample {
  const Scalar* output;
  Scalar* grad;  ///< null if no gradient is wanted
  std::ptrdiff_t num_ticks, stride, num_classes;
};

template <class Scalar>
void pool_over_time(LossKind kind, const Sample<Scalar>& sample, double* scores) {
  const std::ptrdiff_t num_classes = sample.num_classes;
  std::fill(scores, scores + num_classes, kind == LossKind::max_cross_entropy ? -HUGE_VAL : 0.0);
  for (std::ptrdiff_t t = 0; t < sample.num_ticks; ++t) {
    const Scalar* u = sample.output + t * sample.stride;
    if (kind == LossKind::max_cross_entropy) {
      for (std::ptrdiff_t k = 0; k < num_classes; ++k) {
        const auto value = static_cast<double>(u[k]);
        if (value > scores[k] || std::isnan(value)) scores[k] = value;
      }
    } else if (kind == LossKind::softmax_sum_cross_entropy) {
      const double norm = log_sum_exp(u, num_classes);
      for (std::ptrdiff_t k = 0; k < num_classes; ++k) scores[k] += std::exp(static_cast<double>(u[k]) - norm);
    } else {
      for (std::ptrdiff_t k = 0; k < num_classes; ++k) scores[k] += static_cast<double>(u[k]);
    }
  }
  if (kind == LossKind::rate_cross_entropy || kind == LossKind::rate_mse) {
    for (std::ptrdiff_t k = 0; k < num_classes; ++k) scores[k] /= static_cast<double>(sample.num_ticks);
  }
}

struct Target {
  double on_label, on_mixed, elsewhere;
  std::int32_t label, mixed;

  double operator()(std::ptrdiff_t k) const {
    return (k == label ? on_label : 0.0) + (k == mixed ? on_mixed : 0.0) + elsewhere;
  }
};

/// Of one sample, not yet divided by the size of the batch.
double loss_of_scores(LossKind kind, const double* scores, std::ptrdiff_t num_classes, const Target& target) {
  double sum = 0.0;
  if (kind == LossKind::rate_mse) {
    for (std::ptrdiff_t k = 0; k < num_classes; ++k) sum += (scores[k] - target(k)) * (scores[k] - target(k));
    return sum / static_cast<double>(num_classes);
  }
  const double norm = log_sum_exp(scores, num_classes);
  for (std::ptrdiff_t k = 0; k < num_classes; ++k) sum += target(k) * (norm - scores[k]);
  return sum;
}

template <class Scalar>
void back_through_time(LossKind kind, const Sample<Scalar>& sample, const double* scores, const Target& target,
                       double batch) {
  const std::ptrdiff_t num_classes = sample.num_classes;
  const double ticks = static_cast<double>(sample.num_ticks);
  const double score_norm = kind == LossKind::rate_mse ? 0.0 : log_sum_exp(scores, num_classes);
  // dL/d(score k).
  const auto slope = [&](std::ptrdiff_t k) {
    if (kind == LossKind::rate_mse) return 2.0 * (scores[k] - target(k)) / (batch * static_cast<double>(num_classes));
    return (std::exp(scores[k] - score_norm) - target(k)) / batch;
  };

  if (kind == LossKind::max_cross_entropy) {
    for (std::ptrdiff_t k = 0; k < num_classes; ++k) {
      bool reached = false;
      for (std::ptrdiff_t t = 0; t < sample.num_ticks; ++t) {
        const bool here = !reached && static_cast<double>(sample.output[t * sample.stride + k]) == scores[k];
        sample.grad[t * sample.stride + k] = here ? static_cast<Scalar>(slope(k)) : Scalar{0};
        reached = reached || here;
      }
    }
  } else if (kind == LossKind::softmax_sum_cross_entropy) {
    for (std::ptrdiff_t t = 0; t < sample.num_ticks; ++t) {
      const Scalar* u = sample.output + t * sample.stride;
      const double norm = log_sum_exp(u, num_classes);
      double mean_slope = 0.0;
      for (std::ptrdiff_t k = 0; k < num_classes; ++k)
        mean_slope += std::exp(static_cast<double>(u[k]) - norm) * slope(k);
      for (std::ptrdiff_t k = 0; k < num_classes; ++k) {
        const double p = std::exp(static_cast<double>(u[k]) - norm);
        sample.grad[t * sample.stride + k] = static_cast<Scalar>(p * (slope(k) - mean_slope));
      }
    }
  } else {
    for (std::ptrdiff_t k = 0; k < num_classes; ++k) {
      const auto each = static_cast<Scalar>(slope(k) / ticks);
      for (std::ptrdiff_t t = 0; t < sample.num_ticks; ++t) sample.grad[t * sample.stride + k] = each;
    }
  }
}

/// Of the batch, whose shapes have been checked.
void check_classes(const Targets& targets, std::ptrdiff_t num_classes) {
  for (const std::span<const std::int32_t> labels : {targets.label, targets.mixed_label}) {
    for (std::size_t b = 0; b < labels.size(); ++b) {
      if (labels[b] < 0 || labels[b] >= num_classes)
        throw ShapeError("[loss] label of sample " + std::to_string(b) + " must be in 0.." +
                         std::to_string(num_classes - 1) + ", got " + std::to_string(labels[b]));
    }
  }
  for (std::size_t b = 0; b < targets.label_weight.size(); ++b) {
    if (!(targets.label_weight[b] >= 0.0F && targets.label_weight[b] <= 1.0F))
      throw ShapeError("[loss] the weight of the label of sample " + std::to_string(b) + " must be in [0, 1], is " +
                       std::to_string(targets.label_weight[b]));
  }
}

Target target_of(const Targets& targets, std::size_t b, double smoothing, std::ptrdiff_t num_classes) {
  const double weight = targets.label_weight.empty() ? 1.0 : static_cast<double>(targets.label_weight[b]);
  return {(1.0 - smoothing) * weight, (1.0 - smoothing) * (1.0 - weight), smoothing / static_cast<double>(num_classes),
          targets.label[b], targets.mixed_label.empty() ? -1 : targets.mixed_label[b]};
}

/// Ticks of the output that count for a sample.
std::ptrdiff_t ticks_of(const Targets& targets, std::size_t b, std::ptrdiff_t output_ticks) {
  if (targets.num_ticks.empty()) return output_ticks;
  const std::ptrdiff_t ticks = targets.num_ticks[b] + targets.extra_ticks;
  if (ticks < 1 || ticks > output_ticks)
    throw ShapeError("[loss] sample " + std::to_string(b) + " must have 1 to " + std::to_string(output_ticks) +
                     " ticks that count, has " + std::to_string(ticks));
  return ticks;
}

}  // namespace

Targets targets_of(const LossConfig& config, const Batch& batch, std::ptrdiff_t output_ticks) {
  Targets targets{.label = batch.label, .mixed_label = batch.mixed_label, .label_weight = batch.label_weight};
  if (config.mask_padding && !batch.num_ticks.empty()) {
    targets.num_ticks = batch.num_ticks;
    targets.extra_ticks = output_ticks - batch.input.shape()[0];
  }
  return targets;
}

template <class Scalar>
double loss(const LossConfig& config, View<const Scalar> output, const Targets& targets, std::span<double> scores,
            View<Scalar> grad) {
  if (output.shape.rank() != 3 || output.shape[0] == 0 || output.shape[2] == 0)
    throw ShapeError("[loss] output must be [T, B, K] with T and K positive, got " + output.shape.text());
  const std::ptrdiff_t num_ticks = output.shape[0], batch = output.shape[1], num_classes = output.shape[2];
  if (std::ssize(targets.label) != batch || std::ssize(scores) != batch * num_classes)
    throw ShapeError("[loss] output " + output.shape.text() + " needs B labels and B K scores, got " +
                     std::to_string(targets.label.size()) + " and " + std::to_string(scores.size()));
  if (targets.mixed_label.size() != targets.label_weight.size() ||
      (!targets.mixed_label.empty() && std::ssize(targets.mixed_label) != batch) ||
      (!targets.num_ticks.empty() && std::ssize(targets.num_ticks) != batch))
    throw ShapeError("[loss] mixed labels, their weights and numbers of ticks must be B or none, got " +
                     std::to_string(targets.mixed_label.size()) + ", " + std::to_string(targets.label_weight.size()) +
                     " and " + std::to_string(targets.num_ticks.size()));
  if (!grad.empty() && grad.shape != output.shape)
    throw ShapeError("[loss] gradient must have the shape of output, " + output.shape.text() + ", got " +
                     grad.shape.text());
  check_classes(targets, num_classes);

  const std::ptrdiff_t stride = batch * num_classes;
  double sum = 0.0;
  for (std::ptrdiff_t b = 0; b < batch; ++b) {
    const auto index = static_cast<std::size_t>(b);
    const Target target = target_of(targets, index, config.label_smoothing, num_classes);
    const std::ptrdiff_t own_ticks = ticks_of(targets, index, num_ticks);
    const Sample<Scalar> sample{output.data + b * num_classes, grad.empty() ? nullptr : grad.data + b * num_classes,
                                own_ticks, stride, num_classes};
    double* score = scores.data() + b * num_classes;
    pool_over_time(config.kind, sample, score);
    sum += loss_of_scores(config.kind, score, num_classes, target);
    if (sample.grad == nullptr) continue;
    back_through_time(config.kind, sample, score, target, static_cast<double>(batch));
    for (std::ptrdiff_t t = own_ticks; t < num_ticks; ++t)
      std::fill_n(sample.grad + t * stride, num_classes, Scalar{0});
  }
  return batch == 0 ? 0.0 : sum / static_cast<double>(batch);
}

std::int32_t predicted_class(std::span<const double> scores) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < scores.size(); ++k) {
    if (scores[k] > scores[best] || (std::isnan(scores[best]) && !std::isnan(scores[k]))) best = k;
  }
  return static_cast<std::int32_t>(best);
}

template double loss<float>(const LossConfig&, View<const float>, const Targets&, std::span<double>, View<float>);
template double loss<double>(const LossConfig&, View<const double>, const Targets&, std::span<double>, View<double>);

}  // namespace synfire::learning
