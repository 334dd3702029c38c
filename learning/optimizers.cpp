#include "learning/optimizers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "core/error.hpp"
#include "core/parallel.hpp"

namespace synfire::learning {

namespace {

constexpr std::ptrdiff_t kGrain = 16384;  // elements; less is not worth a task
constexpr int kNormChunks = 32;

/// Eight running sums that the compiler can keep in one register; their order is part of the result.
template <class Scalar>
double sum_of_squares(const Scalar* values, std::ptrdiff_t count) {
  constexpr std::ptrdiff_t kLanes = 8;
  std::array<double, kLanes> lanes{};
  const std::ptrdiff_t whole = count / kLanes * kLanes;
  for (std::ptrdiff_t i = 0; i < whole; i += kLanes) {
    for (std::ptrdiff_t lane = 0; lane < kLanes; ++lane) {
      const auto value = static_cast<double>(values[i + lane]);
      lanes[static_cast<std::size_t>(lane)] += value * value;
    }
  }
  for (std::ptrdiff_t i = whole; i < count; ++i) {
    const auto value = static_cast<double>(values[i]);
    lanes[static_cast<std::size_t>(i - whole)] += value * value;
  }
  double sum = 0.0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

/// The numbers of one step, rounded to Scalar once.
template <class Scalar>
struct SgdStep {
  Scalar learning_rate, weight_decay, momentum;
  bool has_momentum, nesterov;

  void operator()(const Scalar* g, Scalar* w, Scalar* v, std::ptrdiff_t count) const {
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      Scalar direction = g[i] + weight_decay * w[i];
      if (has_momentum) {
        v[i] = momentum * v[i] + direction;
        direction = nesterov ? direction + momentum * v[i] : v[i];
      }
      w[i] -= learning_rate * direction;
    }
  }
};

template <class Scalar>
struct AdamStep {
  Scalar step_size;     ///< learning rate / (1 - beta1^n)
  Scalar shrink;        ///< 1 - learning rate * weight decay for adamw, else 1
  Scalar added_decay;   ///< weight decay for adam, else 0
  Scalar beta1, rest1;  ///< beta1 and 1 - beta1, each rounded once
  Scalar beta2, rest2;
  Scalar inverse_root_bias;  ///< 1 / sqrt(1 - beta2^n)
  Scalar epsilon;

  void operator()(const Scalar* g, Scalar* w, Scalar* m, Scalar* v, std::ptrdiff_t count) const {
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const Scalar gradient = g[i] + added_decay * w[i];
      m[i] = beta1 * m[i] + rest1 * gradient;
      v[i] = beta2 * v[i] + rest2 * gradient * gradient;
      w[i] = w[i] * shrink - step_size * m[i] / (std::sqrt(v[i]) * inverse_root_bias + epsilon);
    }
  }
};

}  // namespace

template <class Scalar>
double global_norm(const std::vector<View<Scalar>>& gradients) {
  double sum = 0.0;
  for (const View<Scalar>& gradient : gradients) {
    std::array<double, kNormChunks> partial{};
    const auto body = [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      partial[static_cast<std::size_t>(chunk)] = sum_of_squares(gradient.data + begin, end - begin);
    };
    parallel_chunks(gradient.size(), kNormChunks, body);
    for (const double part : partial) sum += part;
  }
  return std::sqrt(sum);
}

template <class Scalar>
void clip_to_norm(const std::vector<View<Scalar>>& gradients, double norm, double max_norm) {
  const double scale = max_norm / (norm + 1e-6);
  if (!(scale < 1.0)) return;
  const auto factor = static_cast<Scalar>(scale);
  for (const View<Scalar>& gradient : gradients) {
    const auto body = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t i = begin; i < end; ++i) gradient.data[i] *= factor;
    };
    parallel_for(gradient.size(), kGrain, body);
  }
}

template <class Scalar>
Optimizer<Scalar>::Optimizer(const OptimizerConfig& config, network::Network<Scalar>& network,
                             const std::vector<network::TensorKind>& kinds)
    : config_(config), network_(network) {
  const bool has_first = config.kind != OptimizerKind::sgd || config.momentum != 0.0;
  for (const network::NamedTensor<Scalar>& tensor : network.tensors) {
    if (tensor.value.device() != Device::cpu)
      throw BackendError("[optimizer] tensor \"" + tensor.name + "\" must be in CPU memory");
    Slot slot;
    slot.moves = tensor.trained && (kinds.empty() || std::find(kinds.begin(), kinds.end(), tensor.kind) != kinds.end());
    if (slot.moves && has_first) slot.first = Tensor<Scalar>(tensor.value.shape());
    if (slot.moves && config.kind != OptimizerKind::sgd) slot.second = Tensor<Scalar>(tensor.value.shape());
    slots_.push_back(std::move(slot));
  }
}

template <class Scalar>
void Optimizer<Scalar>::step(const std::vector<View<Scalar>>& gradients, double learning_rate, double momentum) {
  if (gradients.size() != slots_.size())
    throw ShapeError("[optimizer] one gradient for each of " + std::to_string(slots_.size()) + " tensors, got " +
                     std::to_string(gradients.size()));
  ++num_steps_;
  const double beta1 = std::isnan(momentum) ? config_.beta1 : momentum;
  const auto steps = static_cast<double>(num_steps_);
  const double first_bias = 1.0 - std::pow(beta1, steps);
  const double second_bias = 1.0 - std::pow(config_.beta2, steps);

  for (std::size_t i = 0; i < slots_.size(); ++i) {
    network::NamedTensor<Scalar>& tensor = network_.tensors[i];
    if (!slots_[i].moves) continue;
    if (gradients[i].shape != tensor.value.shape())
      throw ShapeError("[optimizer] gradient of \"" + tensor.name + "\" must be " + tensor.value.shape().text() +
                       ", got " + gradients[i].shape.text());
    const Scalar* g = gradients[i].data;
    Scalar* w = tensor.value.data();
    Scalar* first = slots_[i].first.data();
    Scalar* second = slots_[i].second.data();
    const double decay = tensor.kind == network::TensorKind::offset ? 0.0 : config_.weight_decay;

    if (config_.kind == OptimizerKind::sgd) {
      const SgdStep<Scalar> update{static_cast<Scalar>(learning_rate), static_cast<Scalar>(decay),
                                   static_cast<Scalar>(std::isnan(momentum) ? config_.momentum : momentum),
                                   first != nullptr, config_.nesterov};
      const auto body = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        update(g + begin, w + begin, first == nullptr ? nullptr : first + begin, end - begin);
      };
      parallel_for(tensor.value.size(), kGrain, body);
    } else {
      const bool decoupled = config_.kind == OptimizerKind::adamw;
      const AdamStep<Scalar> update{static_cast<Scalar>(learning_rate / first_bias),
                                    static_cast<Scalar>(decoupled ? 1.0 - learning_rate * decay : 1.0),
                                    static_cast<Scalar>(decoupled ? 0.0 : decay),
                                    static_cast<Scalar>(beta1),
                                    static_cast<Scalar>(1.0 - beta1),
                                    static_cast<Scalar>(config_.beta2),
                                    static_cast<Scalar>(1.0 - config_.beta2),
                                    static_cast<Scalar>(1.0 / std::sqrt(second_bias)),
                                    static_cast<Scalar>(config_.epsilon)};
      const auto body = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        update(g + begin, w + begin, first + begin, second + begin, end - begin);
      };
      parallel_for(tensor.value.size(), kGrain, body);
    }
  }
}

template <class Scalar>
std::vector<typename Optimizer<Scalar>::NamedState> Optimizer<Scalar>::state() {
  const bool adam = config_.kind != OptimizerKind::sgd;
  std::vector<NamedState> result;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::string& name = network_.tensors[i].name;
    if (slots_[i].first.data() != nullptr)
      result.push_back({name + (adam ? "/first_moment" : "/momentum"), slots_[i].first.view()});
    if (slots_[i].second.data() != nullptr) result.push_back({name + "/second_moment", slots_[i].second.view()});
  }
  return result;
}

template double global_norm<float>(const std::vector<View<float>>&);
template double global_norm<double>(const std::vector<View<double>>&);
template void clip_to_norm<float>(const std::vector<View<float>>&, double, double);
template void clip_to_norm<double>(const std::vector<View<double>>&, double, double);
template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace synfire::learning
