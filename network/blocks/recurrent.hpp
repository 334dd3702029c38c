#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor.hpp"
#include "network/blocks/feedback.hpp"
#include "neurons/row_model.hpp"

/// A population of C neurons that feeds back to itself: sequential over ticks, parallel over samples.
///
///     current[t] = x[t] + what the feedback brings from the spikes before t,   s[t] = neurons(current[t])
namespace synfire::network {

/// \param x        [T, B, C]
/// \param current  [T, B, C] out: what the neurons saw; the backward pass needs it
/// \param spikes   [T, B, C] out
/// \param scratch  recurrent_forward_bytes; no other memory is allocated
/// \param changed  as of row_scan_forward
template <class Scalar, class Spike>
void recurrent_forward(const neurons::RowModel<Scalar>& model, const Feedback<Scalar>& feedback, View<const Scalar> x,
                       View<Scalar> current, View<Spike> spikes, std::span<std::byte> scratch,
                       std::uint64_t* changed = nullptr);

/// Back-propagation through time and through the feedback: e[t] = dL/ds[t] from outside plus what the later currents
/// give.
///
/// \param grad_spikes   [T, B, C] from outside; may be the same memory as grad_current
/// \param grad_current  [T, B, C] out: dL/d current, which is dL/dx, and what the gradients of the connections follow
/// from \param totals        out: sums of what the neurons learn, as for row_scan_backward; empty if not wanted \param
/// scratch       recurrent_backward_bytes: the ticks of the groups that run at the same time are kept there
template <class Scalar>
void recurrent_backward(const neurons::RowModel<Scalar>& model, const FeedbackAdjoint<Scalar>& feedback,
                        View<const Scalar> current, View<const Scalar> grad_spikes, View<Scalar> grad_current,
                        std::span<double> totals, std::span<std::byte> scratch);

/// For the sizes of the feedback and of T, B, C.
template <class Scalar>
std::size_t recurrent_forward_bytes(const Shape& shape, std::ptrdiff_t feedback_size);
template <class Scalar>
std::size_t recurrent_backward_bytes(const Shape& shape, int num_kept, std::ptrdiff_t feedback_size,
                                     std::ptrdiff_t num_totals);

}  // namespace synfire::network
