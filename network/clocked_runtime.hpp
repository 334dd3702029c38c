#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/op_ledger.hpp"
#include "core/tensor.hpp"
#include "network/network.hpp"

namespace synfire::network {

enum class Mode : std::uint8_t { train, eval };

/// Which random numbers a training pass draws (dropout): same seed and step, same masks.
struct StepKey {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
};

/// Wall time that a node took in the last forward and backward pass.
struct NodeTime {
  double forward_s = 0.0;
  double backward_s = 0.0;
};

/// Runs a network in time steps, all T ticks of a node at once, and back through time. All memory of a step comes from
/// one arena, which the first pass of a mode and shape [T, B] plans and which grows if it has to; the passes after it
/// allocate nothing. Kept for the backward pass: the input of every synapse and the input current of every neuron
/// (docs/numerics.md); for evaluation nothing is kept that is not still to be read.
template <class Scalar>
class ClockedRuntime {
 public:
  explicit ClockedRuntime(Network<Scalar>& network);
  ~ClockedRuntime();
  ClockedRuntime(ClockedRuntime&&) noexcept;

  /// Smooth spikes (the surrogate's primitive) instead of Heaviside ones, for finite differences.
  void use_smooth_spikes(bool smooth);

  /// Delays rounded to whole ticks, one tap a synapse: the network that is deployed. Their positions then get the
  /// gradient 0.
  void use_rounded_delays(bool rounded);

  /// From the next forward pass in evaluation mode on, adds what is done to `ledger`, which must outlive it; null
  /// stops. An empty ledger gets the layers of the network. Without a ledger nothing is counted, at no cost. Where the
  /// weights are zero is found out in the first pass: call it again after they have changed. \throws Error if the
  /// ledger is of another network
  void count_into(OpLedger* ledger);

  /// \param input  [T, B, ...]; its memory is read again by `backward`
  /// \return       [T', B, K], T' = T + the extra ticks of delays; valid until the next forward pass
  /// \throws ShapeError if the input does not fit the network or has no elements
  View<const Scalar> forward(View<const Scalar> input, Mode mode, const StepKey& key);

  /// After a training forward: from dL/d(output) [T', B, K] to the gradient of every trained tensor. Overwrites the
  /// gradients of the step before. The network's input gets no gradient unless `want_input_grad` was set before the
  /// forward pass.
  void backward(View<const Scalar> grad_output);

  /// Gradients, parallel to network().tensors; empty views for tensors that are not trained.
  const std::vector<View<Scalar>>& gradients() const;

  void want_input_grad(bool wanted);
  /// Of the last backward pass, valid until the next forward pass.
  View<const Scalar> input_grad() const;

  /// Is called in each forward pass after each node that fires, with its spikes [T, B, ...]; null: nothing is.
  using SpikeWatcher = std::function<void(int node, View<const std::uint8_t> spikes)>;
  void watch_spikes(SpikeWatcher watcher);

  /// Mean firing rate of each lif node in the last pass, by node index; NaN for other nodes.
  std::vector<double> firing_rates() const;

  /// By node index.
  const std::vector<NodeTime>& node_times() const;

  /// Bytes of the arena for T ticks and batch B in `mode`, before anything runs.
  std::size_t planned_bytes(std::ptrdiff_t num_ticks, std::ptrdiff_t batch, Mode mode) const;

  /// Bytes that each node keeps from its forward to the backward pass of a training step, by node index.
  std::vector<std::size_t> kept_bytes(std::ptrdiff_t num_ticks, std::ptrdiff_t batch) const;

  Network<Scalar>& network() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synfire::network
