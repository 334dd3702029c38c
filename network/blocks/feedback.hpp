#pragma once

#include <cstddef>

/// How the spikes of C neurons come back to them, one tick later at the earliest. What is on its way lies in memory
/// that the caller lends: `memory_size` Scalars, zeroed before the first tick (forward) or the last (backward).
namespace synfire::network {

/// Samples that are taken back through time together, side by side in a row [C, kGroupSamples].
inline constexpr std::ptrdiff_t kGroupSamples = 8;

/// The way of one sample.
template <class Scalar>
class Feedback {
 public:
  virtual ~Feedback() = default;
  virtual std::ptrdiff_t memory_size() const = 0;
  /// Adds to `current` [C] what arrives at tick t.
  virtual void arrive(std::ptrdiff_t t, Scalar* memory, Scalar* current) const = 0;
  /// Sends the spikes [C] of tick t; the work is that of those which are not 0.
  virtual void send(std::ptrdiff_t t, const Scalar* spikes, Scalar* memory) const = 0;
};

/// Its transpose, for a group of samples.
template <class Scalar>
class FeedbackAdjoint {
 public:
  virtual ~FeedbackAdjoint() = default;
  virtual std::ptrdiff_t memory_size() const = 0;
  /// Takes dL/d current [C, kGroupSamples] of tick t.
  virtual void keep(std::ptrdiff_t t, const Scalar* grad_current, Scalar* memory) const = 0;
  /// Adds to `grad_spikes` [C, kGroupSamples] of tick t what the later currents give.
  virtual void give_back(std::ptrdiff_t t, const Scalar* memory, Scalar* grad_spikes) const = 0;
};

}  // namespace synfire::network
