#include "synapses/vote.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

/// Elements of the wide side that a task takes at least.
constexpr std::ptrdiff_t kTaskElements = 1 << 14;

/// Number of groups in all frames.
std::ptrdiff_t check(const char* operation, const Shape& wide, Device wide_device, int group, const Shape& narrow,
                     Device narrow_device) {
  require_rank(operation, "x", wide, 1);
  if (group < 1 || wide.channels() % group != 0) {
    throw ShapeError(fmt::format("[{}] groups of {} do not divide {} channels", operation, group, wide.channels()));
  }
  require_shape(operation, "the output", narrow, with_inner(wide, 1, Shape{wide.channels() / group}));
  require_cpu(operation, wide_device);
  require_cpu(operation, narrow_device);
  return narrow.size();
}

}  // namespace

template <class Scalar>
void vote_forward(const Signal<Scalar>& x, int group, View<Scalar> y) {
  const std::ptrdiff_t groups = check("vote_forward", x.shape, x.device, group, y.shape, y.device);
  const Scalar part = Scalar{1} / static_cast<Scalar>(group);
  with_elements(x, [&](const auto* elements) {
    parallel_for(groups, kTaskElements / group + 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      for (std::ptrdiff_t k = first; k < last; ++k) {
        Scalar sum{0};
        for (std::ptrdiff_t i = k * group; i < (k + 1) * group; ++i) sum += static_cast<Scalar>(elements[i]);
        y[k] = sum * part;
      }
    });
  });
}

template <class Scalar>
void vote_backward(View<const Scalar> grad_y, int group, View<Scalar> grad_x) {
  const std::ptrdiff_t groups = check("vote_backward", grad_x.shape, grad_x.device, group, grad_y.shape, grad_y.device);
  const Scalar part = Scalar{1} / static_cast<Scalar>(group);
  parallel_for(groups, kTaskElements / group + 1, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t k = first; k < last; ++k) {
      std::fill(grad_x.data + k * group, grad_x.data + (k + 1) * group, grad_y[k] * part);
    }
  });
}

template void vote_forward(const Signal<float>&, int, View<float>);
template void vote_forward(const Signal<double>&, int, View<double>);
template void vote_backward(View<const float>, int, View<float>);
template void vote_backward(View<const double>, int, View<double>);

}  // namespace synfire::synapses
