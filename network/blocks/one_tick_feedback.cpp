#include "network/blocks/one_tick_feedback.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "network/blocks/group_packs.hpp"

namespace synfire::network {

namespace {

template <class Scalar>
void add_scaled(std::ptrdiff_t count, Scalar factor, const Scalar* __restrict from, Scalar* __restrict to) {
  for (std::ptrdiff_t i = 0; i < count; ++i) to[i] += factor * from[i];
}

/// to[k, l] += sum_i rows[k, i] kept[i, l] for kRows neighbouring rows: a block of a product that stays in registers.
template <std::ptrdiff_t kRows, class Scalar>
void multiply_rows(std::ptrdiff_t num_neurons, const Scalar* rows, const Scalar* kept, Scalar* to) {
  GroupPacks<Scalar> sum[kRows];
  for (std::ptrdiff_t k = 0; k < kRows; ++k) sum[k].load(to + k * kGroupSamples);
  for (std::ptrdiff_t i = 0; i < num_neurons; ++i) {
    GroupPacks<Scalar> of_i;
    of_i.load(kept + i * kGroupSamples);
    for (std::ptrdiff_t k = 0; k < kRows; ++k) sum[k].add(rows[k * num_neurons + i], of_i);
  }
  for (std::ptrdiff_t k = 0; k < kRows; ++k) sum[k].store(to + k * kGroupSamples);
}

}  // namespace

template <class Scalar>
void transpose_feedback(const Scalar* weight, std::ptrdiff_t num_neurons, bool self_connections, Scalar* transposed) {
  parallel_for(num_neurons, 16, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t j = begin; j < end; ++j) {
      for (std::ptrdiff_t i = 0; i < num_neurons; ++i) {
        transposed[j * num_neurons + i] = i == j && !self_connections ? Scalar(0) : weight[i * num_neurons + j];
      }
    }
  });
}

template <class Scalar>
void OneTickFeedback<Scalar>::arrive(std::ptrdiff_t /*t*/, Scalar* memory, Scalar* current) const {
  for (std::ptrdiff_t i = 0; i < num_neurons_; ++i) current[i] += memory[i];
  std::fill_n(memory, num_neurons_, Scalar(0));
}

template <class Scalar>
void OneTickFeedback<Scalar>::send(std::ptrdiff_t /*t*/, const Scalar* spikes, Scalar* memory) const {
  for (std::ptrdiff_t j = 0; j < num_neurons_; ++j) {
    if (spikes[j] != Scalar(0)) add_scaled(num_neurons_, spikes[j], transposed_ + j * num_neurons_, memory);
  }
}

template <class Scalar>
void OneTickAdjoint<Scalar>::keep(std::ptrdiff_t /*t*/, const Scalar* grad_current, Scalar* memory) const {
  std::copy_n(grad_current, memory_size(), memory);
}

template <class Scalar>
void OneTickAdjoint<Scalar>::give_back(std::ptrdiff_t /*t*/, const Scalar* memory, Scalar* grad_spikes) const {
  constexpr std::ptrdiff_t kRows = 8 * synapses::kLanes<Scalar> / kGroupSamples;
  std::ptrdiff_t j = 0;
  for (; j + kRows <= num_neurons_; j += kRows) {
    multiply_rows<kRows>(num_neurons_, transposed_ + j * num_neurons_, memory, grad_spikes + j * kGroupSamples);
  }
  for (; j < num_neurons_; ++j) {
    multiply_rows<1>(num_neurons_, transposed_ + j * num_neurons_, memory, grad_spikes + j * kGroupSamples);
  }
}

template void transpose_feedback(const float*, std::ptrdiff_t, bool, float*);
template void transpose_feedback(const double*, std::ptrdiff_t, bool, double*);
template class OneTickFeedback<float>;
template class OneTickFeedback<double>;
template class OneTickAdjoint<float>;
template class OneTickAdjoint<double>;

}  // namespace synfire::network
