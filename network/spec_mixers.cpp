#include "network/spec_mixers.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "synapses/mixers/mixer.hpp"

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

void read_swla(const LayerTable& table, synapses::MixerConfig& mixer) {
  using namespace synapses;
  mixer.feature =
      table.choice("feature", {"shift", "spike"}, "shift") == "shift" ? MixerFeature::shift : MixerFeature::spike;
  mixer.norm = table.choice("norm", {"sum", "fixed"}, "sum") == "sum" ? MixerNorm::sum : MixerNorm::fixed;
  mixer.eps = table.number("eps", mixer.eps, 0.0, 1e6);
  const std::string rope = table.choice("rope", {"none", "model", "head"}, "none");
  mixer.rope = rope == "none" ? MixerRope::none : rope == "model" ? MixerRope::model : MixerRope::head;
  mixer.decay = table.choice("decay", {"none", "head"}, "none") == "none" ? MixerDecay::none : MixerDecay::head;
}

}  // namespace

Operation read_attention(const LayerTable& table) {
  using namespace synapses;
  MixerConfig mixer;
  std::vector<std::string> kinds;
  for (const Mixer<float>& known : mixers<float>()) kinds.emplace_back(known.name);
  const std::string kind = table.choice("kind", kinds, "swla");
  mixer.kind = static_cast<MixerKind>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin());
  const bool runs_along =
      mixer.kind == MixerKind::lightning || mixer.kind == MixerKind::gla || mixer.kind == MixerKind::delta;
  mixer.heads = table.integer("heads", mixer.heads, 1, kMaxHeads);
  if (mixer.kind == MixerKind::swla) read_swla(table, mixer);
  if (mixer.kind == MixerKind::linear) {
    mixer.feature = MixerFeature::elu1;
    mixer.eps = table.number("eps", mixer.eps, 0.0, 1e6);
  }
  if (mixer.kind == MixerKind::ssa) mixer.feature = MixerFeature::spike;
  if (mixer.kind == MixerKind::gla || mixer.kind == MixerKind::delta || mixer.kind == MixerKind::ssa ||
      mixer.kind == MixerKind::window) {
    mixer.scale = table.number("scale", mixer.kind == MixerKind::ssa ? 0.125 : 0.0, 0.0, 1e6);
  }
  mixer.causal = runs_along ? true : table.flag("causal", false);
  if (runs_along) mixer.window_size = {0, 0, 0};
  mixer.window_size = read_axes(table, "window_size", mixer.window_size);
  mixer.window_shift = read_axes(table, "window_shift", mixer.window_shift);
  check(table, mixer);
  return AttentionSpec{mixer};
}

}  // namespace synfire::network
