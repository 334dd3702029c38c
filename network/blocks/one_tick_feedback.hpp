#pragma once

#include "network/blocks/feedback.hpp"

namespace synfire::network {

/// Writes V^T [in, out]; without self-connections its diagonal is 0.
template <class Scalar>
void transpose_feedback(const Scalar* weight, std::ptrdiff_t num_neurons, bool self_connections, Scalar* transposed);

/// Every spike arrives at the next tick: current[t] += V s[t-1].
template <class Scalar>
class OneTickFeedback final : public Feedback<Scalar> {
 public:
  OneTickFeedback(const Scalar* transposed, std::ptrdiff_t num_neurons)
      : transposed_(transposed), num_neurons_(num_neurons) {}

  std::ptrdiff_t memory_size() const override { return num_neurons_; }
  void arrive(std::ptrdiff_t t, Scalar* memory, Scalar* current) const override;
  void send(std::ptrdiff_t t, const Scalar* spikes, Scalar* memory) const override;

 private:
  const Scalar* transposed_;
  std::ptrdiff_t num_neurons_;
};

template <class Scalar>
class OneTickAdjoint final : public FeedbackAdjoint<Scalar> {
 public:
  OneTickAdjoint(const Scalar* transposed, std::ptrdiff_t num_neurons)
      : transposed_(transposed), num_neurons_(num_neurons) {}

  std::ptrdiff_t memory_size() const override { return num_neurons_ * kGroupSamples; }
  void keep(std::ptrdiff_t t, const Scalar* grad_current, Scalar* memory) const override;
  void give_back(std::ptrdiff_t t, const Scalar* memory, Scalar* grad_spikes) const override;

 private:
  const Scalar* transposed_;
  std::ptrdiff_t num_neurons_;
};

}  // namespace synfire::network
