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
void set_weights(View<const Scalar> w, std::uint64_t once_macs, LayerLedger& record) {
  record.sizes.weights = u64(w.size());
  record.sizes.zero_weights = u64(std::count(w.data, w.data + w.size(), Scalar(0)));
  record.sizes.weight_bytes = u64(w.size()) * sizeof(Scalar);
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

/// Adds what a part of the frames came to.
void add_executed(const LayerLedger& part, LayerLedger& record) {
  record.exec_acs += part.exec_acs;
  record.exec_macs += part.exec_macs;
  record.addr_ops += part.addr_ops;
  record.w_rd += part.w_rd;
  record.io_rd += part.io_rd;
  record.path_dense += part.path_dense;
  record.path_scatter += part.path_scatter;
}

/// `events` find their targets and add a weight, or a multiple of it, to each.
void scatter(const EventCount& products, std::uint64_t events, std::size_t weight_bytes, LayerLedger& record) {
  record.exec_acs += products.unit;
  record.exec_macs += products.graded;
  record.w_rd += (products.unit + products.graded) * weight_bytes;
  record.addr_ops += 2 * events + products.unit + products.graded;
  record.io_rd += events * kEventBytes;
}

/// What a convolution executes in one frame, band by band.
template <class Scalar, class T>
class Conv2dFrame {
 public:
  explicit Conv2dFrame(const Conv2dExtents& e)
      : e_(e), columns_(static_cast<std::size_t>(e.in_w * e.in())), rows_(static_cast<std::size_t>(e.in_h)) {
    for (std::ptrdiff_t i = 0; i < std::ssize(columns_); ++i) {
      columns_[static_cast<std::size_t>(i)] =
          static_cast<std::uint32_t>(outputs_of(e.g, e.g.kernel_w, i / e.in(), 0, e.out_w));
    }
  }

  void count(const T* frame, LayerLedger& record) {
    for (std::ptrdiff_t r = 0; r < e_.in_h; ++r) {
      Row row;
      each_event(frame + r * e_.in_w * e_.in(), e_.in_w * e_.in(), [&](std::ptrdiff_t i, auto unit) {
        (unit ? row.unit : row.graded) += columns_[static_cast<std::size_t>(i)];
        ++row.events;
      });
      rows_[static_cast<std::size_t>(r)] = row;
    }
    for (std::ptrdiff_t k = 0; k < Conv2dBand::count(e_); ++k) count_band(Conv2dBand(e_, k), record);
  }

 private:
  /// Events of an input row, and the outputs along the row that see them.
  struct Row {
    std::uint64_t events = 0, unit = 0, graded = 0;
  };

  void count_band(const Conv2dBand& band, LayerLedger& record) const {
    std::uint64_t events = 0;
    EventCount products;
    for (std::ptrdiff_t r = band.first_row; r < band.last_row; ++r) {
      const Row& row = rows_[static_cast<std::size_t>(r)];
      const auto targets = u64(outputs_of(e_.g, e_.g.kernel_h, r, band.begin, band.end) * e_.out());
      events += row.events;
      products.unit += row.unit * targets;
      products.graded += row.graded * targets;
    }
    if (!band.is_dense(e_, static_cast<std::ptrdiff_t>(events))) {
      scatter(products, events, sizeof(Scalar), record);
      ++record.path_scatter;
      return;
    }
    const std::uint64_t weights = u64(e_.taps() * e_.in() * e_.out());
    record.exec_macs += u64((band.end - band.begin) * e_.out_w) * weights;
    record.w_rd += weights * sizeof(Scalar);
    record.io_rd += u64(band.elements(e_)) * sizeof(T);
    ++record.path_dense;
  }

  const Conv2dExtents& e_;
  std::vector<std::uint32_t> columns_;  // [W C] outputs along a row that see an element
  std::vector<Row> rows_;
};

}  // namespace

template <class Scalar>
FanOut linear_fan_out(View<const Scalar> w) {
  const std::ptrdiff_t out = w.shape[0], in = w.shape[1];
  FanOut result{std::vector<std::uint32_t>(static_cast<std::size_t>(in)), u64(w.size())};
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
EventCount count_asked(const Signal<Scalar>& x, const FanOut& fan_out, LayerLedger& record) {
  record.dense_synops += u64(x.shape[0] * x.shape[1]) * fan_out.dense;
  return count_calls(
      x, [&](std::ptrdiff_t, std::ptrdiff_t i) { return fan_out.effective[static_cast<std::size_t>(i)]; }, record);
}

template <class Scalar>
void count_linear(const Signal<Scalar>& x, View<const Scalar> w, bool has_bias, LayerLedger& record) {
  const FanOut fan_out = linear_fan_out(w);
  const EventCount events = count_asked(x, fan_out, record);
  const std::uint64_t frames = u64(x.shape[0] * x.shape[1]), out = u64(w.shape[0]);
  set_weights(w, fan_out.dense, record);
  if (has_bias) record.add += frames * out;
  if (synapses::linear_is_dense(x)) {
    record.exec_macs += frames * fan_out.dense;
    record.w_rd += frames * fan_out.dense * sizeof(Scalar);
    record.io_rd += u64(x.shape.size()) * sizeof(Scalar);
    record.path_dense += frames;
  } else {
    scatter({events.unit * out, events.graded * out}, events.unit + events.graded, sizeof(Scalar), record);
    record.path_scatter += frames;
  }
}

template <class Scalar>
void count_conv2d(const Signal<Scalar>& x, const synapses::Conv2dGeometry& g, View<const Scalar> w, bool has_bias,
                  LayerLedger& record) {
  const Shape in = x.shape.drop_front(2);
  const FanOut fan_out = conv2d_fan_out(g, w, in);
  count_asked(x, fan_out, record);
  set_weights(w, fan_out.dense, record);
  const Conv2dExtents e = extents_of(g, x.shape[0] * x.shape[1], in);
  if (has_bias) record.add += u64(e.frames * e.out_size());

  constexpr int kChunks = 64;
  std::array<LayerLedger, kChunks> parts;
  synapses::with_elements(x, [&]<class T>(const T* elements) {
    parallel_chunks(e.frames, kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      Conv2dFrame<Scalar, T> frame(e);
      for (std::ptrdiff_t f = begin; f < end; ++f) {
        frame.count(elements + f * e.in_size(), parts[static_cast<std::size_t>(chunk)]);
      }
    });
  });
  for (const LayerLedger& part : parts) add_executed(part, record);
}

template <class Scalar>
void count_feedback(const Signal<Scalar>& spikes, View<const Scalar> w, bool self_connections, LayerLedger& record) {
  FanOut fan_out = linear_fan_out(w);
  set_weights(w, 0, record);
  const std::ptrdiff_t neurons = w.shape[0];
  for (std::ptrdiff_t n = 0; n < neurons && !self_connections; ++n) {
    if (w[n * (neurons + 1)] == Scalar(0)) continue;
    --fan_out.effective[static_cast<std::size_t>(n)];
    ++record.sizes.zero_weights;
  }
  // A step-wise model reads silence at its first tick, and nobody reads the spikes of the last one.
  record.dense_synops += u64(spikes.shape[0] * spikes.shape[1]) * fan_out.dense;
  const std::ptrdiff_t last = spikes.shape[0] - 1;
  const EventCount events = count_calls(
      spikes,
      [&](std::ptrdiff_t t, std::ptrdiff_t i) {
        return t < last ? fan_out.effective[static_cast<std::size_t>(i)] : 0U;
      },
      record);
  const std::uint64_t targets = u64(neurons);
  scatter({events.unit * targets, events.graded * targets}, events.unit + events.graded, sizeof(Scalar), record);
  record.path_scatter += u64(spikes.shape[0] * spikes.shape[1]);
}

template <class Scalar>
void count_layer_neurons(const NeuronWork& work, const Signal<Scalar>& output, LayerLedger& record) {
  const std::uint64_t spikes = work.add_per_spike > 0 ? u64(num_events(output)) : 0;
  count_neurons(work, u64(output.shape.size()), spikes, u64(output.shape.size_from(2)), sizeof(Scalar), record);
}

template <class Scalar>
void count_input(const Signal<Scalar>& x, LayerLedger& record) {
  const std::uint64_t events = u64(num_events(x));
  record.events_in += events;
  record.input_elems += u64(x.shape.size());
  record.io_rd += x.is_spikes() ? events * kEventBytes : u64(x.shape.size()) * sizeof(Scalar);
}

template <class Scalar>
void count_output(const Signal<Scalar>& y, LayerLedger& record) {
  const std::uint64_t events = u64(num_events(y));
  record.events_out += events;
  record.output_elems += u64(y.shape.size());
  record.io_wr += y.is_spikes() ? events * kEventBytes : u64(y.shape.size()) * sizeof(Scalar);
  record.samples += u64(y.shape[1]);
  record.ticks += u64(y.shape[0] * y.shape[1]);
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                            \
  template FanOut linear_fan_out(View<const Scalar>);                                                          \
  template FanOut conv2d_fan_out(const synapses::Conv2dGeometry&, View<const Scalar>, const Shape&);           \
  template EventCount count_asked(const Signal<Scalar>&, const FanOut&, LayerLedger&);                         \
  template void count_linear(const Signal<Scalar>&, View<const Scalar>, bool, LayerLedger&);                   \
  template void count_conv2d(const Signal<Scalar>&, const synapses::Conv2dGeometry&, View<const Scalar>, bool, \
                             LayerLedger&);                                                                    \
  template void count_feedback(const Signal<Scalar>&, View<const Scalar>, bool, LayerLedger&);                 \
  template void count_layer_neurons(const NeuronWork&, const Signal<Scalar>&, LayerLedger&);                   \
  template void count_input(const Signal<Scalar>&, LayerLedger&);                                              \
  template void count_output(const Signal<Scalar>&, LayerLedger&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
