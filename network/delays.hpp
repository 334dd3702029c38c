#pragma once

#include <string>
#include <vector>

#include "network/network.hpp"

/// What a trainer and a report need to know of the delays in a network.
namespace synfire::network {

/// Whether a node has delays that are learned.
bool has_learned_delays(const NetworkSpec& spec);

/// Narrows the bumps whose width is not learned from their own start to `final_width`: at `share` of the way, 0 to 1,
/// start (final_width / start)^share. A bump that starts narrower stays as it is.
template <class Scalar>
void narrow_bumps(Network<Scalar>& network, double share, double final_width);

/// Mean width of the bumps of learned delays, in ticks; NaN without any.
double mean_bump_width(const Network<float>& network);

/// Brings the elements of every tensor back between its lowest and highest.
template <class Scalar>
void bring_within_bounds(Network<Scalar>& network);

/// Puts every delay on the nearest whole tick, half to even: what ClockedRuntime::use_rounded_delays sees.
template <class Scalar>
void round_delays(Network<Scalar>& network);

/// Whether a delay lies between two ticks, so that the network is not yet the one that is deployed.
template <class Scalar>
bool has_unrounded_delays(const Network<Scalar>& network);

/// Delays of the synapses of one node.
struct NodeDelays {
  std::string node;
  int max_delay = 0;          ///< in ticks
  std::vector<float> delays;  ///< in ticks, not rounded; one for each position
};

/// Of every node that has delays, in order.
std::vector<NodeDelays> delays_of(const Network<float>& network);

}  // namespace synfire::network
