#include "network/blocks/recurrent.hpp"

#include <algorithm>
#include <atomic>

#include "core/parallel.hpp"

namespace synfire::network {

namespace {

using neurons::kMaxRows;
using neurons::RowModel;
using neurons::Rows;

constexpr std::ptrdiff_t kForwardChunks = 32;
constexpr std::ptrdiff_t kBackwardChunks = 16;  ///< each keeps the ticks of a group
constexpr std::ptrdiff_t kShortSum = 16;        ///< ticks summed in Scalar before they are added in double

std::ptrdiff_t num_groups(std::ptrdiff_t batch) { return (batch + kGroupSamples - 1) / kGroupSamples; }

/// The rows of one sample.
template <class Scalar>
struct SampleRows {
  Rows<Scalar> parameters, state, kept;
  Scalar* spikes;
  Scalar* v_before;
  Scalar* on_its_way;

  static std::ptrdiff_t size(std::ptrdiff_t channels, std::ptrdiff_t feedback_size) {
    return (3 * kMaxRows + 2) * channels + feedback_size;
  }
  SampleRows(Scalar* memory, std::ptrdiff_t channels)
      : parameters{memory, channels},
        state{parameters[kMaxRows], channels},
        kept{state[kMaxRows], channels},
        spikes(kept[kMaxRows]),
        v_before(spikes + channels),
        on_its_way(v_before + channels) {}
};

/// The rows of a group of samples, [C, kGroupSamples] each.
template <class Scalar>
struct GroupRows {
  Rows<Scalar> parameters, state, adjoint, sums;
  Scalar* spikes;
  Scalar* current;
  Scalar* grad_spikes;
  Scalar* grad_current;
  Scalar* history;  ///< [T, num_kept] rows
  Scalar* kept;     ///< of the feedback

  static std::ptrdiff_t size(const Shape& shape, int num_kept, std::ptrdiff_t feedback_size) {
    return (4 * kMaxRows + 4 + shape[0] * num_kept) * shape[2] * kGroupSamples + feedback_size;
  }
  GroupRows(Scalar* memory, const Shape& shape, int num_kept)
      : parameters{memory, shape[2] * kGroupSamples},
        state{parameters[kMaxRows], parameters.width},
        adjoint{state[kMaxRows], parameters.width},
        sums{adjoint[kMaxRows], parameters.width},
        spikes(sums[kMaxRows]),
        current(spikes + parameters.width),
        grad_spikes(current + parameters.width),
        grad_current(grad_spikes + parameters.width),
        history(grad_current + parameters.width),
        kept(history + shape[0] * num_kept * parameters.width) {}
};

template <class Scalar>
void start(const RowModel<Scalar>& model, Rows<Scalar> state) {
  std::fill_n(state[0], state.width, model.constants.v_reset);
  std::fill_n(state[1], (kMaxRows - 1) * state.width, Scalar(0));
}

/// to[c, l] = from[l, c] for the samples that there are, and 0 for the others of a group.
template <class Scalar>
void gather(const Scalar* __restrict from, std::ptrdiff_t samples, std::ptrdiff_t channels, Scalar* __restrict to) {
  if (samples < kGroupSamples) std::fill_n(to, channels * kGroupSamples, Scalar(0));
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    for (std::ptrdiff_t l = 0; l < samples; ++l) to[c * kGroupSamples + l] = from[l * channels + c];
  }
}

template <class Scalar>
void scatter(const Scalar* __restrict from, std::ptrdiff_t samples, std::ptrdiff_t channels, Scalar* __restrict to) {
  for (std::ptrdiff_t l = 0; l < samples; ++l) {
    for (std::ptrdiff_t c = 0; c < channels; ++c) to[l * channels + c] = from[c * kGroupSamples + l];
  }
}

/// One call of the backward pass; `run` takes one group through it.
template <class Scalar>
struct BackwardGroup {
  const RowModel<Scalar>& model;
  const FeedbackAdjoint<Scalar>& feedback;
  Shape shape;
  const Scalar* current;
  const Scalar* grad_spikes;
  Scalar* grad_current;

  void run(std::ptrdiff_t group, GroupRows<Scalar>& rows, double* totals) const {
    const std::ptrdiff_t num_ticks = shape[0], channels = shape[2];
    const std::ptrdiff_t samples = std::min(kGroupSamples, shape[1] - group * kGroupSamples);
    const auto at = [&](std::ptrdiff_t t) { return (t * shape[1] + group * kGroupSamples) * channels; };
    const auto kept = [&](std::ptrdiff_t t) -> Rows<Scalar> {
      return {rows.history + t * model.num_kept * rows.state.width, rows.state.width};
    };
    start(model, rows.state);
    for (std::ptrdiff_t t = 0; t < num_ticks; ++t) {
      gather(current + at(t), samples, channels, rows.current);
      model.forward(model.constants, rows.parameters, rows.current, rows.state, kept(t), rows.spikes);
    }
    std::fill_n(rows.adjoint[0], kMaxRows * rows.adjoint.width, Scalar(0));
    std::fill_n(rows.sums[0], kMaxRows * rows.sums.width, Scalar(0));
    std::fill_n(rows.kept, feedback.memory_size(), Scalar(0));
    for (std::ptrdiff_t t = num_ticks - 1; t >= 0; --t) {
      gather(grad_spikes + at(t), samples, channels, rows.grad_spikes);
      feedback.give_back(t, rows.kept, rows.grad_spikes);
      model.backward(model.constants, rows.parameters, kept(t), rows.grad_spikes, rows.adjoint, rows.grad_current);
      feedback.keep(t, rows.grad_current, rows.kept);
      scatter(rows.grad_current, samples, channels, grad_current + at(t));
      if (totals == nullptr) continue;
      if (t == 0) {
        start(model, rows.state);
      } else {
        model.state_after(model.constants, kept(t - 1), rows.state);
      }
      gather(current + at(t), samples, channels, rows.current);
      model.sum(model.constants, rows.parameters, rows.current, kept(t), rows.state, rows.adjoint, rows.sums);
      if (t % kShortSum == 0) add_up(rows.sums, totals);
    }
  }

  void add_up(Rows<Scalar> sums, double* totals) const {
    for (int k = 0; k < model.num_sums; ++k) {
      for (std::ptrdiff_t c = 0; c < shape[2]; ++c) {
        double sum = 0.0;
        for (std::ptrdiff_t l = 0; l < kGroupSamples; ++l) {
          sum += static_cast<double>(sums[k][c * kGroupSamples + l]);
        }
        totals[model.sums_per_channel ? k * shape[2] + c : k] += sum;
      }
    }
    std::fill_n(sums[0], kMaxRows * sums.width, Scalar(0));
  }
};

}  // namespace

template <class Scalar>
std::size_t recurrent_forward_bytes(const Shape& shape, std::ptrdiff_t feedback_size) {
  const std::ptrdiff_t chunks = std::min(kForwardChunks, shape[1]);
  return static_cast<std::size_t>(chunks * SampleRows<Scalar>::size(shape[2], feedback_size)) * sizeof(Scalar);
}

template <class Scalar>
std::size_t recurrent_backward_bytes(const Shape& shape, int num_kept, std::ptrdiff_t feedback_size,
                                     std::ptrdiff_t num_totals) {
  const std::ptrdiff_t chunks = std::min(kBackwardChunks, num_groups(shape[1]));
  return static_cast<std::size_t>(chunks * num_totals) * sizeof(double) +
         static_cast<std::size_t>(chunks * GroupRows<Scalar>::size(shape, num_kept, feedback_size)) * sizeof(Scalar);
}

template <class Scalar, class Spike>
void recurrent_forward(const RowModel<Scalar>& model, const Feedback<Scalar>& feedback, View<const Scalar> x,
                       View<Scalar> current, View<Spike> spikes, std::span<std::byte> scratch, std::uint64_t* changed) {
  const std::ptrdiff_t num_ticks = x.shape[0], batch = x.shape[1], channels = x.shape[2];
  const std::ptrdiff_t size = SampleRows<Scalar>::size(channels, feedback.memory_size());
  auto* const memory = reinterpret_cast<Scalar*>(scratch.data());
  std::atomic<std::ptrdiff_t> total_changed = 0;
  parallel_chunks(batch, static_cast<int>(std::min(kForwardChunks, batch)), [&](int chunk, auto begin, auto end) {
    const SampleRows<Scalar> rows(memory + chunk * size, channels);
    for (int k = 0; k < model.num_parameters; ++k) {
      std::copy_n(model.parameters[static_cast<std::size_t>(k)], channels, rows.parameters[k]);
    }
    std::ptrdiff_t of_chunk = 0;
    for (std::ptrdiff_t b = begin; b < end; ++b) {
      start(model, rows.state);
      std::fill_n(rows.on_its_way, feedback.memory_size(), Scalar(0));
      for (std::ptrdiff_t t = 0; t < num_ticks; ++t) {
        const std::ptrdiff_t at = (t * batch + b) * channels;
        Scalar* const total = current.data + at;
        std::copy_n(x.data + at, channels, total);
        feedback.arrive(t, rows.on_its_way, total);
        const bool counts = changed != nullptr && t > 0;
        if (counts) std::copy_n(rows.state[0], channels, rows.v_before);
        model.forward(model.constants, rows.parameters, total, rows.state, rows.kept, rows.spikes);
        if (counts) of_chunk += neurons::num_differing<Scalar>(rows.v_before, rows.state[0], channels);
        feedback.send(t, rows.spikes, rows.on_its_way);
        std::transform(rows.spikes, rows.spikes + channels, spikes.data + at,
                       [](Scalar s) { return static_cast<Spike>(s); });
      }
    }
    total_changed += of_chunk;
  });
  if (changed != nullptr) *changed = static_cast<std::uint64_t>(total_changed);
}

template <class Scalar>
void recurrent_backward(const RowModel<Scalar>& model, const FeedbackAdjoint<Scalar>& feedback,
                        View<const Scalar> current, View<const Scalar> grad_spikes, View<Scalar> grad_current,
                        std::span<double> totals, std::span<std::byte> scratch) {
  const Shape& shape = current.shape;
  const std::ptrdiff_t groups = num_groups(shape[1]);
  const std::ptrdiff_t chunks = std::min(kBackwardChunks, groups);
  const auto num_totals = static_cast<std::ptrdiff_t>(totals.size());
  auto* const partial = reinterpret_cast<double*>(scratch.data());  // [chunk, total]
  auto* const memory = reinterpret_cast<Scalar*>(partial + chunks * num_totals);
  const std::ptrdiff_t size = GroupRows<Scalar>::size(shape, model.num_kept, feedback.memory_size());
  std::fill_n(partial, chunks * num_totals, 0.0);
  const BackwardGroup<Scalar> backward{model, feedback, shape, current.data, grad_spikes.data, grad_current.data};

  parallel_chunks(groups, static_cast<int>(chunks), [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
    GroupRows<Scalar> rows(memory + chunk * size, shape, model.num_kept);
    for (int k = 0; k < model.num_parameters; ++k) {
      for (std::ptrdiff_t c = 0; c < shape[2]; ++c) {
        std::fill_n(rows.parameters[k] + c * kGroupSamples, kGroupSamples,
                    model.parameters[static_cast<std::size_t>(k)][c]);
      }
    }
    for (std::ptrdiff_t group = begin; group < end; ++group) {
      backward.run(group, rows, num_totals > 0 ? partial + chunk * num_totals : nullptr);
    }
  });
  for (std::ptrdiff_t k = 0; k < num_totals; ++k) {
    double sum = 0.0;
    for (std::ptrdiff_t chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * num_totals + k];
    totals[static_cast<std::size_t>(k)] = sum;
  }
}

template std::size_t recurrent_forward_bytes<float>(const Shape&, std::ptrdiff_t);
template std::size_t recurrent_forward_bytes<double>(const Shape&, std::ptrdiff_t);
template std::size_t recurrent_backward_bytes<float>(const Shape&, int, std::ptrdiff_t, std::ptrdiff_t);
template std::size_t recurrent_backward_bytes<double>(const Shape&, int, std::ptrdiff_t, std::ptrdiff_t);
template void recurrent_forward(const RowModel<float>&, const Feedback<float>&, View<const float>, View<float>,
                                View<std::uint8_t>, std::span<std::byte>, std::uint64_t*);
template void recurrent_forward(const RowModel<float>&, const Feedback<float>&, View<const float>, View<float>,
                                View<float>, std::span<std::byte>, std::uint64_t*);
template void recurrent_forward(const RowModel<double>&, const Feedback<double>&, View<const double>, View<double>,
                                View<std::uint8_t>, std::span<std::byte>, std::uint64_t*);
template void recurrent_forward(const RowModel<double>&, const Feedback<double>&, View<const double>, View<double>,
                                View<double>, std::span<std::byte>, std::uint64_t*);
template void recurrent_backward(const RowModel<float>&, const FeedbackAdjoint<float>&, View<const float>,
                                 View<const float>, View<float>, std::span<double>, std::span<std::byte>);
template void recurrent_backward(const RowModel<double>&, const FeedbackAdjoint<double>&, View<const double>,
                                 View<const double>, View<double>, std::span<double>, std::span<std::byte>);

}  // namespace synfire::network
