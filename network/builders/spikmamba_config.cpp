#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "network/builders/builder.hpp"
#include "network/builders/spikmamba.hpp"

namespace synfire::network {

namespace {

using synapses::MixerDecay;
using synapses::MixerFeature;
using synapses::MixerNorm;
using synapses::MixerRope;
using Profile = SpikmambaConfig::Profile;
using ScanAxis = SpikmambaConfig::ScanAxis;

constexpr std::int64_t kMaxTicks = 1 << 20;

int count(const ConfigTable& table, const char* key, std::optional<std::int64_t> fallback, std::int64_t most) {
  return static_cast<int>(table.integer(key, fallback, 1, most));
}

void read_mixer(const ConfigTable& table, const ConfigTable& network, SpikmambaConfig& config) {
  const bool spiking = config.profile == Profile::spike;
  synapses::MixerConfig& mixer = config.mixer;
  config.has_mixer = table.choice("kind", {"swla", "none"}, "swla") != "none";
  mixer.feature = table.choice("feature", {"shift", "spike"}, spiking ? "spike" : "shift") == "shift"
                      ? MixerFeature::shift
                      : MixerFeature::spike;
  if (spiking && mixer.feature == MixerFeature::shift) {
    table.fail("feature", "network.profile = \"spike\" needs \"spike\": a shifted spike is never silent");
  }
  mixer.norm = table.choice("norm", {"sum", "fixed"}, "sum") == "sum" ? MixerNorm::sum : MixerNorm::fixed;
  mixer.eps = table.number("eps", mixer.eps, 0.0, 1.0);
  const std::string rope =
      table.choice("rope", {"model", "head", "none"}, mixer.feature == MixerFeature::spike ? "none" : "model");
  mixer.rope = rope == "model" ? MixerRope::model : rope == "head" ? MixerRope::head : MixerRope::none;
  if (mixer.rope != MixerRope::none && mixer.feature == MixerFeature::spike) {
    table.fail("rope", "must be \"none\" with feature = \"spike\": a rotated spike could meet a sum of weights of 0");
  }
  mixer.heads = count(network, "heads", 8, kMaxBuilderWidth);
  if (config.width % mixer.heads != 0) {
    network.fail("heads", fmt::format("must divide the width {}, got {}", config.width, mixer.heads));
  }
  if (mixer.rope == MixerRope::model && config.width % 4 != 0) {
    network.fail("width", fmt::format("must be a multiple of 4 with mixer.rope = \"model\", got {}", config.width));
  }
  if (mixer.rope == MixerRope::head && config.width / mixer.heads % 4 != 0) {
    network.fail("heads", fmt::format("with mixer.rope = \"head\" each head needs a multiple of 4 channels, has {}",
                                      config.width / mixer.heads));
  }
  mixer.decay = table.choice("decay", {"none", "head"}, "none") == "none" ? MixerDecay::none : MixerDecay::head;
}

void read_window(const ConfigTable& table, const ConfigTable& mixer_table, synapses::MixerConfig& mixer) {
  const std::vector<double> size = table.numbers("size", std::vector<double>{1, 32, 32});
  if (size.size() != mixer.window_size.size()) {
    table.fail("size", fmt::format("must be [t, y, x], got {} numbers", size.size()));
  }
  for (std::size_t axis = 0; axis < size.size(); ++axis) {
    if (!(size[axis] >= 0.0 && size[axis] <= static_cast<double>(kMaxTicks)) || size[axis] != std::floor(size[axis])) {
      table.fail("size", fmt::format("must be whole numbers, 0 for no limit, got {}", size[axis]));
    }
    mixer.window_size[axis] = static_cast<int>(size[axis]);
  }
  mixer.causal = table.flag("causal", false);
  if (table.choice("shift", {"half", "none"}, "half") == "half") {
    for (std::size_t axis = mixer.causal ? 1 : 0; axis < size.size(); ++axis) {
      mixer.window_shift[axis] = mixer.window_size[axis] / 2;
    }
  }
  if (mixer.decay == MixerDecay::head && !mixer.causal) {
    mixer_table.fail("decay", "\"head\" needs window.causal = true: sums decay from tick to tick");
  }
  if (mixer.decay == MixerDecay::head && mixer.window_size[0] != 0) {
    table.fail("size", fmt::format("mixer.decay = \"head\" needs a window without limit in time (0), got {}",
                                   mixer.window_size[0]));
  }
}

void read_scan(const ConfigTable& table, SpikmambaConfig& config) {
  config.has_scan = table.choice("kind", {"mamba", "none"}, "mamba") != "none";
  const std::string axis = table.choice("axis", {"tokens", "frame", "time"}, "tokens");
  config.scan_axis = axis == "tokens" ? ScanAxis::tokens : axis == "frame" ? ScanAxis::frame : ScanAxis::time;
  config.scan_state = count(table, "state", 16, 256);
  config.scan_expand = count(table, "expand", 2, 64);
  config.scan_conv = count(table, "conv", 4, 64);
  if (config.has_mixer && config.has_scan && config.mixer.causal && config.scan_axis == ScanAxis::tokens) {
    table.fail("axis", "\"tokens\" sees later ticks: with window.causal = true it must be \"frame\" or \"time\"");
  }
}

}  // namespace

SpikmambaConfig read_spikmamba(const ConfigTable& table, double dt_ms) {
  SpikmambaConfig config;
  config.profile =
      table.choice("profile", {"hybrid", "spike"}, "hybrid") == "hybrid" ? Profile::hybrid : Profile::spike;
  config.patch = count(table, "patch", 8, 1024);
  config.width = count(table, "width", 256, kMaxBuilderWidth);
  config.blocks = count(table, "blocks", 2, kMaxBuilderBlocks);
  config.mlp_ratio = count(table, "mlp_ratio", 4, 64);
  config.classes = count(table, "classes", {}, kMaxClasses);
  if (table.flag("pos_time", true)) config.time_ticks = count(table, "time_ticks", {}, kMaxTicks);
  config.droppath = table.number("droppath", config.droppath, 0.0, 0.999);
  config.start =
      table.choice("init", {"torch", "mlla"}, "torch") == "torch" ? LinearStart::fan_in : LinearStart::trunc_normal;
  if (config.profile == Profile::hybrid) {
    config.attn_neuron = table.flag("attn_neuron", true);
    config.cpe2 = table.flag("cpe2", true);
    config.residual = table.choice("residual", {"joint", "separate"}, "joint") == "joint"
                          ? SpikmambaConfig::Residual::joint
                          : SpikmambaConfig::Residual::separate;
  }
  const ConfigTable mixer = table.table("mixer");
  read_mixer(mixer, table, config);
  read_window(table.table("window"), mixer, config.mixer);
  read_scan(table.table("scan"), config);
  if (!config.has_mixer && !config.has_scan) {
    mixer.fail("kind", "mixer.kind and scan.kind are both \"none\": tokens would never meet");
  }
  config.neuron = read_builder_neuron(table.table("neuron"), dt_ms, 2.0, {neurons::SurrogateKind::sigmoid, 4.0});
  return config;
}

void build_spikmamba(const ConfigTable& table, NetworkSpec& spec) {
  expand_spikmamba(read_spikmamba(table, spec.dt_ms), spec);
}

}  // namespace synfire::network
