#include "network/event_stepped_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace synfire::network {

namespace {

/// A model whose parameters are the rows that it came with.
neurons::RowModel<float> model_of(const RowNeurons& neurons, std::ptrdiff_t channels) {
  neurons::RowModel<float> model = neurons.model;
  for (int k = 0; k < model.num_parameters; ++k) {
    model.parameters[static_cast<std::size_t>(k)] = neurons.parameters.data() + k * channels;
  }
  return model;
}

std::vector<std::int32_t> drive_of(const Population& population) {
  std::vector<std::int32_t> drive = population.drive;
  drive.resize(static_cast<std::size_t>(population.size()));
  return drive;
}

std::vector<float> currents_of(const std::vector<std::int32_t>& drive, float unit) {
  std::vector<float> result;
  result.reserve(drive.size());
  for (const std::int32_t whole : drive) result.push_back(static_cast<float>(whole) * unit);
  return result;
}

}  // namespace

SteppedRows::SteppedRows(const Population& population)
    : neurons_(*population.rows),
      block_(population.block()),
      unit_(static_cast<float>(std::ldexp(1.0, -population.shift))),
      whole_drive_(drive_of(population)),
      drive_(currents_of(whole_drive_, unit_)),
      reach_(model_of(neurons_, block_), block_, drive_) {}

neurons::Rows<float> SteppedRows::rows(NeuronState& state, std::ptrdiff_t block) const {
  return {state.values.data() + block * neurons_.model.num_states * block_, block_};
}

float SteppedRows::current(std::int32_t sum, std::size_t n) const {
  return static_cast<float>(sum + whole_drive_[n]) * unit_;
}

void SteppedRows::start(NeuronState& state) const {
  const auto size = std::ssize(drive_), blocks = size / block_;
  const std::ptrdiff_t rows_to_compute = neurons_.model.num_kept + 2;
  state.values.assign(static_cast<std::size_t>(neurons_.model.num_states * size + rows_to_compute * block_), 0.0F);
  state.last.assign(static_cast<std::size_t>(blocks), -1);
  for (std::ptrdiff_t block = 0; block < blocks; ++block) {
    std::fill_n(rows(state, block)[0], block_, neurons_.model.constants.v_reset);
  }
}

const float* SteppedRows::advance(std::int32_t tick, std::int32_t block, NeuronState& state, std::int32_t* sums,
                                  EventCounts& counts) const {
  const neurons::RowModel<float>& model = neurons_.model;
  const neurons::Rows<float> of_block = rows(state, block);
  const neurons::Rows<float> kept = rows(state, std::ssize(drive_) / block_);
  float* const x = kept[model.num_kept];
  float* const spikes = kept[model.num_kept + 1];
  const std::ptrdiff_t first = block * block_;
  std::int32_t& last = state.last[static_cast<std::size_t>(block)];
  const std::int32_t missed = tick - last - 1;
  for (std::int32_t k = 0; k < missed; ++k) {
    model.forward(model.constants, parameters(), drive_.data() + first, of_block, kept, spikes);
  }
  for (std::ptrdiff_t n = 0; n < block_; ++n) {
    x[n] = current(sums[first + n], static_cast<std::size_t>(first + n));
    sums[first + n] = 0;
  }
  model.forward(model.constants, parameters(), x, of_block, kept, spikes);
  last = tick;
  counts.neuron_updates += static_cast<std::uint64_t>(block_);
  counts.replayed_ticks += static_cast<std::uint64_t>(block_) * static_cast<std::uint64_t>(missed);
  return spikes;
}

std::int32_t SteppedRows::could_fire_in(std::int32_t, std::int32_t block, std::int32_t horizon, NeuronState& state,
                                        EventCounts& counts) const {
  const std::int32_t wait = reach_.could_fire_in(block * block_, rows(state, block), counts.looks_computed);
  return wait == 0 || wait > horizon ? kNever : wait;
}

float SteppedRows::charged(std::int32_t, std::size_t n, const NeuronState& state, std::int32_t sum) const {
  const neurons::RowModel<float>& model = neurons_.model;
  const auto width = static_cast<std::size_t>(block_), block = n / width, place = n % width;
  std::array<float, neurons::kMaxRows> parameters{}, values{}, kept{};
  for (std::size_t k = 0; k < static_cast<std::size_t>(model.num_parameters); ++k) {
    parameters[k] = neurons_.parameters[k * width + place];
  }
  const auto states = static_cast<std::size_t>(model.num_states);
  for (std::size_t k = 0; k < states; ++k) values[k] = state.values[(block * states + k) * width + place];
  const float x = current(sum, n);
  float spike = 0.0F;
  model.forward(model.constants, {parameters.data(), 1}, &x, {values.data(), 1}, {kept.data(), 1}, &spike);
  return kept[0];
}

}  // namespace synfire::network
