#pragma once

#include <memory>
#include <vector>

#include "network/stage.hpp"

namespace synfire::network {

/// A network laid out for one input shape [T, B, ...] and one mode: its stages, their connections, and where in one
/// block of memory everything lies. Made before anything runs; holds no memory of the block itself.
///
/// The steps of a pass, which the lifetimes of buffers count in: node i runs forward at step i and backward at step
/// 2n - i, the output is read and its gradient comes in at step n, and what is handed out stays until step 2n + 1.
template <class Scalar>
struct ClockedPlan {
  struct Options {
    Mode mode = Mode::train;
    bool smooth = false;
    bool want_input_grad = false;
    bool rounded_delays = false;
    bool operator==(const Options&) const = default;
  };
  /// `to` += `from`: the gradients of a node that several nodes read.
  struct Sum {
    BufferId from = kNoBuffer, to = kNoBuffer;
    Shape shape;
  };
  struct Node {
    StagePtr<Scalar> stage;
    Links links;
    bool has_backward = false;
    std::size_t kept_bytes = 0;  ///< from its forward to the backward pass: its output and what it saved
    std::vector<Sum> sums_after_backward;
  };

  /// \param gradients  parallel to network.tensors
  ClockedPlan(Network<Scalar>& network, const std::vector<View<Scalar>>& gradients, const Shape& input,
              const Options& options);

  /// Whether a pass over this shape can use it: the parameters may have changed since it was made.
  bool fits(const Shape& shape, const Options& wanted) const;

  Shape input;
  Options options;
  std::vector<Node> nodes;
  BufferId output = kNoBuffer;  ///< [T, B, K] Scalars
  BufferId input_grad = kNoBuffer;
  ArenaPlan arena;

 private:
  void make_nodes(Network<Scalar>& network, const std::vector<View<Scalar>>& gradients);
  void plan_forward(const NetworkSpec& spec);
  void plan_output();
  void plan_backward();
  void count_kept_bytes();
  int last_index() const { return static_cast<int>(nodes.size()) - 1; }
  int backward_step(int index) const { return 2 * static_cast<int>(nodes.size()) - index; }

  std::vector<std::vector<int>> inputs_;  // of each node; -1 is the network's input
  std::vector<int> grad_in_place_;        // of each node: the input whose gradient may lie over that of the output
};

}  // namespace synfire::network
