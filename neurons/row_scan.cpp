#include "neurons/row_scan.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <type_traits>

#include "core/parallel.hpp"
#include "neurons/lif_rows.hpp"

namespace synfire::neurons {

namespace {

constexpr std::ptrdiff_t kWidest = 256;
constexpr std::ptrdiff_t kNarrowest = 64;
constexpr std::ptrdiff_t kMinTiles = 64;
constexpr std::ptrdiff_t kMaxChunks = 64;
constexpr std::ptrdiff_t kShortSum = 16;   ///< ticks summed in Scalar before they are added in double
constexpr std::ptrdiff_t kTicksAhead = 2;  ///< a row is fetched this long before it is read
constexpr std::size_t kHistoryBytes = std::size_t{128} << 10U;  ///< of a tile; on the stack, within the L2 cache

template <class Scalar>
constexpr std::ptrdiff_t kHistory = static_cast<std::ptrdiff_t>(kHistoryBytes / sizeof(Scalar));

std::ptrdiff_t tile_width(std::ptrdiff_t num_neurons, std::ptrdiff_t widest) {
  return std::min(widest, std::max(kNarrowest, num_neurons / kMinTiles));
}

/// Time is cut into segments whose kept rows fit the history beside the states at the begin of each segment.
struct Segments {
  std::ptrdiff_t ticks, count;
};

template <class Scalar>
Segments cut_time(const RowModel<Scalar>& model, std::ptrdiff_t num_ticks) {
  if (num_ticks * model.num_kept + model.num_states <= kHistory<Scalar> / kNarrowest) return {num_ticks, 1};
  const auto ticks = static_cast<std::ptrdiff_t>(std::ceil(std::sqrt(static_cast<double>(num_ticks))));
  return {ticks, (num_ticks + ticks - 1) / ticks};
}

template <class Scalar, class Spike>
void write_spikes(const Scalar* __restrict from, std::ptrdiff_t width, Spike* __restrict to) {
  for (std::ptrdiff_t i = 0; i < width; ++i) to[i] = static_cast<Spike>(from[i]);
}

/// One tile: the rows that a model needs beside its history.
template <class Scalar>
struct Tile {
  std::ptrdiff_t first, width;
  alignas(64) Scalar parameter_rows[kMaxRows * kWidest];
  alignas(64) Scalar state_rows[kMaxRows * kWidest];
  alignas(64) Scalar spikes[kWidest];

  Rows<const Scalar> parameters() const { return {parameter_rows, width}; }
  Rows<Scalar> state() { return {state_rows, width}; }

  void begin(const RowModel<Scalar>& model, std::ptrdiff_t first_neuron, std::ptrdiff_t num, std::ptrdiff_t channels) {
    first = first_neuron;
    width = num;
    for (int k = 0; k < model.num_parameters; ++k) {
      std::ptrdiff_t channel = first % channels;
      for (std::ptrdiff_t i = 0; i < width; channel = 0) {
        const std::ptrdiff_t run = std::min(width - i, channels - channel);
        std::copy_n(model.parameters[static_cast<std::size_t>(k)] + channel, run, parameter_rows + k * width + i);
        i += run;
      }
    }
    start(model);
  }
  void start(const RowModel<Scalar>& model) {
    std::fill_n(state_rows, width, model.constants.v_reset);
    std::fill_n(state_rows + width, (kMaxRows - 1) * width, Scalar(0));
  }
};

template <class Scalar>
class BackwardTile {
 public:
  BackwardTile(const RowModel<Scalar>& model, View<const Scalar> x, View<const Scalar> grad_spikes, View<Scalar> grad_x)
      : model_(model),
        segments_(cut_time(model, x.shape[0])),
        num_ticks_(x.shape[0]),
        num_neurons_(x.shape.size_from(1)),
        num_channels_(x.shape.channels()),
        x_(x.data),
        grad_spikes_(grad_spikes.data),
        grad_x_(grad_x.data) {}

  std::ptrdiff_t widest() const {
    const std::ptrdiff_t rows = segments_.ticks * model_.num_kept + segments_.count * model_.num_states;
    return std::clamp<std::ptrdiff_t>(kHistory<Scalar> / rows, 1, kWidest);
  }

  /// Adds to totals unless it is null.
  void run(std::ptrdiff_t first, std::ptrdiff_t width, double* totals) const {
    alignas(64) Scalar history[kHistory<Scalar>];
    alignas(64) Scalar adjoint_rows[kMaxRows * kWidest];
    Sums sums;
    Tile<Scalar> tile;
    tile.begin(model_, first, width, num_channels_);
    Scalar* const checkpoints = history + segments_.ticks * model_.num_kept * width;
    const std::ptrdiff_t state_size = model_.num_states * width;

    for (std::ptrdiff_t segment = 0; segment < segments_.count; ++segment) {
      std::copy_n(tile.state_rows, state_size, checkpoints + segment * state_size);
      if (segment + 1 == segments_.count) break;
      for (std::ptrdiff_t i = 0; i < segments_.ticks; ++i) replay(tile, segment * segments_.ticks + i, history);
    }
    std::fill_n(adjoint_rows, kMaxRows * width, Scalar(0));
    for (std::ptrdiff_t segment = segments_.count - 1; segment >= 0; --segment) {
      const Scalar* const checkpoint = checkpoints + segment * state_size;
      const std::ptrdiff_t begin = segment * segments_.ticks;
      const std::ptrdiff_t end = std::min(num_ticks_, begin + segments_.ticks);
      const auto kept = [&](std::ptrdiff_t t) { return history + (t - begin) * model_.num_kept * width; };
      std::copy_n(checkpoint, state_size, tile.state_rows);
      for (std::ptrdiff_t t = begin; t < end; ++t) replay(tile, t, kept(t));
      for (std::ptrdiff_t t = end - 1; t >= begin; --t) {
        const Rows<Scalar> adjoint{adjoint_rows, width};
        step_back(tile, t, kept(t), adjoint);
        if (totals == nullptr) continue;
        if (t == begin) {
          std::copy_n(checkpoint, state_size, tile.state_rows);
        } else {
          model_.state_after(model_.constants, {kept(t - 1), width}, tile.state());
        }
        model_.sum(model_.constants, tile.parameters(), row(x_, t, first), {kept(t), width}, tile.state(), adjoint,
                   {sums.of_few_ticks, width});
        if (t % kShortSum == 0) sums.add_up(model_.num_sums * width);
      }
    }
    if (totals != nullptr) add_to(totals, sums, first, width);
  }

 private:
  struct Sums {
    alignas(64) Scalar of_few_ticks[kMaxRows * kWidest] = {};
    alignas(64) double all[kMaxRows * kWidest] = {};

    void add_up(std::ptrdiff_t size) {
      for (std::ptrdiff_t i = 0; i < size; ++i) all[i] += static_cast<double>(of_few_ticks[i]);
      std::fill_n(of_few_ticks, size, Scalar(0));
    }
  };

  template <class T>
  T* row(T* base, std::ptrdiff_t t, std::ptrdiff_t first) const {
    return base + t * num_neurons_ + first;
  }
  void replay(Tile<Scalar>& tile, std::ptrdiff_t t, Scalar* kept) const {
    const Scalar* const x = row(x_, t, tile.first);
    if (t + kTicksAhead < num_ticks_) cpu::prefetch_row(x + kTicksAhead * num_neurons_, tile.width);
    model_.forward(model_.constants, tile.parameters(), x, tile.state(), {kept, tile.width}, tile.spikes);
  }
  void step_back(const Tile<Scalar>& tile, std::ptrdiff_t t, const Scalar* kept, Rows<Scalar> adjoint) const {
    alignas(64) Scalar grad_x[kWidest];  // not in place: dL/ds may lie there
    const Scalar* const e = row(grad_spikes_, t, tile.first);
    if (t >= kTicksAhead) cpu::prefetch_row(e - kTicksAhead * num_neurons_, tile.width);
    model_.backward(model_.constants, tile.parameters(), {kept, tile.width}, e, adjoint, grad_x);
    std::copy_n(grad_x, tile.width, row(grad_x_, t, tile.first));
  }
  void add_to(double* totals, const Sums& sums, std::ptrdiff_t first, std::ptrdiff_t width) const {
    for (int k = 0; k < model_.num_sums; ++k) {
      const double* const of_row = sums.all + k * width;
      if (!model_.sums_per_channel) {
        for (std::ptrdiff_t i = 0; i < width; ++i) totals[k] += of_row[i];
        continue;
      }
      for (std::ptrdiff_t i = 0; i < width; ++i) totals[k * num_channels_ + (first + i) % num_channels_] += of_row[i];
    }
  }

  const RowModel<Scalar>& model_;
  Segments segments_;
  std::ptrdiff_t num_ticks_, num_neurons_, num_channels_;
  const Scalar* x_;
  const Scalar* grad_spikes_;
  Scalar* grad_x_;
};

}  // namespace

std::size_t row_scan_scratch_bytes(std::ptrdiff_t num_totals) {
  return static_cast<std::size_t>(num_totals * kMaxChunks) * sizeof(double);
}

template <class Scalar, class Spike>
void row_scan_forward(const RowModel<Scalar>& model, View<const Scalar> x, View<Spike> spikes, std::uint64_t* changed) {
  const std::ptrdiff_t num_ticks = x.shape[0];
  const std::ptrdiff_t num_neurons = x.shape.size_from(1);
  const std::ptrdiff_t width = tile_width(num_neurons, kWidest);
  std::atomic<std::ptrdiff_t> total_changed = 0;
  parallel_for((num_neurons + width - 1) / width, 1, [&](std::ptrdiff_t first_tile, std::ptrdiff_t last_tile) {
    alignas(64) Scalar kept[kMaxRows * kWidest];
    alignas(64) Scalar before[kWidest];
    Tile<Scalar> tile;
    std::ptrdiff_t of_tiles = 0;
    for (std::ptrdiff_t k = first_tile; k < last_tile; ++k) {
      tile.begin(model, k * width, std::min(width, num_neurons - k * width), x.shape.channels());
      for (std::ptrdiff_t t = 0; t < num_ticks; ++t) {
        const std::ptrdiff_t at = t * num_neurons + tile.first;
        if (t + kTicksAhead < num_ticks) cpu::prefetch_row(x.data + at + kTicksAhead * num_neurons, tile.width);
        const bool counts = changed != nullptr && t > 0;
        if (counts) std::copy_n(tile.state_rows, tile.width, before);
        model.forward(model.constants, tile.parameters(), x.data + at, tile.state(), {kept, tile.width}, tile.spikes);
        if (counts) of_tiles += num_differing(before, tile.state_rows, tile.width);
        write_spikes(tile.spikes, tile.width, spikes.data + at);
      }
    }
    total_changed += of_tiles;
  });
  if (changed != nullptr) *changed = static_cast<std::uint64_t>(total_changed);
}

template <class Scalar>
void row_scan_backward(const RowModel<Scalar>& model, View<const Scalar> x, View<const Scalar> grad_spikes,
                       View<Scalar> grad_x, std::span<double> totals, std::span<std::byte> scratch) {
  const std::ptrdiff_t num_neurons = x.shape.size_from(1);
  const auto num_totals = static_cast<std::ptrdiff_t>(totals.size());
  const BackwardTile<Scalar> backward(model, x, grad_spikes, grad_x);
  const std::ptrdiff_t width = tile_width(num_neurons, backward.widest());
  const std::ptrdiff_t num_tiles = (num_neurons + width - 1) / width;
  const std::ptrdiff_t num_chunks = std::min(num_tiles, kMaxChunks);
  auto* const partial = reinterpret_cast<double*>(scratch.data());  // [chunk, total]
  if (num_totals > 0) std::fill_n(partial, num_totals * num_chunks, 0.0);

  parallel_chunks(num_tiles, static_cast<int>(num_chunks), [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t tile = begin; tile < end; ++tile) {
      backward.run(tile * width, std::min(width, num_neurons - tile * width),
                   num_totals > 0 ? partial + num_totals * chunk : nullptr);
    }
  });
  for (std::ptrdiff_t k = 0; k < num_totals; ++k) {
    double sum = 0.0;
    for (std::ptrdiff_t chunk = 0; chunk < num_chunks; ++chunk) sum += partial[num_totals * chunk + k];
    totals[static_cast<std::size_t>(k)] = sum;
  }
}

template void row_scan_forward(const RowModel<float>&, View<const float>, View<std::uint8_t>, std::uint64_t*);
template void row_scan_forward(const RowModel<float>&, View<const float>, View<float>, std::uint64_t*);
template void row_scan_forward(const RowModel<double>&, View<const double>, View<std::uint8_t>, std::uint64_t*);
template void row_scan_forward(const RowModel<double>&, View<const double>, View<double>, std::uint64_t*);
template void row_scan_backward(const RowModel<float>&, View<const float>, View<const float>, View<float>,
                                std::span<double>, std::span<std::byte>);
template void row_scan_backward(const RowModel<double>&, View<const double>, View<const double>, View<double>,
                                std::span<double>, std::span<std::byte>);

}  // namespace synfire::neurons
