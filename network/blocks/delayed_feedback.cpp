#include "network/blocks/delayed_feedback.hpp"

#include "synapses/delay_rows.hpp"

namespace synfire::network {

namespace {

using synapses::DelayConfig;
using synapses::DelayParameters;
using synapses::kTileNeurons;
using synapses::TapTable;

template <class Scalar>
TapTable<Scalar> built(TapTable<Scalar> table, const DelayConfig& config, const DelayParameters<Scalar>& parameters,
                       std::span<std::byte> memory) {
  synapses::ScratchCursor cursor(memory);
  table.take(cursor);
  synapses::build_taps(config, parameters, table);
  return table;
}

template <class Scalar>
void add_taps(std::ptrdiff_t count, Scalar spike, const Scalar* __restrict taps, Scalar* __restrict row) {
  for (std::ptrdiff_t k = 0; k < count; ++k) row[k] += spike * taps[k];
}

/// sum[l] += the taps of one list of synapses times the kept rows of their neurons.
template <class Scalar>
void gather_list(const TapTable<Scalar>& table, std::ptrdiff_t list, const Scalar* __restrict kept,
                 Scalar* __restrict sum) {
  const std::int32_t* const offset = table.offset + list * table.slots();
  const Scalar* __restrict taps = table.taps + list * table.slots() * table.width;
  for (std::ptrdiff_t slot = 0; slot < table.count[list]; ++slot, taps += table.width) {
    const Scalar* __restrict from = kept + offset[slot] * kGroupSamples;
    for (std::ptrdiff_t k = 0; k < table.width; ++k, from += kGroupSamples) {
      for (std::ptrdiff_t l = 0; l < kGroupSamples; ++l) sum[l] += taps[k] * from[l];
    }
  }
}

}  // namespace

template <class Scalar>
TapTable<Scalar> DelayedFeedbackSizes::table() const {
  const std::ptrdiff_t width = synapses::packs_for<Scalar>(reach) * synapses::kLanes<Scalar>;
  // What arrives after the last tick still has its place.
  return {synapses::TapOrder::by_input,
          num_neurons,
          num_neurons,
          1,
          width,
          synapses::row_length_for<Scalar>(num_ticks + 1 + max_delay + width)};
}

template <class Scalar>
TapTable<Scalar> DelayedFeedbackSizes::adjoint_table() const {
  return {synapses::TapOrder::by_input, num_neurons, num_neurons, 1, reach, (num_ticks + 1 + max_delay + reach) | 1};
}

template <class Scalar>
DelayedFeedback<Scalar>::DelayedFeedback(const DelayedFeedbackSizes& sizes, const DelayConfig& config,
                                         const DelayParameters<Scalar>& parameters, std::span<std::byte> memory)
    : sizes_(sizes), table_(built(sizes.table<Scalar>(), config, parameters, memory)) {}

template <class Scalar>
void DelayedFeedback<Scalar>::arrive(std::ptrdiff_t t, Scalar* memory, Scalar* current) const {
  for (std::ptrdiff_t i = 0; i < sizes_.num_neurons; ++i) current[i] += memory[i * table_.row_length + t];
}

template <class Scalar>
void DelayedFeedback<Scalar>::send(std::ptrdiff_t t, const Scalar* spikes, Scalar* memory) const {
  for (std::ptrdiff_t tile = 0; tile < table_.tiles(); ++tile) {
    Scalar* const rows = memory + tile * kTileNeurons * table_.row_length + t + 1;
    for (std::ptrdiff_t j = 0; j < sizes_.num_neurons; ++j) {
      if (spikes[j] == Scalar(0)) continue;
      const std::ptrdiff_t list = table_.list(tile, j);
      const std::int32_t* const offset = table_.offset + list * table_.slots();
      const Scalar* const taps = table_.taps + list * table_.slots() * table_.width;
      for (std::ptrdiff_t slot = 0; slot < table_.count[list]; ++slot) {
        add_taps(table_.width, spikes[j], taps + slot * table_.width, rows + offset[slot]);
      }
    }
  }
}

template <class Scalar>
DelayedAdjoint<Scalar>::DelayedAdjoint(const DelayedFeedbackSizes& sizes, const DelayConfig& config,
                                       const DelayParameters<Scalar>& parameters, std::span<std::byte> memory)
    : sizes_(sizes), table_(built(sizes.adjoint_table<Scalar>(), config, parameters, memory)) {}

template <class Scalar>
void DelayedAdjoint<Scalar>::keep(std::ptrdiff_t t, const Scalar* grad_current, Scalar* memory) const {
  for (std::ptrdiff_t i = 0; i < sizes_.num_neurons; ++i) {
    std::copy_n(grad_current + i * kGroupSamples, kGroupSamples, memory + (i * table_.row_length + t) * kGroupSamples);
  }
}

template <class Scalar>
void DelayedAdjoint<Scalar>::give_back(std::ptrdiff_t t, const Scalar* memory, Scalar* grad_spikes) const {
  for (std::ptrdiff_t j = 0; j < sizes_.num_neurons; ++j) {
    Scalar sum[kGroupSamples] = {};
    for (std::ptrdiff_t tile = 0; tile < table_.tiles(); ++tile) {
      gather_list(table_, table_.list(tile, j),
                  memory + (tile * kTileNeurons * table_.row_length + t + 1) * kGroupSamples, sum);
    }
    for (std::ptrdiff_t l = 0; l < kGroupSamples; ++l) grad_spikes[j * kGroupSamples + l] += sum[l];
  }
}

template TapTable<float> DelayedFeedbackSizes::table() const;
template TapTable<double> DelayedFeedbackSizes::table() const;
template TapTable<float> DelayedFeedbackSizes::adjoint_table() const;
template TapTable<double> DelayedFeedbackSizes::adjoint_table() const;
template class DelayedFeedback<float>;
template class DelayedFeedback<double>;
template class DelayedAdjoint<float>;
template class DelayedAdjoint<double>;

}  // namespace synfire::network
