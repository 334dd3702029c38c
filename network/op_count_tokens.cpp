#include <algorithm>

#include "network/event_scan.hpp"
#include "network/op_count.hpp"

namespace synfire::network {

namespace {

std::uint64_t u64(std::ptrdiff_t count) { return static_cast<std::uint64_t>(count); }

}  // namespace

template <class Scalar>
FanOut depthwise_conv2d_fan_out(View<const Scalar> w, const Shape& in) {
  const std::ptrdiff_t kernel = w.shape[2], taps = kernel * kernel, channels = in.channels();
  FanOut result{std::vector<std::uint32_t>(static_cast<std::size_t>(in.size())), 0};
  result.weights = u64(w.size());
  result.zero_weights = u64(std::count(w.data, w.data + w.size(), Scalar(0)));
  result.weight_bytes = u64(w.size()) * sizeof(Scalar);
  for (std::ptrdiff_t i = 0; i < in[0]; ++i) {
    for (std::ptrdiff_t j = 0; j < in[1]; ++j) {
      std::uint32_t* const pixel = result.effective.data() + (i * in[1] + j) * channels;
      for (std::ptrdiff_t tap = 0; tap < taps; ++tap) {
        // Of the output that sees this pixel through this tap.
        const std::ptrdiff_t row = i - tap / kernel + kernel / 2, column = j - tap % kernel + kernel / 2;
        if (row < 0 || row >= in[0] || column < 0 || column >= in[1]) continue;
        result.dense += u64(channels);
        for (std::ptrdiff_t c = 0; c < channels; ++c) pixel[c] += w.data[c * taps + tap] != Scalar(0) ? 1U : 0U;
      }
    }
  }
  return result;
}

template <class Scalar>
void count_linear_per_token(const Signal<Scalar>& x, const FanOut& fan_out, bool has_bias, LayerLedger& record) {
  const std::ptrdiff_t tokens = x.shape.size_from(2) / x.shape.channels();
  Signal<Scalar> rows = x;
  rows.shape = Shape{x.shape[0], x.shape[1] * tokens, x.shape.channels()};
  count_linear(rows, fan_out, has_bias, record);
  record.sizes.once_macs *= u64(tokens);
}

template <class Scalar>
void count_depthwise_conv2d(const Signal<Scalar>& x, const FanOut& fan_out, bool has_bias, LayerLedger& record) {
  count_asked(x, fan_out, record);
  record.sizes.weights = fan_out.weights;
  record.sizes.zero_weights = fan_out.zero_weights;
  record.sizes.weight_bytes = fan_out.weight_bytes;
  record.sizes.once_macs = fan_out.dense;
  const std::uint64_t frames = u64(x.shape[0] * x.shape[1]);
  if (has_bias) record.add += u64(x.shape.size());
  record.exec_macs += frames * fan_out.dense;
  record.w_rd += frames * fan_out.weight_bytes;
  record.io_rd += u64(x.shape.size()) * (x.is_spikes() ? 1 : sizeof(Scalar));
  record.path_dense += frames;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                               \
  template FanOut depthwise_conv2d_fan_out(View<const Scalar>, const Shape&);                     \
  template void count_linear_per_token(const Signal<Scalar>&, const FanOut&, bool, LayerLedger&); \
  template void count_depthwise_conv2d(const Signal<Scalar>&, const FanOut&, bool, LayerLedger&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
