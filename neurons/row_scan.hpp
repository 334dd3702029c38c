#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor.hpp"
#include "neurons/row_model.hpp"

/// The loops over time of a population whose input is known for all ticks: tiles of neighbouring neurons, each taken
/// through time with its state in the cache. Host memory only.
namespace synfire::neurons {

/// More ticks than this would not fit the tiles.
inline constexpr std::ptrdiff_t kMaxScanTicks = std::ptrdiff_t{1} << 20;

/// \param x  [T, ..., C], not empty
/// \param spikes   [T, ..., C] out
/// \param changed  out: how many v[t] of all ticks but the first are another number than v[t-1]; null: not counted
template <class Scalar, class Spike>
void row_scan_forward(const RowModel<Scalar>& model, View<const Scalar> x, View<Spike> spikes,
                      std::uint64_t* changed = nullptr);

/// Keeps nothing from the forward pass but x: the ticks are computed again by the same operations.
///
/// \param grad_spikes  may be the same memory as grad_x
/// \param totals   out: sum k of channel c at [k C + c], or sum k at [k]; empty if not wanted. Added over 16 ticks in
///                 Scalar and over the rest in double, in an order that depends on shapes only
/// \param scratch  row_scan_scratch_bytes, for the totals
template <class Scalar>
void row_scan_backward(const RowModel<Scalar>& model, View<const Scalar> x, View<const Scalar> grad_spikes,
                       View<Scalar> grad_x, std::span<double> totals, std::span<std::byte> scratch);

std::size_t row_scan_scratch_bytes(std::ptrdiff_t num_totals);

}  // namespace synfire::neurons
