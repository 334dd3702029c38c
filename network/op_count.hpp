#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/op_ledger.hpp"
#include "core/sequences.hpp"
#include "core/signal.hpp"
#include "core/tensor.hpp"
#include "network/neuron_count.hpp"
#include "synapses/conv2d.hpp"
#include "synapses/delayed_linear.hpp"
#include "synapses/mixers/swla.hpp"
#include "synapses/pool.hpp"

/// The rules by which synapses are counted: docs/energy.md. What is counted depends on the signal and the weights only,
/// never on the number of threads. A signal is [T, B, ...]; its ticks are the calls of NeuroBench.
namespace synfire::network {

/// The products that an event asks for, by the input at which it comes.
struct FanOut {
  std::vector<std::uint32_t> effective;  ///< [inputs of a frame] weights that are not 0, within bounds
  std::uint64_t dense = 0;               ///< products of a frame, zero weights and silent inputs included
  std::uint64_t weights = 0, zero_weights = 0, weight_bytes = 0;
};
/// \param w  [out, in]
template <class Scalar>
FanOut linear_fan_out(View<const Scalar> w);
/// \param w   [Co, Ci, Kh, Kw]
/// \param in  [H, W, Ci]
template <class Scalar>
FanOut conv2d_fan_out(const synapses::Conv2dGeometry& geometry, View<const Scalar> w, const Shape& in);

/// \param w   [C, 1, K, K]
/// \param in  [H, W, C]
template <class Scalar>
FanOut depthwise_conv2d_fan_out(View<const Scalar> w, const Shape& in);

/// Of a population's own weights [C, C].
template <class Scalar>
FanOut feedback_fan_out(View<const Scalar> w, bool self_connections);

/// The taps of a layer with delays, by the input that they start from.
struct DelayFanOut {
  std::ptrdiff_t inputs = 0;
  std::ptrdiff_t delays = 0;             ///< 0 .. max_delay
  std::vector<std::uint32_t> effective;  ///< [delays + 1, inputs] taps that are not 0 of delays before this one
  std::vector<std::uint32_t> taps;       ///< [inputs] all that an event adds
  std::uint64_t synapses = 0;            ///< that are there
  std::uint64_t weights = 0, zero_weights = 0, weight_bytes = 0;

  /// By input, the products of an event if there are `left` ticks from its own on.
  const std::uint32_t* arriving(std::ptrdiff_t left) const {
    return effective.data() + std::clamp<std::ptrdiff_t>(left, 0, delays) * inputs;
  }
};
template <class Scalar>
DelayFanOut delay_fan_out(const synapses::DelayConfig& config, const synapses::DelayParameters<Scalar>& p);

/// Elements that are not zero: 1 or -1, and others.
struct EventCount {
  std::uint64_t unit = 0, graded = 0;

  EventCount& operator+=(const EventCount& other) {
    unit += other.unit;
    graded += other.graded;
    return *this;
  }
};

/// What a layer with this fan-out is asked for by an input, whatever engine runs it: dense_synops, eff_*, nb_*,
/// events_in, input_elems.
template <class Scalar>
EventCount count_asked(const Signal<Scalar>& x, const FanOut& fan_out, LayerLedger& record);

/// What is asked for, and what the kernels of synapses/ execute on the way that they take for it.
template <class Scalar>
void count_linear(const Signal<Scalar>& x, const FanOut& fan_out, bool has_bias, LayerLedger& record);
template <class Scalar>
void count_conv2d(const Signal<Scalar>& x, const synapses::Conv2dGeometry& geometry, const FanOut& fan_out,
                  bool has_bias, LayerLedger& record);
/// A linear map of each token of [T, B, H, W, C].
template <class Scalar>
void count_linear_per_token(const Signal<Scalar>& x, const FanOut& fan_out, bool has_bias, LayerLedger& record);
/// Its kernels take every product, silent inputs included.
template <class Scalar>
void count_depthwise_conv2d(const Signal<Scalar>& x, const FanOut& fan_out, bool has_bias, LayerLedger& record);
/// Also takes every product.
template <class Scalar>
void count_causal_conv1d(const Signal<Scalar>& x, SequenceOrder order, View<const Scalar> w, bool has_bias,
                         LayerLedger& record);
/// Two linear maps, and the arithmetic of the scan.
/// \param low_rank  [T, B P, rank] what dt_proj reads
template <class Scalar>
void count_selective_scan(const Signal<Scalar>& u, SequenceOrder order, const Signal<Scalar>& low_rank,
                          View<const Scalar> x_proj, View<const Scalar> dt_proj, LayerLedger& record);
/// Products with what would arrive after the last tick are executed, not asked for.
template <class Scalar>
void count_delayed_linear(const Signal<Scalar>& x, const synapses::DelayConfig& config,
                          const synapses::DelayParameters<Scalar>& p, const DelayFanOut& fan_out, LayerLedger& record);

/// A population's own spikes [T, B, C] on their way back to it, one tick later, or that and a delay.
template <class Scalar>
void count_feedback(const Signal<Scalar>& spikes, const FanOut& fan_out, LayerLedger& record);
template <class Scalar>
void count_delayed_feedback(const Signal<Scalar>& spikes, const DelayFanOut& fan_out, LayerLedger& record);

/// Linear attention: what its spikes ask for as additions, or every product where it multiplies.
template <class Scalar>
void count_attention(const synapses::MixerInput<Scalar>& in, const synapses::MixerConfig& config, LayerLedger& record);

/// The updates of a population that has just given `output` [T, B, ...], of which `events` are not 0.
template <class Scalar>
void count_layer_neurons(const NeuronWork& work, const Signal<Scalar>& output, std::uint64_t events,
                         LayerLedger& record);

/// Elements that are not 0.
template <class Scalar>
std::uint64_t count_nonzero(const Signal<Scalar>& x);
/// Events and bytes of a layer's input that is read once: events by their index, real values in full.
template <class Scalar>
void count_input(const Signal<Scalar>& x, std::uint64_t events, LayerLedger& record);
template <class Scalar>
void count_input(const Signal<Scalar>& x, LayerLedger& record) {
  count_input(x, count_nonzero(x), record);
}
/// The same for its output; and the layer's samples and ticks.
template <class Scalar>
void count_output(const Signal<Scalar>& y, std::uint64_t events, LayerLedger& record);

}  // namespace synfire::network
