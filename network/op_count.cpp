#include "network/op_count.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/parallel.hpp"
#include "network/event_scan.hpp"
#include "synapses/checks.hpp"
#include "synapses/conv2d_cpu.hpp"
#include "synapses/linear.hpp"

namespace synfire::network {

namespace {

using synapses::ceil_div;
using synapses::Conv2dBand;
using synapses::Conv2dExtents;
using synapses::floor_div;

std::uint64_t u64(std::ptrdiff_t count) { return static_cast<std::uint64_t>(count); }

template <class Scalar>
void set_weights(View<const Scalar> w, FanOut& fan_out) {
  fan_out.weights = u64(w.size());
  fan_out.zero_weights = u64(std::count(w.data, w.data + w.size(), Scalar(0)));
  fan_out.weight_bytes = u64(w.size()) * sizeof(Scalar);
}

void set_weights(const FanOut& fan_out, std::uint64_t once_macs, LayerLedger& record) {
  record.sizes.weights = fan_out.weights;
  record.sizes.zero_weights = fan_out.zero_weights;
  record.sizes.weight_bytes = fan_out.weight_bytes;
  record.sizes.once_macs = once_macs;
}

/// Outputs along one axis that see input position `at`, from output `begin` to before `end`.
std::ptrdiff_t outputs_of(const synapses::Conv2dGeometry& g, int kernel, std::ptrdiff_t at, std::ptrdiff_t begin,
                          std::ptrdiff_t end) {
  const std::ptrdiff_t first = std::max(begin, ceil_div(at + g.padding - kernel + 1, g.stride));
  const std::ptrdiff_t last = std::min(end - 1, floor_div(at + g.padding, g.stride));
  return std::max<std::ptrdiff_t>(0, last - first + 1);
}

Conv2dExtents extents_of(const synapses::Conv2dGeometry& g, std::ptrdiff_t frames, const Shape& in) {
  return {g,
          frames,
          in[0],
          in[1],
          g.out_extent(static_cast<int>(in[0]), g.kernel_h),
          g.out_extent(static_cast<int>(in[1]), g.kernel_w)};
}

/// `events` find their targets and add a weight, or a multiple of it, to each.
void scatter(const EventCount& products, std::uint64_t events, std::size_t weight_bytes, LayerLedger& record) {
  record.exec_acs += products.unit;
  record.exec_macs += products.graded;
  record.w_rd += (products.unit + products.graded) * weight_bytes;
  record.addr_ops += 2 * events + products.unit + products.graded;
  record.io_rd += events * kEventBytes;
}

/// What a convolution is asked for and executes in one tick.
struct Conv2dCall {
  Tally asked;
  EventCount scattered;                ///< products
  std::uint64_t scattered_events = 0;  ///< by band: an event of two bands is read twice
  std::uint64_t dense_outputs = 0, dense_elements = 0;
  std::uint64_t dense_bands = 0, scatter_bands = 0;
};

/// Counts frames, row by row and band by band.
template <class T>
class Conv2dFrame {
 public:
  Conv2dFrame(const Conv2dExtents& e, const FanOut& fan_out)
      : e_(e),
        fan_out_(fan_out),
        columns_(static_cast<std::size_t>(e.in_w * e.in())),
        rows_(static_cast<std::size_t>(e.in_h)) {
    for (std::ptrdiff_t i = 0; i < std::ssize(columns_); ++i) {
      columns_[static_cast<std::size_t>(i)] =
          static_cast<Columns>(outputs_of(e.g, e.g.kernel_w, i / e.in(), 0, e.out_w));
    }
  }

  void count(const T* frame, Conv2dCall& call) {
    const std::ptrdiff_t row_size = e_.in_w * e_.in();
    Tally asked;
    for (std::ptrdiff_t r = 0; r < e_.in_h; ++r) {
      Tally& row = rows_[static_cast<std::size_t>(r)];
      row = tally(frame + r * row_size, columns_.data(), row_size);
      const auto targets = u64(outputs_of(e_.g, e_.g.kernel_h, r, 0, e_.out_h) * e_.out());
      asked.events += row.events;
      asked.products.unit += row.products.unit * targets;
      asked.products.graded += row.products.graded * targets;
    }
    // Without zero weights, an event asks for a whole kernel, as far as it is within bounds.
    if (fan_out_.zero_weights > 0) asked = tally(frame, fan_out_.effective.data(), e_.in_size());
    call.asked += asked;
    for (std::ptrdiff_t k = 0; k < Conv2dBand::count(e_); ++k) count_band(Conv2dBand(e_, k), call);
  }

 private:
  /// The spikes' sums are faster in 16 bits. No kernel is so wide that it would not fit.
  using Columns = std::conditional_t<std::is_same_v<T, std::uint8_t>, std::uint16_t, std::uint32_t>;

  void count_band(const Conv2dBand& band, Conv2dCall& call) const {
    std::uint64_t events = 0;
    EventCount products;
    for (std::ptrdiff_t r = band.first_row; r < band.last_row; ++r) {
      const Tally& row = rows_[static_cast<std::size_t>(r)];
      const auto targets = u64(outputs_of(e_.g, e_.g.kernel_h, r, band.begin, band.end) * e_.out());
      events += row.events.unit + row.events.graded;
      products.unit += row.products.unit * targets;
      products.graded += row.products.graded * targets;
    }
    if (!band.is_dense(e_, static_cast<std::ptrdiff_t>(events))) {
      call.scattered += products;
      call.scattered_events += events;
      ++call.scatter_bands;
      return;
    }
    call.dense_outputs += u64((band.end - band.begin) * e_.out_w);
    call.dense_elements += u64(band.elements(e_));
    ++call.dense_bands;
  }

  const Conv2dExtents& e_;
  const FanOut& fan_out_;
  std::vector<Columns> columns_;  // [W C] outputs along a row that see an element
  std::vector<Tally> rows_;       // of each input row, with the outputs along a row as products
};

}  // namespace

template <class Scalar>
FanOut linear_fan_out(View<const Scalar> w) {
  const std::ptrdiff_t out = w.shape[0], in = w.shape[1];
  FanOut result{std::vector<std::uint32_t>(static_cast<std::size_t>(in)), u64(w.size())};
  set_weights(w, result);
  for (std::ptrdiff_t o = 0; o < out; ++o) {
    for (std::ptrdiff_t i = 0; i < in; ++i) {
      result.effective[static_cast<std::size_t>(i)] += w[o * in + i] != Scalar(0) ? 1U : 0U;
    }
  }
  return result;
}

template <class Scalar>
FanOut conv2d_fan_out(const synapses::Conv2dGeometry& g, View<const Scalar> w, const Shape& in) {
  const Conv2dExtents e = extents_of(g, 1, in);
  const std::ptrdiff_t channels = e.in();
  std::vector<std::uint32_t> nonzero(static_cast<std::size_t>(channels * e.taps()));  // over all outputs
  for (std::ptrdiff_t k = 0; k < w.size(); ++k) {
    nonzero[static_cast<std::size_t>(k % (channels * e.taps()))] += w[k] != Scalar(0) ? 1U : 0U;
  }
  FanOut result{std::vector<std::uint32_t>(static_cast<std::size_t>(in.size())), 0};
  set_weights(w, result);
  for (std::ptrdiff_t i = 0; i < e.out_h; ++i) {
    for (std::ptrdiff_t j = 0; j < e.out_w; ++j) {
      for (std::ptrdiff_t tap = 0; tap < e.taps(); ++tap) {
        const std::ptrdiff_t y = i * g.stride - g.padding + tap / g.kernel_w;
        const std::ptrdiff_t x = j * g.stride - g.padding + tap % g.kernel_w;
        if (y < 0 || y >= e.in_h || x < 0 || x >= e.in_w) continue;
        result.dense += u64(channels * e.out());
        std::uint32_t* const pixel = result.effective.data() + (y * e.in_w + x) * channels;
        for (std::ptrdiff_t c = 0; c < channels; ++c) pixel[c] += nonzero[static_cast<std::size_t>(c * e.taps() + tap)];
      }
    }
  }
  return result;
}

template <class Scalar>
FanOut feedback_fan_out(View<const Scalar> w, bool self_connections) {
  FanOut result = linear_fan_out(w);
  const std::ptrdiff_t neurons = w.shape[0];
  for (std::ptrdiff_t n = 0; n < neurons && !self_connections; ++n) {
    if (w[n * (neurons + 1)] == Scalar(0)) continue;
    --result.effective[static_cast<std::size_t>(n)];
    ++result.zero_weights;
  }
  return result;
}

template <class Scalar>
EventCount count_asked(const Signal<Scalar>& x, const FanOut& fan_out, LayerLedger& record) {
  record.dense_synops += u64(x.shape[0] * x.shape[1]) * fan_out.dense;
  return count_calls(
      x, [&](std::ptrdiff_t) { return fan_out.effective.data(); }, record);
}

template <class Scalar>
void count_linear(const Signal<Scalar>& x, const FanOut& fan_out, bool has_bias, LayerLedger& record) {
  const EventCount events = count_asked(x, fan_out, record);
  const std::uint64_t num_events = events.unit + events.graded;
  const std::uint64_t frames = u64(x.shape[0] * x.shape[1]), out = fan_out.dense / u64(x.shape.channels());
  set_weights(fan_out, fan_out.dense, record);
  if (has_bias) record.add += frames * out;
  if (synapses::linear_is_dense(x.is_spikes(), static_cast<std::ptrdiff_t>(num_events), x.shape.size())) {
    record.exec_macs += frames * fan_out.dense;
    record.w_rd += frames * fan_out.dense * sizeof(Scalar);
    record.io_rd += u64(x.shape.size()) * sizeof(Scalar);
    record.path_dense += frames;
  } else {
    scatter({events.unit * out, events.graded * out}, num_events, sizeof(Scalar), record);
    record.path_scatter += frames;
  }
}

template <class Scalar>
void count_conv2d(const Signal<Scalar>& x, const synapses::Conv2dGeometry& g, const FanOut& fan_out, bool has_bias,
                  LayerLedger& record) {
  const std::ptrdiff_t ticks = x.shape[0], batch = x.shape[1];
  const Conv2dExtents e = extents_of(g, ticks * batch, x.shape.drop_front(2));
  set_weights(fan_out, fan_out.dense, record);
  record.dense_synops += u64(e.frames) * fan_out.dense;
  record.input_elems += u64(x.shape.size());
  if (has_bias) record.add += u64(e.frames * e.out_size());

  std::vector<Conv2dCall> calls(static_cast<std::size_t>(ticks));
  synapses::with_elements(x, [&]<class T>(const T* elements) {
    parallel_for(ticks, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      Conv2dFrame<T> frame(e, fan_out);
      for (std::ptrdiff_t f = begin * batch; f < end * batch; ++f) {
        frame.count(elements + f * e.in_size(), calls[static_cast<std::size_t>(f / batch)]);
      }
    });
  });
  const std::uint64_t weights = u64(e.taps() * e.in() * e.out());
  for (const Conv2dCall& call : calls) {
    add_call(call.asked, record);
    record.events_in += call.asked.events.unit + call.asked.events.graded;
    scatter(call.scattered, call.scattered_events, sizeof(Scalar), record);
    record.path_scatter += call.scatter_bands;
    record.exec_macs += call.dense_outputs * weights;
    record.w_rd += call.dense_bands * weights * sizeof(Scalar);
    record.io_rd += call.dense_elements * (x.is_spikes() ? 1 : sizeof(Scalar));
    record.path_dense += call.dense_bands;
  }
}

template <class Scalar>
void count_feedback(const Signal<Scalar>& spikes, const FanOut& fan_out, LayerLedger& record) {
  set_weights(fan_out, 0, record);
  // A step-wise model reads silence at its first tick, and nobody reads the spikes of the last one.
  record.dense_synops += u64(spikes.shape[0] * spikes.shape[1]) * fan_out.dense;
  const std::ptrdiff_t last = spikes.shape[0] - 1;
  const std::vector<std::uint32_t> none(fan_out.effective.size());
  const EventCount events = count_calls(
      spikes, [&](std::ptrdiff_t t) { return t < last ? fan_out.effective.data() : none.data(); }, record);
  const std::uint64_t targets = u64(spikes.shape.channels());
  scatter({events.unit * targets, events.graded * targets}, events.unit + events.graded, sizeof(Scalar), record);
  record.path_scatter += u64(spikes.shape[0] * spikes.shape[1]);
}

template <class Scalar>
void count_layer_neurons(const NeuronWork& work, const Signal<Scalar>& output, std::uint64_t events,
                         LayerLedger& record) {
  count_neurons(work, u64(output.shape.size()), events, u64(output.shape.size_from(2)), sizeof(Scalar), record);
}

template <class Scalar>
std::uint64_t count_nonzero(const Signal<Scalar>& x) {
  return u64(num_events(x));
}

template <class Scalar>
void count_input(const Signal<Scalar>& x, std::uint64_t events, LayerLedger& record) {
  record.events_in += events;
  record.input_elems += u64(x.shape.size());
  record.io_rd += x.is_spikes() ? events * kEventBytes : u64(x.shape.size()) * sizeof(Scalar);
}

template <class Scalar>
void count_output(const Signal<Scalar>& y, std::uint64_t events, LayerLedger& record) {
  record.events_out += events;
  record.output_elems += u64(y.shape.size());
  record.io_wr += y.is_spikes() ? events * kEventBytes : u64(y.shape.size()) * sizeof(Scalar);
  record.samples += u64(y.shape[1]);
  record.ticks += u64(y.shape[0] * y.shape[1]);
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                         \
  template FanOut linear_fan_out(View<const Scalar>);                                                       \
  template FanOut conv2d_fan_out(const synapses::Conv2dGeometry&, View<const Scalar>, const Shape&);        \
  template FanOut feedback_fan_out(View<const Scalar>, bool);                                               \
  template EventCount count_asked(const Signal<Scalar>&, const FanOut&, LayerLedger&);                      \
  template void count_linear(const Signal<Scalar>&, const FanOut&, bool, LayerLedger&);                     \
  template void count_conv2d(const Signal<Scalar>&, const synapses::Conv2dGeometry&, const FanOut&, bool,   \
                             LayerLedger&);                                                                 \
  template void count_feedback(const Signal<Scalar>&, const FanOut&, LayerLedger&);                         \
  template void count_layer_neurons(const NeuronWork&, const Signal<Scalar>&, std::uint64_t, LayerLedger&); \
  template std::uint64_t count_nonzero(const Signal<Scalar>&);                                              \
  template void count_input(const Signal<Scalar>&, std::uint64_t, LayerLedger&);                            \
  template void count_output(const Signal<Scalar>&, std::uint64_t, LayerLedger&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
