#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/shape.hpp"
#include "network/network.hpp"
#include "neurons/lif.hpp"
#include "neurons/row_model.hpp"

/// A trained network as populations of neurons and the weights between them: what an event engine runs. Linear nodes
/// (pooling, flatten, batch norm, vote) are folded into the weights and a drive; delays are whole ticks.
///
/// Weights and drives are whole multiples of 2^-shift of the population they lead to, so that a sum of them is the same
/// number in any order, on any number of threads and in any engine (docs/numerics.md).
namespace synfire::network {

/// Every input reaches every output. Number is double while a program is made, then std::int32_t.
template <class Number>
struct DenseWeights {
  std::ptrdiff_t in = 0, out = 0;
  std::vector<Number> values;  ///< [in, out]
};

/// A kernel around each input pixel. Its columns stand from right to left, as the targets that they lead to from left
/// to right.
template <class Number>
struct ConvWeights {
  std::ptrdiff_t in_h = 0, in_w = 0, in_channels = 0, out_h = 0, out_w = 0, out = 0;
  std::ptrdiff_t kernel = 1, stride = 1, padding = 0;
  std::vector<Number> values;  ///< [in_channels, kernel, kernel, out]
};

/// Every synapse has its delay. The synapses of an input stand together, by delay.
template <class Number>
struct DelayedWeights {
  /// Synapses of one input with one delay.
  struct Segment {
    std::int32_t delay = 0;
    std::int32_t first = 0, last = 0;  ///< in target and values
  };
  std::ptrdiff_t in = 0, out = 0;
  std::vector<std::int32_t> first_segment;  ///< [in + 1]
  std::vector<Segment> segments;
  std::vector<std::int32_t> target;
  std::vector<Number> values;
};

/// Every input reaches the output of its own number, with one weight for all.
template <class Number>
struct DirectWeights {
  Number value{};
};

template <class Number>
using EventWeights =
    std::variant<DenseWeights<Number>, ConvWeights<Number>, DelayedWeights<Number>, DirectWeights<Number>>;

struct Projection {
  int source = 0;  ///< population
  /// Where a neuron of the source stands among the inputs of the weights: [source size], -1 for nowhere (outside all
  /// pooling windows); empty: at its own number.
  std::vector<std::int32_t> place;
  bool from_last_tick = false;  ///< reads the spikes of the tick before: what a population sends back to itself
  EventWeights<std::int32_t> weights;
};

/// Neurons that are run row by row: cuba_lif, adlif.
struct RowNeurons {
  neurons::RowModel<float> model;  ///< without its parameters, which are:
  std::vector<float> parameters;   ///< [num_parameters, C]
};

struct Population {
  enum class Kind : std::uint8_t {
    input,    ///< the events of a recording
    neurons,  ///< with a membrane and a threshold
    any,      ///< fires if any of its inputs does: max pooling of spikes
    readout,  ///< handed out in every tick: its current, or the membrane of a leaky integrator
  };
  std::string name;  ///< of the node
  int node = -1;     ///< -1: none
  Kind kind = Kind::input;
  Shape shape;                      ///< [H, W, C] or [C]
  int extra_ticks = 0;              ///< beyond those of the input
  neurons::LifParams params;        ///< of lif; of others, their threshold
  std::optional<RowNeurons> rows;   ///< of neurons that are no lif
  bool has_membrane = true;         ///< of a readout
  int shift = 0;                    ///< currents are multiples of 2^-shift
  std::vector<std::int32_t> drive;  ///< [size], in every tick; empty: none
  std::vector<Projection> inputs;

  std::ptrdiff_t size() const { return shape.size(); }
  /// Neurons that an event reaches together: the channels of a pixel where weights are a kernel, else all.
  std::ptrdiff_t block() const { return shape.rank() == 3 ? shape.channels() : size(); }
};

struct EventProgram {
  /// In an order in which spikes go from earlier to later ones: the input first, the readout last.
  std::vector<Population> populations;
  std::int32_t max_count = 255;  ///< of an input; larger ones are refused
};

/// Makes the program of a network, with its batch norms as evaluated and its delays rounded.
/// \param max_count  the largest count of an input: the fewer, the finer the grid of the weights that read it
/// \throws ShapeError that names the node for what the event engine does not run: a max pool of values, two linear
/// maps without a neuron in between
EventProgram make_event_program(const Network<float>& network, std::int32_t max_count = 255);

}  // namespace synfire::network
