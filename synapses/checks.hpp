#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"

/// What every operation of this room checks at its edge. Not installed; network/ shares it for feedback and counting.
namespace synfire::synapses {

inline void require_shape(const char* operation, const char* name, const Shape& got, const Shape& expected) {
  if (got == expected) return;
  throw ShapeError(fmt::format("[{}] {} must have shape {}, got {}", operation, name, expected.text(), got.text()));
}

template <class T>
void require_per_channel(const char* operation, const char* name, const View<T>& view, std::ptrdiff_t channels) {
  if (view.shape.size() == channels && (view.data != nullptr || channels == 0)) return;
  throw ShapeError(fmt::format("[{}] {} must have one value for each of {} channels, got {}", operation, name, channels,
                               view.size()));
}

inline void require_rank(const char* operation, const char* name, const Shape& got, int at_least) {
  if (got.rank() >= at_least) return;
  throw ShapeError(fmt::format("[{}] {} must have at least {} axes, got {}", operation, name, at_least, got.text()));
}

inline void require_cpu(const char* operation, Device device) {
  if (device == Device::cpu) return;
  throw BackendError(fmt::format("[{}] runs on the CPU only", operation));
}

inline void require_scratch(const char* operation, std::span<std::byte> scratch, std::size_t bytes) {
  if (scratch.size() >= bytes) return;
  throw ShapeError(fmt::format("[{}] scratch must have at least {} bytes, got {}", operation, bytes, scratch.size()));
}

/// Product of all extents but the last `inner`: the number of frames that share nothing.
inline std::ptrdiff_t frame_count(const Shape& shape, int inner) {
  std::ptrdiff_t product = 1;
  for (int axis = 0; axis < shape.rank() - inner; ++axis) product *= shape[axis];
  return product;
}

/// `shape` with its last `inner` extents replaced by `extents`.
inline Shape with_inner(const Shape& shape, int inner, const Shape& extents) {
  Shape result = extents;
  for (int axis = shape.rank() - inner - 1; axis >= 0; --axis) result = result.prepend(shape[axis]);
  return result;
}

/// Calls `body` with the pointer that the signal holds.
template <class Scalar, class Body>
void with_elements(const Signal<Scalar>& x, const Body& body) {
  if (x.is_spikes()) {
    body(x.spikes);
  } else {
    body(x.real);
  }
}

}  // namespace synfire::synapses
