#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "network/event_program.hpp"

/// What the nodes of a network hand on while an event program is made of them: spikes on their way from neurons to
/// weights, and the currents that weights make of them. Linear nodes are folded here, in double. Private to the room.
namespace synfire::network {

/// Which neurons, where they stand by now, and by how much they count.
struct EventSignal {
  int source = 0;                   ///< population
  std::vector<std::int32_t> place;  ///< as in Projection
  double factor = 1.0;
};

/// A signal behind weights.
struct EventCurrent {
  EventSignal from;
  EventWeights<double> weights;
  bool from_last_tick = false;  ///< as in Projection
};

/// What a node hands on: signals, or currents and a drive once there were weights.
struct EventExpression {
  std::vector<EventSignal> signals;
  std::vector<EventCurrent> currents;
  std::vector<double> drive;  ///< [size]; empty: none
  bool is_current = false;
};

/// Calls `body(value, output)` for every weight; only the channel of an output for a kernel.
template <class Weights, class Body>
void each_weight(Weights& weights, const Body& body) {
  using Number = typename decltype(weights.values)::value_type;
  if constexpr (std::is_same_v<std::remove_const_t<Weights>, DelayedWeights<Number>>) {
    for (std::size_t k = 0; k < weights.values.size(); ++k) body(weights.values[k], weights.target[k]);
  } else {
    for (std::size_t k = 0; k < weights.values.size(); ++k) {
      body(weights.values[k], static_cast<std::ptrdiff_t>(k) % weights.out);
    }
  }
}

/// Where a neuron stands behind a pool, -1 for nowhere: in the last window that begins at it or before, or in one some
/// windows back, as far as it lies within.
struct PoolPlace {
  synapses::PoolGeometry geometry;
  Shape in, out;  ///< [H, W, C]
  int rows_back = 0, columns_back = 0;

  std::ptrdiff_t operator()(std::ptrdiff_t n) const;
};

/// \param weight  [out, in]
DenseWeights<double> dense_weights(const Tensor<float>& weight);
/// \param weight   [out, in, kernel, kernel]
/// \param in, out  [H, W, C] of one tick
ConvWeights<double> conv_weights(const Conv2dSpec& spec, const Tensor<float>& weight, const Shape& in,
                                 const Shape& out);
/// With delays rounded to whole ticks.
/// \param is_there  of the synapse to an output from an input
DelayedWeights<double> delayed_weights(const synapses::DelayConfig& delay, const Tensor<float>& weight,
                                       const Tensor<float>& position,
                                       const std::function<bool(std::ptrdiff_t out, std::ptrdiff_t in)>& is_there);

/// A signal that goes straight into a neuron is a current with the weight 1.
EventExpression to_current(const EventExpression& from);
/// Signals behind weights.
EventExpression weighted(const EventExpression& signals, const EventWeights<double>& weights);
/// The drive grows by the bias of its channel.
void add_bias(const Tensor<float>& bias, const Shape& shape, EventExpression& current);
/// Channel c of a current becomes scale[c] times it plus shift[c]. False if there is a current without weights of its
/// own.
bool scale_channels(const std::vector<double>& scale, const std::vector<double>& shift, const Shape& shape,
                    EventExpression& current);
/// Adds `other`, signals to signals or currents to currents.
void add_expression(const EventExpression& other, EventExpression& sum);

/// Gives a population its neurons, with what they have learned.
/// \param node  whose tensors they are
void set_neurons(const NeuronConfig& config, const Network<float>& network, const std::string& node,
                 Population& population);

/// Makes the inputs of `population` from what comes into it, in whole numbers on the finest grid on which no sum of one
/// tick can leave 31 bits, whichever neurons fire. Its own place in the program is behind those that are there.
void put_on_grid(const EventExpression& current, const EventProgram& program, Population& population);

}  // namespace synfire::network
