#include "synapses/mixers/rope.hpp"

#include <algorithm>
#include <cmath>

#include "synapses/mixers/windows.hpp"

namespace synfire::synapses {

namespace {

constexpr double kBase = 10000.0;
constexpr std::int64_t kMaxTick = std::int64_t{1} << 16U;

}  // namespace

template <class Scalar>
RopeTable<Scalar>::RopeTable(const MixerConfig& config, const Shape& shape, std::int64_t first_tick) {
  if (config.rope == MixerRope::none) return;
  const TokenGrid grid(shape);
  const bool with_time = config.window_size[0] != 1;
  per_head_ = config.rope == MixerRope::head;
  head_pairs_ = grid.channels / config.heads / 2;
  frequencies_ = (per_head_ ? grid.channels / config.heads : grid.channels) / (with_time ? 6 : 4);
  const std::array<std::ptrdiff_t, 3> extents{grid.ticks, grid.height, grid.width};
  for (int axis = with_time ? 0 : 1; axis < 3; ++axis) {
    Axis& table = axes_.emplace_back();
    table.axis = axis;
    for (std::ptrdiff_t i = 0; i < extents[static_cast<std::size_t>(axis)]; ++i) {
      const auto position = static_cast<double>(axis == 0 ? (first_tick + i) % kMaxTick : i);
      for (std::ptrdiff_t f = 0; f < frequencies_; ++f) {
        const double angle = position * std::pow(kBase, -static_cast<double>(f) / static_cast<double>(frequencies_));
        table.cosines.push_back(static_cast<Scalar>(std::cos(angle)));
        table.sines.push_back(static_cast<Scalar>(std::sin(angle)));
      }
    }
  }
}

template <class Scalar>
std::size_t RopeTable<Scalar>::bytes() const {
  std::size_t numbers = 0;
  for (const Axis& axis : axes_) numbers += axis.cosines.size() + axis.sines.size();
  return numbers * sizeof(Scalar);
}

template <class Scalar>
void RopeTable<Scalar>::turn(int head, const std::ptrdiff_t* position, bool backwards, Scalar* features) const {
  const Scalar sign = backwards ? Scalar(-1) : Scalar(1);
  const std::ptrdiff_t head_first = per_head_ ? 0 : head * head_pairs_, head_last = head_first + head_pairs_;
  std::ptrdiff_t axis_first = 0;
  for (const Axis& axis : axes_) {
    const std::ptrdiff_t begin = std::max(head_first, axis_first);
    const std::ptrdiff_t end = std::min(head_last, axis_first + frequencies_);
    const std::ptrdiff_t row = position[axis.axis] * frequencies_ - axis_first;
    const Scalar *const cosines = axis.cosines.data() + row, *const sines = axis.sines.data() + row;
    Scalar* const pairs = features - 2 * head_first;
    for (std::ptrdiff_t p = begin; p < end; ++p) {
      const Scalar a = pairs[2 * p], b = pairs[2 * p + 1], c = cosines[p], s = sign * sines[p];
      pairs[2 * p] = a * c - b * s;
      pairs[2 * p + 1] = a * s + b * c;
    }
    axis_first += frequencies_;
  }
}

template class RopeTable<float>;
template class RopeTable<double>;

}  // namespace synfire::synapses
