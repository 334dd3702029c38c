#include "network/builders/spikmamba.hpp"

#include <fmt/format.h>

#include "network/builders/builder.hpp"

namespace synfire::network {

namespace {

using Profile = SpikmambaConfig::Profile;

/// Channels for each number that a token's step comes from.
constexpr int kWidthPerRank = 16;

class Writer {
 public:
  Writer(const SpikmambaConfig& config, NetworkSpec& spec) : config_(config), graph_(spec) {}

  void write() {
    patches();
    for (int k = 0; k < config_.blocks; ++k) {
      graph_.set_prefix(fmt::format("b{}_", k + 1));
      // From 0 in the first block to the whole rate in the last.
      droppath_ = config_.blocks > 1 ? config_.droppath * k / (config_.blocks - 1) : 0.0;
      block(k);
    }
    graph_.set_prefix("");
    if (hybrid()) {
      norm("head_norm", x_);
    } else {
      fire("head_lif", x_);
    }
    graph_.then("mean", MeanTokensSpec{});
    graph_.then("head", LinearSpec{.out_features = config_.classes, .start = LinearStart::trunc_normal});
  }

 private:
  bool hybrid() const { return config_.profile == Profile::hybrid; }

  std::string linear(const std::string& name, const std::string& from, int out, bool bias) {
    return graph_.add(name, LinearSpec{.out_features = out, .bias = bias, .per_token = true, .start = config_.start},
                      {from});
  }
  std::string filter(const std::string& name, const std::string& from, bool bias) {
    return graph_.add(name, DepthwiseConv2dSpec{.kernel = 3, .bias = bias}, {from});
  }
  std::string norm(const std::string& name, const std::string& from) {
    return graph_.add(name, LayerNormSpec{}, {from});
  }
  std::string activate(const std::string& name, const std::string& from, synapses::Activation function) {
    return graph_.add(name, ActivationSpec{function}, {from});
  }
  std::string batch_norm(const std::string& name, const std::string& from) {
    return graph_.add(name + "_norm", BatchNormSpec{}, {from});
  }
  std::string fire(const std::string& name, const std::string& from) {
    return graph_.add(name, LifSpec{config_.neuron}, {from});
  }
  /// SN(z) = LIF(BN(z))
  std::string spikes(const std::string& name, const std::string& from) { return fire(name, batch_norm(name, from)); }
  std::string product(const std::string& name, const std::string& a, const std::string& b) {
    return graph_.add(name, MultiplySpec{}, {a, b});
  }
  std::string sum(const std::string& name, const std::string& a, const std::string& b) {
    return graph_.add(name, AddSpec{}, {a, b});
  }
  /// x += a branch that samples may drop
  void residual(const std::string& name, std::string branch) {
    if (droppath_ > 0.0) branch = graph_.add(name + "_drop", DropPathSpec{droppath_}, {branch});
    x_ = sum(name, x_, branch);
  }

  void patches() {
    const Conv2dSpec patch{.channels = config_.width, .kernel = config_.patch, .stride = config_.patch, .whole = true};
    x_ = batch_norm("patch", graph_.add("patch", patch, {kInputName}));
    if (hybrid()) x_ = fire("patch_lif", x_);
    x_ = graph_.add("position", PositionSpec{true, config_.time_ticks}, {x_});
  }

  void block(int index) {
    const std::string encoded = filter("cpe1", hybrid() ? x_ : fire("cpe1_lif", x_), hybrid());
    x_ = sum("x1", x_, hybrid() ? encoded : batch_norm("cpe1", encoded));
    const std::string u = hybrid() ? norm("norm1", x_) : fire("u", x_);
    std::string y = config_.has_mixer ? attention(u, index) : u;
    const bool separate = config_.residual == SpikmambaConfig::Residual::separate;
    if (config_.has_mixer && config_.has_scan && separate) {
      residual("x2_attention", y);
      y = norm("norm3", x_);
    }
    if (config_.has_scan) y = scan(y);
    residual("x2", y);
    if (hybrid() && config_.cpe2) x_ = sum("x3", x_, filter("cpe2", x_, true));
    mlp();
  }

  std::string attention(const std::string& u, int index) {
    const int width = config_.width;
    const std::string gate_map = linear("gate_map", u, width, hybrid());
    const std::string gate =
        hybrid() ? activate("gate", gate_map, synapses::Activation::silu) : spikes("gate", gate_map);
    std::string a = linear("in", u, width, hybrid());
    a = filter("filter", hybrid() ? a : spikes("in_spikes", a), hybrid());
    a = hybrid() ? activate("value", a, synapses::Activation::silu) : spikes("value", a);
    const std::string q = spikes("q", linear("q_map", a, width, hybrid()));
    const std::string k = spikes("k", linear("k_map", a, width, hybrid()));
    synapses::MixerConfig mixer = config_.mixer;
    if (index % 2 == 0) mixer.window_shift = {0, 0, 0};
    const std::string attended = graph_.add("attention", AttentionSpec{mixer}, {q, k, a});
    std::string o = sum("mixed", attended, filter("lepe", a, hybrid()));
    if (!hybrid() || config_.attn_neuron) o = spikes("o", o);
    const std::string y = linear("out", product("gated", o, gate), width, hybrid());
    return hybrid() ? y : batch_norm("out", y);
  }

  std::string scan(const std::string& from) {
    const std::string u = hybrid() ? from : fire("scan_u", from);
    const int inner = config_.width * config_.scan_expand;
    const std::string e = spikes("scan_in", linear("scan_in_map", u, inner, false));
    const std::string z_map = linear("scan_gate_map", u, inner, false);
    const std::string z =
        hybrid() ? activate("scan_gate", z_map, synapses::Activation::silu) : spikes("scan_gate", z_map);
    std::string y = direction("forward", e, false);
    if (config_.scan_axis != SpikmambaConfig::ScanAxis::time) y = sum("scan_sum", y, direction("backward", e, true));
    const std::string o = spikes("scan_o", y);
    const std::string out = linear("scan_out", product("scan_gated", o, z), config_.width, false);
    return hybrid() ? out : batch_norm("scan_out", out);
  }

  /// One of the two directions, on the spikes `from`.
  std::string direction(const std::string& name, const std::string& from, bool backward) {
    using Axis = SpikmambaConfig::ScanAxis;
    SequenceOrder order;
    order.axis = config_.scan_axis == Axis::tokens  ? SequenceAxis::tokens
                 : config_.scan_axis == Axis::frame ? SequenceAxis::frame
                                                    : SequenceAxis::time;
    order.direction = backward ? SequenceDirection::backward : SequenceDirection::forward;
    const std::string conv = graph_.add(name + "_conv", CausalConv1dSpec{order, config_.scan_conv, hybrid()}, {from});
    const std::string c =
        hybrid() ? activate(name + "_silu", conv, synapses::Activation::silu) : spikes(name + "_spikes", conv);
    const SelectiveScanSpec scan{order, config_.scan_state, (config_.width + kWidthPerRank - 1) / kWidthPerRank};
    return graph_.add(name + "_scan", scan, {c});
  }

  void mlp() {
    const int hidden = config_.width * config_.mlp_ratio;
    if (hybrid()) {
      const std::string h =
          activate("mlp_gelu", linear("mlp1", norm("norm2", x_), hidden, true), synapses::Activation::gelu);
      residual("x4", linear("mlp2", h, config_.width, true));
    } else {
      const std::string h = spikes("mlp_spikes", linear("mlp1", fire("mlp_lif", x_), hidden, false));
      residual("x4", batch_norm("mlp2", linear("mlp2", h, config_.width, false)));
    }
  }

  const SpikmambaConfig& config_;
  GraphWriter graph_;
  std::string x_;  ///< the residual path
  double droppath_ = 0.0;
};

}  // namespace

void expand_spikmamba(const SpikmambaConfig& config, NetworkSpec& spec) { Writer(config, spec).write(); }

}  // namespace synfire::network
