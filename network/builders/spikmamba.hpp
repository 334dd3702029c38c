#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/config.hpp"
#include "network/spec.hpp"
#include "synapses/mixers/mixer_config.hpp"

/// SpikMamba [Chen2024]: spiking window linear attention and a spiking selective scan over tokens of event frames.
/// Private to the room: not installed. The definition is in docs/networks.md.
namespace synfire::network {

struct SpikmambaConfig {
  /// hybrid: real-valued residual path, layer norms, SiLU and GELU, spikes before every product of the mixers.
  /// spike: every linear map and filter reads spikes, and every norm is a batch norm.
  enum class Profile : std::uint8_t { hybrid, spike };
  enum class Residual : std::uint8_t { joint, separate };
  enum class ScanAxis : std::uint8_t { tokens, frame, time };

  Profile profile = Profile::hybrid;
  int patch = 8, width = 256, blocks = 2, mlp_ratio = 4, classes = 0;
  int time_ticks = 0;  ///< of the table of positions in time; 0: there is none
  bool attn_neuron = true, cpe2 = true;
  Residual residual = Residual::joint;
  double droppath = 0.1;
  LinearStart start = LinearStart::fan_in;

  bool has_mixer = true;
  synapses::MixerConfig mixer;  ///< its shift is that of every second block
  bool has_scan = true;
  ScanAxis scan_axis = ScanAxis::tokens;
  int scan_state = 16, scan_expand = 2, scan_conv = 4;

  neurons::LifConfig neuron;
};

/// Reads
///
///     [network]          profile ("hybrid" or "spike"), patch (8), width (256), blocks (2), heads (8), mlp_ratio (4),
///                        classes, droppath (0.1), init ("torch" or "mlla"), pos_time (true), time_ticks (needed with
///                        pos_time: the ticks of the longest input); hybrid only: attn_neuron (true), cpe2 (true),
///                        residual ("joint" or "separate")
///     [network.mixer]    kind ("swla" or "none"), feature ("shift" or "spike"), norm ("sum" or "fixed"), eps (1e-6),
///                        rope ("model", "head" or "none"), decay ("none" or "head")
///     [network.window]   size ([1, 32, 32]; t, y, x; 0 is without limit), shift ("half" or "none"), causal (false)
///     [network.scan]     kind ("mamba" or "none"), axis ("tokens", "frame" or "time"), state (16), expand (2), conv
///     (4) [network.neuron]   tau (2.0 ticks), surrogate_alpha (4, of sigmoid)
///
/// In the spike profile the defaults are feature "spike" and rope "none".
/// \throws ConfigError that names file, line and key
SpikmambaConfig read_spikmamba(const ConfigTable& table, double dt_ms);

/// Appends the nodes of the network.
void expand_spikmamba(const SpikmambaConfig& config, NetworkSpec& spec);

}  // namespace synfire::network
