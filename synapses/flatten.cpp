#include "synapses/flatten.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "synapses/checks.hpp"

namespace synfire::synapses {

namespace {

/// Elements that a task moves at least, so that starting it does not cost more than its work.
constexpr std::ptrdiff_t kTaskElements = 1 << 14;

struct Image {
  std::ptrdiff_t frames, pixels, channels;
};

Image check(const char* operation, const Shape& image, Device image_device, const Shape& flat, Device flat_device) {
  require_rank(operation, "the image", image, 3);
  require_shape(operation, "the vector", flat, with_inner(image, 3, Shape{image.size_from(image.rank() - 3)}));
  require_cpu(operation, image_device);
  require_cpu(operation, flat_device);
  const std::ptrdiff_t channels = image.channels();
  return {frame_count(image, 3), image[image.rank() - 3] * image[image.rank() - 2], channels};
}

/// to[f][j][i] = from[f][i][j], rows by columns.
template <class T>
void transpose(std::ptrdiff_t frames, std::ptrdiff_t rows, std::ptrdiff_t columns, const T* from, T* to) {
  const std::ptrdiff_t size = rows * columns;
  parallel_for(frames, kTaskElements / std::max<std::ptrdiff_t>(1, size) + 1,
               [&](std::ptrdiff_t first, std::ptrdiff_t last) {
                 for (std::ptrdiff_t f = first; f < last; ++f) {
                   for (std::ptrdiff_t i = 0; i < rows; ++i) {
                     for (std::ptrdiff_t j = 0; j < columns; ++j) {
                       to[f * size + j * rows + i] = from[f * size + i * columns + j];
                     }
                   }
                 }
               });
}

}  // namespace

template <class T>
void flatten_forward(View<const T> x, View<T> y) {
  const Image image = check("flatten_forward", x.shape, x.device, y.shape, y.device);
  transpose(image.frames, image.pixels, image.channels, x.data, y.data);
}

template <class T>
void flatten_backward(View<const T> grad_y, View<T> grad_x) {
  const Image image = check("flatten_backward", grad_x.shape, grad_x.device, grad_y.shape, grad_y.device);
  transpose(image.frames, image.channels, image.pixels, grad_y.data, grad_x.data);
}

template void flatten_forward(View<const float>, View<float>);
template void flatten_forward(View<const double>, View<double>);
template void flatten_forward(View<const std::uint8_t>, View<std::uint8_t>);
template void flatten_backward(View<const float>, View<float>);
template void flatten_backward(View<const double>, View<double>);

}  // namespace synfire::synapses
