#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace synfire::synapses {

/// What is computed from queries, keys and values.
enum class MixerKind : std::uint8_t {
  swla,       ///< spiking window linear attention
  linear,     ///< linear attention of real values
  lightning,  ///< without a normaliser; the past fades at a fixed rate in each head
  gla,        ///< the past fades by a gate for each token and channel
  delta,      ///< a key's old value is replaced by the new one
  ssa,        ///< spiking self-attention: products of spikes, scaled
  window      ///< softmax
};

/// What a query and a key are turned into before they meet.
enum class MixerFeature : std::uint8_t {
  shift,  ///< 1 + s: ELU(s) + 1 of a spike
  spike,  ///< the value itself
  elu1    ///< x + 1 for x > 0, else e^x
};

/// What a sum of weighted values is divided by.
enum class MixerNorm : std::uint8_t {
  sum,   ///< the sum of the weights, and eps for each token
  fixed  ///< a power of two near 1/16 of the largest sum that spikes can have
};

/// Rotation of pairs of features by the position of their token.
enum class MixerRope : std::uint8_t {
  none,
  model,  ///< frequencies over the whole width, before it is cut into heads
  head    ///< the same frequencies in every head
};

enum class MixerDecay : std::uint8_t {
  none,
  head  ///< 1 - 2^-(3 + a) a tick in head a, fixed
};

/// How tokens meet. A token is a position (t, y, x); tokens meet inside their window only, which is number
/// ((t + shift_t) / size_t, (y + shift_y) / size_y, (x + shift_x) / size_x), rounded down. Windows at a border are
/// smaller; nothing is rolled or padded. A window as long as its axis, or of size 0, takes all of it and has no shift;
/// in time only if not causal: a causal window begins anew whenever t + shift_t is a multiple of its size.
struct MixerConfig {
  MixerKind kind = MixerKind::swla;
  int heads = 8;
  MixerFeature feature = MixerFeature::shift;
  MixerNorm norm = MixerNorm::sum;
  double eps = 1e-6;
  MixerRope rope = MixerRope::none;
  MixerDecay decay = MixerDecay::none;
  std::array<int, 3> window_size{1, 0, 0};  ///< t, y, x; 0 is without limit
  std::array<int, 3> window_shift{0, 0, 0};
  bool causal = false;  ///< swla, ssa, window: tokens see those of their own tick and of earlier ones; the other kinds:
                        ///< themselves and those before them in their window, in the order t, y, x
  double scale = 0.0;   ///< of products q . k in gla, delta, ssa and window; 0: 1 / sqrt(channels of a head)

  double scale_of(double channels) const { return scale > 0.0 ? scale : 1.0 / std::sqrt(channels); }
};

}  // namespace synfire::synapses
