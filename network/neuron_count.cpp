#include "network/neuron_count.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/parallel.hpp"

namespace synfire::network {

namespace {

NeuronWork membrane_work(const neurons::LifConfig& config) {
  NeuronWork work{.states = 1, .add = 1, .mul = 1, .cmp = 1, .add_per_spike = config.v_reset ? 0 : 1};
  if (config.v_reset && *config.v_reset != 0.0) work.add += 2;
  if (config.decay_input) {
    ++work.mul;
    ++work.add;
  }
  return work;
}

NeuronWork work_of(const neurons::LifConfig& config) { return membrane_work(config); }

NeuronWork work_of(const neurons::CubaLifConfig& config) {
  NeuronWork work = membrane_work(config.membrane);
  ++work.states;
  ++work.mul;
  ++work.add;
  return work;
}

/// alpha u, (1 - alpha) (x - w); beta w, a u, and their sum's factor (1 - beta) q; b is added for a spike.
NeuronWork work_of(const neurons::AdlifConfig&) {
  return {.states = 2, .add = 3, .mul = 5, .cmp = 1, .add_per_spike = 1};
}

/// In short runs of 32 bits, which become vector code.
template <class Scalar>
std::uint64_t differing(const Scalar* a, const Scalar* b, std::ptrdiff_t count) {
  constexpr std::ptrdiff_t kRun = 4096;
  std::uint64_t result = 0;
  for (std::ptrdiff_t first = 0; first < count; first += kRun) {
    const std::ptrdiff_t last = std::min(count, first + kRun);
    std::uint32_t in_run = 0;
    for (std::ptrdiff_t i = first; i < last; ++i) in_run += static_cast<std::uint32_t>(a[i] != b[i]);
    result += in_run;
  }
  return result;
}

/// Neurons whose state stays in the first cache while they go through time.
constexpr std::ptrdiff_t kTileWidth = 512;

/// Neighbouring neurons of one sample: a row for each of their variables.
template <class Scalar>
class Tile {
 public:
  Tile(const neurons::RowModel<Scalar>& model, const neurons::ChannelAffine<Scalar>& affine, std::ptrdiff_t channels,
       std::ptrdiff_t first, std::ptrdiff_t width)
      : model_(model), affine_(affine), width_(width) {
    std::fill_n(state_[0], width, model.constants.v_reset);
    for (std::ptrdiff_t n = 0; n < width; ++n) {
      const std::ptrdiff_t c = (first + n) % channels;
      for (int k = 0; k < model.num_parameters; ++k) {
        parameters_[k][n] = model.parameters[static_cast<std::size_t>(k)][c];
      }
      if (affine.scale.empty()) continue;
      scale_[n] = affine.scale[c];
      shift_[n] = affine.shift[c];
    }
  }

  /// One tick; the number of membranes that it changes.
  std::uint64_t step(const Scalar* current) {
    if (!affine_.scale.empty()) {
      for (std::ptrdiff_t n = 0; n < width_; ++n) x_[n] = std::fma(scale_[n], current[n], shift_[n]);
      current = x_;
    }
    std::copy_n(state_[0], width_, before_);
    model_.forward(model_.constants, parameters_, current, state_, kept_, spikes_);
    return differing<Scalar>(before_, state_[0], width_);
  }

 private:
  using Rows = neurons::Rows<Scalar>;
  Rows take(int rows) { return {std::exchange(next_, next_ + rows * width_), width_}; }

  const neurons::RowModel<Scalar>& model_;
  const neurons::ChannelAffine<Scalar>& affine_;
  std::ptrdiff_t width_;
  Scalar memory_[(3 * neurons::kMaxRows + 5) * kTileWidth] = {};
  Scalar* next_ = memory_;
  Rows parameters_ = take(neurons::kMaxRows), state_ = take(neurons::kMaxRows), kept_ = take(neurons::kMaxRows);
  Scalar* x_ = take(1)[0];
  Scalar* spikes_ = take(1)[0];
  Scalar* before_ = take(1)[0];
  Scalar* scale_ = take(1)[0];
  Scalar* shift_ = take(1)[0];
};

}  // namespace

NeuronWork neuron_work(const NeuronConfig& config) {
  return std::visit([](const auto& of_model) { return work_of(of_model); }, config);
}

NeuronWork neuron_work(const LeakyIntegratorSpec& spec) {
  NeuronWork work = membrane_work(integrator_config(spec));
  work.cmp = 0;
  work.add_per_spike = 0;
  return work;
}

void count_neurons(const NeuronWork& work, std::uint64_t updates, std::uint64_t spikes, std::uint64_t neurons,
                   std::size_t scalar_bytes, LayerLedger& record) {
  const auto times = [&](int count) { return updates * static_cast<std::uint64_t>(count); };
  record.neuron_updates += updates;
  record.add += times(work.add) + spikes * static_cast<std::uint64_t>(work.add_per_spike);
  record.mul += times(work.mul);
  record.cmp += times(work.cmp);
  record.state_rd += times(work.states) * scalar_bytes;
  record.state_wr += times(work.states) * scalar_bytes;
  record.sizes.neurons = neurons;
  record.sizes.state_bytes = neurons * static_cast<std::uint64_t>(work.states) * scalar_bytes;
}

template <class Scalar>
std::uint64_t changed_membranes(const neurons::RowModel<Scalar>& model, View<const Scalar> current,
                                const neurons::ChannelAffine<Scalar>& affine) {
  const std::ptrdiff_t ticks = current.shape[0], batch = current.shape[1], neurons = current.shape.size_from(2);
  const std::ptrdiff_t tiles = (neurons + kTileWidth - 1) / kTileWidth;
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(batch * tiles));
  parallel_for(batch * tiles, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t k = begin; k < end; ++k) {
      const std::ptrdiff_t sample = k / tiles, first = k % tiles * kTileWidth;
      const std::ptrdiff_t width = std::min(kTileWidth, neurons - first);
      Tile<Scalar> tile(model, affine, current.shape.channels(), first, width);
      auto changed = static_cast<std::uint64_t>(width);
      for (std::ptrdiff_t t = 0; t < ticks; ++t) {
        const std::uint64_t of_tick = tile.step(current.data + (t * batch + sample) * neurons + first);
        if (t > 0) changed += of_tick;
      }
      counts[static_cast<std::size_t>(k)] = changed;
    }
  });
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

template <class Scalar>
std::uint64_t changed_values(View<const Scalar> membranes) {
  const std::ptrdiff_t frame = membranes.shape.size_from(1);
  std::uint64_t changed = static_cast<std::uint64_t>(frame);
  for (std::ptrdiff_t t = 1; t < membranes.shape[0]; ++t) {
    changed += differing(membranes.data + (t - 1) * frame, membranes.data + t * frame, frame);
  }
  return changed;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                              \
  template std::uint64_t changed_membranes(const neurons::RowModel<Scalar>&, View<const Scalar>, \
                                           const neurons::ChannelAffine<Scalar>&);               \
  template std::uint64_t changed_values(View<const Scalar>);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
