#include "synapses/mean_tokens.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

/// Tokens of a frame.
template <class Scalar>
std::ptrdiff_t check(const char* operation, const Shape& image, const View<Scalar>& mean) {
  require_rank(operation, "the images", image, 3);
  require_cpu(operation, mean.device);
  require_shape(operation, "the mean", mean.shape, with_inner(image, 3, Shape{image.channels()}));
  const int axis = image.rank() - 3;
  return image[axis] * image[axis + 1];
}

}  // namespace

template <class Scalar>
void mean_tokens_forward(const Signal<Scalar>& x, View<Scalar> y) {
  const std::ptrdiff_t tokens = check("mean_tokens_forward", x.shape, y), channels = x.shape.channels();
  with_elements(x, [&](const auto* elements) {
    parallel_for(frame_count(x.shape, 3), 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t f = begin; f < end; ++f) {
        Scalar* const out = y.data + f * channels;
        std::fill(out, out + channels, Scalar{0});
        for (std::ptrdiff_t n = 0; n < tokens; ++n) {
          const auto* const in = elements + (f * tokens + n) * channels;
          for (std::ptrdiff_t c = 0; c < channels; ++c) out[c] += static_cast<Scalar>(in[c]);
        }
        for (std::ptrdiff_t c = 0; c < channels; ++c) out[c] /= static_cast<Scalar>(tokens);
      }
    });
  });
}

template <class Scalar>
void mean_tokens_backward(View<const Scalar> grad_y, View<Scalar> grad_x) {
  const std::ptrdiff_t tokens = check("mean_tokens_backward", grad_x.shape, grad_y), channels = grad_x.shape.channels();
  parallel_for(frame_count(grad_x.shape, 3) * tokens, 64, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t row = begin; row < end; ++row) {
      const Scalar* const from = grad_y.data + row / tokens * channels;
      Scalar* const to = grad_x.data + row * channels;
      for (std::ptrdiff_t c = 0; c < channels; ++c) to[c] = from[c] / static_cast<Scalar>(tokens);
    }
  });
}

#define SYNFIRE_INSTANTIATE(Scalar)                                       \
  template void mean_tokens_forward(const Signal<Scalar>&, View<Scalar>); \
  template void mean_tokens_backward(View<const Scalar>, View<Scalar>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
