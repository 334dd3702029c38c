#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.hpp"
#include "network/network.hpp"

namespace synfire::learning {

enum class OptimizerKind : std::uint8_t { sgd, adam, adamw };

/// Definitions and defaults of torch.optim.SGD, Adam and AdamW; [Kingma2015], [Loshchilov2019].
struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::adamw;
  /// sgd and adam add it to the gradient, adamw shrinks the weights; not for offsets (network::TensorKind).
  double weight_decay = 0.01;
  double momentum = 0.0;  ///< sgd
  bool nesterov = false;  ///< sgd
  double beta1 = 0.9;     ///< adam, adamw
  double beta2 = 0.999;   ///< adam, adamw
  double epsilon = 1e-8;  ///< adam, adamw
};

/// Euclidean norm over all gradients together; sums in double, in an order that does not depend on the threads.
template <class Scalar>
double global_norm(const std::vector<View<Scalar>>& gradients);

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_.
template <class Scalar>
void clip_to_norm(const std::vector<View<Scalar>>& gradients, double norm, double max_norm);

/// Moves trained tensors of a network against their gradients: all, or those of some kinds, so that each group of
/// tensors can have an optimiser of its own. Keeps a reference to the network, and one or two
/// state tensors (momentum; first and second moment) of the size of each such tensor. Each element is updated on its
/// own: same bits for any number of threads. A step allocates nothing.
template <class Scalar>
class Optimizer {
 public:
  /// \param kinds  of the tensors that it moves; empty: all
  /// \throws BackendError if a tensor is not in CPU memory
  Optimizer(const OptimizerConfig& config, network::Network<Scalar>& network,
            const std::vector<network::TensorKind>& kinds = {});

  /// \param gradients  parallel to network.tensors; read only for the tensors that it moves
  /// \param momentum   takes the place of the configured momentum or beta1 unless it is NaN
  /// \throws ShapeError if a gradient has not the shape of its tensor
  void step(const std::vector<View<Scalar>>& gradients, double learning_rate, double momentum);

  struct NamedState {
    std::string name;  ///< `conv1.weight/first_moment`
    View<Scalar> value;
  };
  /// What a checkpoint must keep, together with num_steps.
  std::vector<NamedState> state();
  std::int64_t num_steps() const { return num_steps_; }
  void set_num_steps(std::int64_t num_steps) { num_steps_ = num_steps; }

 private:
  struct Slot {
    bool moves = false;
    Tensor<Scalar> first;   ///< momentum or first moment
    Tensor<Scalar> second;  ///< second moment
  };

  OptimizerConfig config_;
  network::Network<Scalar>& network_;
  std::vector<Slot> slots_;  ///< parallel to network_.tensors; empty for tensors that stay
  std::int64_t num_steps_ = 0;
};

}  // namespace synfire::learning
