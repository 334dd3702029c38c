#include "network/spec_mixers.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace synfire::network {

namespace {

constexpr std::int64_t kMaxHeads = 1 << 16;
constexpr double kMaxExtent = 1 << 20;

/// Whole numbers for t, y, x.
std::array<int, 3> read_axes(const LayerTable& table, const std::string& key, const std::array<int, 3>& fallback) {
  const std::vector<double> values = table.numbers(key, {fallback.begin(), fallback.end()});
  if (values.size() != 3) table.fail(key, fmt::format("needs three numbers [t, y, x], got {}", values.size()));
  std::array<int, 3> result{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double value = values[axis];
    if (value != std::floor(value) || value < 0.0 || value > kMaxExtent) {
      table.fail(key, fmt::format("needs whole numbers from 0 to {}, got {}", kMaxExtent, value));
    }
    result[axis] = static_cast<int>(value);
  }
  return result;
}

void check(const LayerTable& table, const synapses::MixerConfig& mixer) {
  using namespace synapses;
  if (mixer.feature == MixerFeature::spike && mixer.rope != MixerRope::none) {
    table.fail("rope", "needs the feature \"shift\": rotated spikes can have a weight without a sum of weights");
  }
  if (mixer.decay == MixerDecay::head && !mixer.causal) table.fail("decay", "needs causal = true");
  if (mixer.decay == MixerDecay::head && mixer.window_size[0] != 0) {
    table.fail("decay", fmt::format("needs a window without limit in time (0), got {}", mixer.window_size[0]));
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int size = mixer.window_size[axis], shift = mixer.window_shift[axis];
    if (shift > 0 && shift >= size) {
      table.fail("window_shift", fmt::format("must be less than the window's size ({}), got {}", size, shift));
    }
  }
}

}  // namespace

Operation read_attention(const LayerTable& table) {
  using namespace synapses;
  MixerConfig mixer;
  table.choice("kind", {"swla"}, "swla");
  mixer.heads = table.integer("heads", mixer.heads, 1, kMaxHeads);
  mixer.feature =
      table.choice("feature", {"shift", "spike"}, "shift") == "shift" ? MixerFeature::shift : MixerFeature::spike;
  mixer.norm = table.choice("norm", {"sum", "fixed"}, "sum") == "sum" ? MixerNorm::sum : MixerNorm::fixed;
  mixer.eps = table.number("eps", mixer.eps, 0.0, 1e6);
  const std::string rope = table.choice("rope", {"none", "model", "head"}, "none");
  mixer.rope = rope == "none" ? MixerRope::none : rope == "model" ? MixerRope::model : MixerRope::head;
  mixer.decay = table.choice("decay", {"none", "head"}, "none") == "none" ? MixerDecay::none : MixerDecay::head;
  mixer.window_size = read_axes(table, "window_size", mixer.window_size);
  mixer.window_shift = read_axes(table, "window_shift", mixer.window_shift);
  mixer.causal = table.flag("causal", false);
  check(table, mixer);
  return AttentionSpec{mixer};
}

}  // namespace synfire::network
