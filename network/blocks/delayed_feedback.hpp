#pragma once

#include <span>

#include "network/blocks/feedback.hpp"
#include "synapses/delay_taps.hpp"

namespace synfire::network {

/// A delay in every connection, of one tick more than synapses/delayed_linear.hpp has: a spike at t arrives at
/// t + 1 + d. `reach` is delay_reach of the parameters or more.
struct DelayedFeedbackSizes {
  std::ptrdiff_t num_ticks, num_neurons, max_delay, reach;

  /// Rows of ticks for each neuron, taps in whole vectors.
  template <class Scalar>
  synapses::TapTable<Scalar> table() const;
  /// The same for the adjoint, where the samples of a group lie side by side.
  template <class Scalar>
  synapses::TapTable<Scalar> adjoint_table() const;
};

template <class Scalar>
class DelayedFeedback final : public Feedback<Scalar> {
 public:
  /// \param memory  for the table: `bytes()` of it and a cache line
  DelayedFeedback(const DelayedFeedbackSizes& sizes, const synapses::DelayConfig& config,
                  const synapses::DelayParameters<Scalar>& parameters, std::span<std::byte> memory);

  static std::ptrdiff_t memory_size(const DelayedFeedbackSizes& sizes) {
    return sizes.num_neurons * sizes.table<Scalar>().row_length;
  }
  std::ptrdiff_t memory_size() const override { return memory_size(sizes_); }
  void arrive(std::ptrdiff_t t, Scalar* memory, Scalar* current) const override;
  void send(std::ptrdiff_t t, const Scalar* spikes, Scalar* memory) const override;

 private:
  DelayedFeedbackSizes sizes_;
  synapses::TapTable<Scalar> table_;
};

template <class Scalar>
class DelayedAdjoint final : public FeedbackAdjoint<Scalar> {
 public:
  DelayedAdjoint(const DelayedFeedbackSizes& sizes, const synapses::DelayConfig& config,
                 const synapses::DelayParameters<Scalar>& parameters, std::span<std::byte> memory);

  static std::ptrdiff_t memory_size(const DelayedFeedbackSizes& sizes) {
    return sizes.num_neurons * sizes.adjoint_table<Scalar>().row_length * kGroupSamples;
  }
  std::ptrdiff_t memory_size() const override { return memory_size(sizes_); }
  void keep(std::ptrdiff_t t, const Scalar* grad_current, Scalar* memory) const override;
  void give_back(std::ptrdiff_t t, const Scalar* memory, Scalar* grad_spikes) const override;

 private:
  DelayedFeedbackSizes sizes_;
  synapses::TapTable<Scalar> table_;
};

}  // namespace synfire::network
