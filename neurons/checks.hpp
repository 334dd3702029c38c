#pragma once

#include <string>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/tensor.hpp"

/// What the operations of this room ask of their arguments before they run.
namespace synfire::neurons {

template <class T>
void check_like_input(const char* operation, const char* name, const View<T>& view, const char* input_name,
                      const Shape& expected, Device device) {
  if (view.shape != expected) {
    throw ShapeError(fmt::format("[{}] {} must have the shape of {}, {}, got {}", operation, name, input_name,
                                 expected.text(), view.shape.text()));
  }
  if (view.data == nullptr && expected.size() > 0) {
    throw ShapeError(fmt::format("[{}] {} of shape {} has no memory", operation, name, expected.text()));
  }
  if (view.device != device) {
    throw ShapeError(fmt::format("[{}] {} and {} must be on one device", operation, name, input_name));
  }
}

/// [T, ..., C], and not too many ticks at once.
template <class T>
void check_current(const char* operation, const char* name, const View<T>& view, std::ptrdiff_t most_ticks) {
  if (view.shape.rank() < 2) {
    throw ShapeError(fmt::format("[{}] {} must be [T, ..., C], got {}", operation, name, view.shape.text()));
  }
  check_like_input(operation, name, view, name, view.shape, view.device);
  if (view.shape[0] > most_ticks) {
    throw ShapeError(fmt::format("[{}] at most {} ticks at once, got {}", operation, most_ticks, view.shape[0]));
  }
}

template <class T>
void check_channels(const char* operation, const char* name, const View<T>& view, const char* input_name,
                    std::ptrdiff_t num_channels, Device device) {
  if (view.size() != num_channels) {
    throw ShapeError(fmt::format("[{}] {} must have a value for each of the {} channels of {}, got {}", operation, name,
                                 num_channels, input_name, view.size()));
  }
  if (view.device != device) {
    throw ShapeError(fmt::format("[{}] {} and {} must be on one device", operation, name, input_name));
  }
}

inline void check_host(const char* operation, Device device) {
  if (device != Device::cpu) throw BackendError(fmt::format("[{}] runs in host memory only", operation));
}

inline void check_scratch(const char* operation, std::size_t bytes, std::size_t needed) {
  if (bytes < needed) {
    throw ShapeError(fmt::format("[{}] scratch must hold {} bytes, got {}", operation, needed, bytes));
  }
}

}  // namespace synfire::neurons
