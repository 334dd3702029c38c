#include "synapses/add.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

/// Elements that a task takes at least.
constexpr std::ptrdiff_t kTaskElements = 1 << 14;

}  // namespace

template <class Scalar>
void add_forward(std::span<const Signal<Scalar>> inputs, View<Scalar> y) {
  require_cpu("add_forward", y.device);
  for (const Signal<Scalar>& input : inputs) require_shape("add_forward", "every input", input.shape, y.shape);
  parallel_for(y.shape.size(), kTaskElements, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    std::fill(y.data + first, y.data + last, Scalar{0});
    for (const Signal<Scalar>& input : inputs) {
      with_elements(input, [&](const auto* elements) {
        for (std::ptrdiff_t i = first; i < last; ++i) y[i] += static_cast<Scalar>(elements[i]);
      });
    }
  });
}

template <class Scalar>
void accumulate(View<const Scalar> from, View<Scalar> into) {
  require_shape("accumulate", "from", from.shape, into.shape);
  require_cpu("accumulate", from.device);
  require_cpu("accumulate", into.device);
  parallel_for(into.shape.size(), kTaskElements, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t i = first; i < last; ++i) into[i] += from[i];
  });
}

template void add_forward(std::span<const Signal<float>>, View<float>);
template void add_forward(std::span<const Signal<double>>, View<double>);
template void accumulate(View<const float>, View<float>);
template void accumulate(View<const double>, View<double>);

}  // namespace synfire::synapses
