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

/// Sums `count(first, last)` over ranges of samples; whole numbers, so the order does not matter.
template <class Count>
std::uint64_t sum_over_samples(std::ptrdiff_t samples, const Count& count) {
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(samples));
  parallel_for(samples, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t b = begin; b < end; ++b) counts[static_cast<std::size_t>(b)] = count(b);
  });
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

template <class Scalar>
std::uint64_t differing(const Scalar* a, const Scalar* b, std::ptrdiff_t count) {
  std::uint64_t result = 0;
  for (std::ptrdiff_t i = 0; i < count; ++i) result += a[i] != b[i] ? 1U : 0U;
  return result;
}

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
  const std::ptrdiff_t channels = current.shape.channels();
  return sum_over_samples(batch, [&](std::ptrdiff_t b) {
    // One row a variable, for all neurons of the sample.
    constexpr std::ptrdiff_t kMost = neurons::kMaxRows;
    std::vector<Scalar> memory(static_cast<std::size_t>((3 * kMost + 3) * neurons));
    Scalar* next = memory.data();
    const auto take = [&](std::ptrdiff_t rows) { return std::exchange(next, next + rows * neurons); };
    const synfire::neurons::Rows<Scalar> parameters{take(kMost), neurons}, state{take(kMost), neurons},
        kept{take(kMost), neurons};
    Scalar* const x = take(1);
    Scalar* const spikes = take(1);
    Scalar* const before = take(1);
    for (int k = 0; k < model.num_parameters; ++k) {
      for (std::ptrdiff_t n = 0; n < neurons; ++n) {
        parameters[k][n] = model.parameters[static_cast<std::size_t>(k)][n % channels];
      }
    }
    std::fill_n(state[0], neurons, model.constants.v_reset);
    std::uint64_t changed = static_cast<std::uint64_t>(neurons);
    for (std::ptrdiff_t t = 0; t < ticks; ++t) {
      std::copy_n(current.data + (t * batch + b) * neurons, neurons, x);
      if (!affine.scale.empty()) {
        for (std::ptrdiff_t n = 0; n < neurons; ++n) {
          x[n] = std::fma(affine.scale[n % channels], x[n], affine.shift[n % channels]);
        }
      }
      std::copy_n(state[0], neurons, before);
      model.forward(model.constants, parameters, x, state, kept, spikes);
      if (t > 0) changed += differing<Scalar>(before, state[0], neurons);
    }
    return changed;
  });
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
