#include "network/blocks/delayed_feedback.hpp"

#include "network/blocks/group_packs.hpp"
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

/// Synapses of so few taps are added one by one: fixed delays, and the network that is deployed.
constexpr std::ptrdiff_t kFewTaps = 2;

/// Adds the taps of one list of synapses, for a spike, to the rows of their neurons.
template <std::ptrdiff_t kWidth, class Scalar>
void add_few_taps(const TapTable<Scalar>& table, std::ptrdiff_t list, Scalar spike, Scalar* rows) {
  const std::int32_t* const offset = table.offset + list * table.slots();
  const Scalar* const taps = table.taps + list * table.slots() * kWidth;
  for (std::ptrdiff_t slot = 0; slot < table.count[list]; ++slot) {
    for (std::ptrdiff_t k = 0; k < kWidth; ++k) rows[offset[slot] + k] += spike * taps[slot * kWidth + k];
  }
}

/// The same for synapses of kPacks vectors of taps, or of any number of them (0).
template <std::ptrdiff_t kPacks, class Scalar>
void add_list(const TapTable<Scalar>& table, std::ptrdiff_t list, Scalar spike, Scalar* rows) {
  constexpr std::ptrdiff_t kLanes = synapses::kLanes<Scalar>;
  const std::int32_t* const offset = table.offset + list * table.slots();
  const Scalar* taps = table.taps + list * table.slots() * table.width;
  const std::ptrdiff_t packs = kPacks > 0 ? kPacks : table.width / kLanes;
  const auto factor = synapses::broadcast(spike);
  for (std::ptrdiff_t slot = 0; slot < table.count[list]; ++slot, taps += table.width) {
    Scalar* const row = rows + offset[slot];
    for (std::ptrdiff_t p = 0; p < packs; ++p) {
      const auto sum =
          synapses::multiply_add(factor, synapses::load(taps + p * kLanes), synapses::load(row + p * kLanes));
      synapses::store<Scalar>(sum, row + p * kLanes);
    }
  }
}

/// part += kWidth neighbouring taps of one synapse times kept rows; two parts, since an addition waits for the one
/// before.
template <std::ptrdiff_t kWidth, class Scalar>
void add_synapse(const Scalar* taps, const Scalar* from, GroupPacks<Scalar>* part) {
  for (std::ptrdiff_t k = 0; k < kWidth; ++k) part[k % 2].add(taps[k], from + k * kGroupSamples);
}

/// sum += the taps of one list of synapses times the kept rows of their neurons. kWidth is the table's width or, for
/// wide tables, divides it.
template <std::ptrdiff_t kWidth, class Scalar>
void gather_list(const TapTable<Scalar>& table, std::ptrdiff_t list, const Scalar* kept, GroupPacks<Scalar>& sum) {
  const std::int32_t* const offset = table.offset + list * table.slots();
  const Scalar* const taps = table.taps + list * table.slots() * table.width;
  const std::ptrdiff_t count = table.count[list];
  GroupPacks<Scalar> part[4];
  for (std::ptrdiff_t k = 0; k < table.width; k += kWidth) {
    const auto add = [&](std::ptrdiff_t slot, GroupPacks<Scalar>* to) {
      add_synapse<kWidth>(taps + slot * table.width + k, kept + (offset[slot] + k) * kGroupSamples, to);
    };
    std::ptrdiff_t slot = 0;
    for (; slot + 2 <= count; slot += 2) {
      add(slot, part);
      add(slot + 1, part + 2);
    }
    if (slot < count) add(slot, part);
  }
  part[0].add(part[1]);
  part[2].add(part[3]);
  part[0].add(part[2]);
  sum.add(part[0]);
}

/// Taps that are unrolled; wider synapses take several of them.
constexpr std::ptrdiff_t kWidest = 8;

template <class Scalar>
using GatherList = void (*)(const TapTable<Scalar>&, std::ptrdiff_t, const Scalar*, GroupPacks<Scalar>&);

template <class Scalar>
GatherList<Scalar> gather_for(std::ptrdiff_t width) {
  static constexpr GatherList<Scalar> kOfWidth[] = {
      &gather_list<1, Scalar>, &gather_list<2, Scalar>, &gather_list<3, Scalar>, &gather_list<4, Scalar>,
      &gather_list<5, Scalar>, &gather_list<6, Scalar>, &gather_list<7, Scalar>, &gather_list<8, Scalar>};
  return kOfWidth[std::min(width, kWidest) - 1];
}

}  // namespace

template <class Scalar>
TapTable<Scalar> DelayedFeedbackSizes::table() const {
  const std::ptrdiff_t width =
      reach <= kFewTaps ? reach : synapses::packs_for<Scalar>(reach) * synapses::kLanes<Scalar>;
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
  const std::ptrdiff_t width = reach <= kWidest ? reach : (reach + kWidest - 1) / kWidest * kWidest;
  return {synapses::TapOrder::by_input, num_neurons, num_neurons, 1, width, (num_ticks + 1 + max_delay + width) | 1};
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
  constexpr std::ptrdiff_t kBlock = 256;
  std::int32_t active[kBlock];
  const auto add = table_.width == 1                          ? &add_few_taps<1, Scalar>
                   : table_.width == kFewTaps                 ? &add_few_taps<kFewTaps, Scalar>
                   : table_.width == synapses::kLanes<Scalar> ? &add_list<1, Scalar>
                                                              : &add_list<0, Scalar>;
  for (std::ptrdiff_t first = 0; first < sizes_.num_neurons; first += kBlock) {
    const std::ptrdiff_t last = std::min(first + kBlock, sizes_.num_neurons);
    std::ptrdiff_t count = 0;
    for (std::ptrdiff_t j = first; j < last; ++j) {
      active[count] = static_cast<std::int32_t>(j);
      count += spikes[j] != Scalar(0) ? 1 : 0;
    }
    for (std::ptrdiff_t tile = 0; tile < table_.tiles(); ++tile) {
      Scalar* const rows = memory + tile * kTileNeurons * table_.row_length + t + 1;
      for (std::ptrdiff_t k = 0; k < count; ++k) {
        const std::ptrdiff_t list = table_.list(tile, active[k]);
        add(table_, list, spikes[active[k]], rows);
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
  const GatherList<Scalar> gather = gather_for<Scalar>(table_.width);
  // The rows of a tile stay in the first cache.
  for (std::ptrdiff_t tile = 0; tile < table_.tiles(); ++tile) {
    const Scalar* const rows = memory + (tile * kTileNeurons * table_.row_length + t + 1) * kGroupSamples;
    for (std::ptrdiff_t j = 0; j < sizes_.num_neurons; ++j) {
      GroupPacks<Scalar> sum;
      sum.load(grad_spikes + j * kGroupSamples);
      gather(table_, table_.list(tile, j), rows, sum);
      sum.store(grad_spikes + j * kGroupSamples);
    }
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
