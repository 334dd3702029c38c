#include <algorithm>

#include "network/event_scan.hpp"
#include "network/op_count.hpp"
#include "synapses/checks.hpp"

namespace synfire::network {

namespace {

std::uint64_t u64(std::ptrdiff_t count) { return static_cast<std::uint64_t>(count); }

/// Products that a sequence asks for: of K taps those that a token meets.
std::uint64_t taps_within(std::ptrdiff_t length, std::ptrdiff_t num_taps) {
  std::uint64_t sum = 0;
  for (std::ptrdiff_t k = 0; k < std::min(num_taps, length); ++k) sum += u64(length - k);
  return sum;
}

template <class Scalar>
void add_weights(View<const Scalar> w, LayerLedger::Sizes& sizes) {
  sizes.weights += u64(w.size());
  sizes.zero_weights += u64(std::count(w.data, w.data + w.size(), Scalar(0)));
  sizes.weight_bytes += u64(w.size()) * sizeof(Scalar);
}

}  // namespace

template <class Scalar>
void count_causal_conv1d(const Signal<Scalar>& x, SequenceOrder order, View<const Scalar> w, bool has_bias,
                         LayerLedger& record) {
  const std::ptrdiff_t channels = w.shape[0], num_taps = w.shape[1];
  const Sequences sequences(x.shape, order);
  const std::ptrdiff_t length = sequences.length(), tokens = x.shape.size_from(2) / channels;
  // [E, K]: of an event that j later tokens of its sequence can see, the taps that are not 0.
  std::vector<std::uint32_t> reached(static_cast<std::size_t>(channels * num_taps));
  for (std::ptrdiff_t e = 0; e < channels; ++e) {
    std::uint32_t nonzero = 0;
    for (std::ptrdiff_t j = 0; j < num_taps; ++j) {
      nonzero += w[e * num_taps + num_taps - 1 - j] != Scalar(0) ? 1U : 0U;
      reached[static_cast<std::size_t>(e * num_taps + j)] = nonzero;
    }
  }
  const std::ptrdiff_t inputs = x.shape.size_from(2);
  std::vector<std::uint32_t> fan_out(static_cast<std::size_t>(x.shape[0] * inputs));  // [T, inputs]
  for (std::ptrdiff_t k = 0; k < std::ssize(fan_out); ++k) {
    const std::ptrdiff_t t = k / inputs, i = k % inputs, p = i / channels;
    const std::ptrdiff_t place = order.axis == SequenceAxis::tokens  ? t * tokens + p
                                 : order.axis == SequenceAxis::frame ? p
                                                                     : t;
    const std::ptrdiff_t later = order.direction == SequenceDirection::forward ? length - 1 - place : place;
    fan_out[static_cast<std::size_t>(k)] =
        reached[static_cast<std::size_t>(i % channels * num_taps + std::min(num_taps - 1, later))];
  }
  count_calls(
      x, [&](std::ptrdiff_t t) { return fan_out.data() + t * inputs; }, record);
  const std::uint64_t dense = u64(sequences.count() * channels) * taps_within(length, num_taps);
  record.dense_synops += dense;
  add_weights(w, record.sizes);
  record.sizes.once_macs =
      u64(channels) * (order.axis == SequenceAxis::time ? u64(tokens) : taps_within(tokens, num_taps));
  if (has_bias) record.add += u64(x.shape.size());
  record.exec_macs += dense;
  record.w_rd += dense * sizeof(Scalar);
  record.io_rd += u64(x.shape.size()) * (x.is_spikes() ? 1 : sizeof(Scalar));
  record.path_dense += u64(x.shape[0] * x.shape[1]);
}

template <class Scalar>
void count_selective_scan(const Signal<Scalar>& u, SequenceOrder order, const Signal<Scalar>& low_rank,
                          View<const Scalar> x_proj, View<const Scalar> dt_proj, LayerLedger& record) {
  const std::ptrdiff_t channels = dt_proj.shape[0], states = (x_proj.shape[0] - dt_proj.shape[1]) / 2;
  const std::ptrdiff_t tokens = u.shape.size_from(2) / channels;
  count_linear_per_token(u, linear_fan_out(x_proj), false, record);

  LayerLedger of_steps;
  count_linear(low_rank, linear_fan_out(dt_proj), false, of_steps);
  record.dense_synops += of_steps.dense_synops;
  record.eff_unit += of_steps.eff_unit;
  record.eff_graded += of_steps.eff_graded;
  record.nb_acs += of_steps.nb_acs;
  record.nb_macs += of_steps.nb_macs;
  record.exec_acs += of_steps.exec_acs;
  record.exec_macs += of_steps.exec_macs;
  record.w_rd += of_steps.w_rd;
  record.addr_ops += of_steps.addr_ops;
  add_weights(dt_proj, record.sizes);
  record.sizes.once_macs += u64(tokens * dt_proj.size());

  const std::uint64_t elements = u64(u.shape.size()), of_states = elements * u64(states);
  // The step: a bias, softplus by exp and log. A state: step times rate, exp, a product and a sum for its decay, one
  // for its input, one for its read-out. Drive and skip.
  record.add += 2 * elements + 2 * of_states;
  record.mul += 2 * elements + 4 * of_states;
  record.exp += elements + of_states;
  record.log += elements;
  record.state_rd += of_states * sizeof(Scalar);
  record.state_wr += of_states * sizeof(Scalar);
  const std::ptrdiff_t sequences = order.axis == SequenceAxis::time ? tokens : 1;
  record.sizes.state_bytes = u64(sequences * channels * states) * sizeof(Scalar);
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                   \
  template void count_causal_conv1d(const Signal<Scalar>&, SequenceOrder, View<const Scalar>, bool, LayerLedger&);    \
  template void count_selective_scan(const Signal<Scalar>&, SequenceOrder, const Signal<Scalar>&, View<const Scalar>, \
                                     View<const Scalar>, LayerLedger&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
