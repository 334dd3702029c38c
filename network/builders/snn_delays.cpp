// The feed-forward network with learned delays of [Hammouamri2024]:
//
//     hidden_layers times  delayed linear map, batch norm, neurons, dropout
//     then           delayed linear map to the classes, leaky integrator
//
//     hidden_layers (2), hidden (256), classes, dropout (0.4), max_delay_ticks (24), kernel_count (1), width
//     (max_delay_ticks / 2), delays ("learned" or "fixed") [network.neuron]  tau (1.005 ticks), surrogate_alpha (5, of
//     atan)
#include <fmt/format.h>

#include "network/builders/builder.hpp"

namespace synfire::network {

void build_snn_delays(const ConfigTable& table, NetworkSpec& spec) {
  constexpr std::int64_t kMaxDelay = 1 << 14;
  constexpr std::int64_t kMaxKernels = 64;
  const auto count = [&](const char* key, std::optional<std::int64_t> fallback, std::int64_t most) {
    return static_cast<int>(table.integer(key, fallback, 1, most));
  };
  const int layers = count("hidden_layers", 2, kMaxBuilderBlocks), hidden = count("hidden", 256, kMaxBuilderWidth);
  const int classes = count("classes", {}, kMaxClasses);
  const DropoutSpec dropout{table.number("dropout", 0.4, 0.0, 0.999)};
  DelayedLinearSpec delayed;
  delayed.delay.max_delay = static_cast<int>(table.integer("max_delay_ticks", 24, 0, kMaxDelay));
  if (delayed.delay.max_delay % 2 != 0) {
    table.fail("max_delay_ticks", fmt::format("must be even, got {}", delayed.delay.max_delay));
  }
  delayed.delay.kernel_count = count("kernel_count", 1, kMaxKernels);
  delayed.delay.extra_ticks = delayed.delay.middle();
  delayed.learn_delays = table.choice("delays", {"learned", "fixed"}, "learned") == "learned";
  if (delayed.learn_delays) {
    delayed.delay.bump = synapses::DelayBump::gauss;
    delayed.width = table.number("width", delayed.delay.middle(), 0.0, static_cast<double>(kMaxDelay));
  } else {
    delayed.delay.bump = synapses::DelayBump::triangle;
    delayed.width = 0.0;
  }
  constexpr double kTauTicks = 1.005;
  neurons::LifConfig lif =
      read_builder_neuron(table.table("neuron"), spec.dt_ms, kTauTicks, {neurons::SurrogateKind::atan, 5.0});
  lif.decay_input = false;

  GraphWriter graph(spec);
  const auto map = [&](const std::string& name, int out_features) {
    delayed.out_features = out_features;
    graph.then(name, delayed);
  };
  for (int k = 1; k <= layers; ++k) {
    map(fmt::format("hidden{}", k), hidden);
    graph.then(fmt::format("norm{}", k), BatchNormSpec{});
    graph.then(fmt::format("lif{}", k), LifSpec{lif});
    graph.then(fmt::format("dropout{}", k), dropout);
  }
  map("readout", classes);
  graph.then("integrator", LeakyIntegratorSpec{.tau_mem_ms = lif.tau_mem_ms, .decay_input = false});
}

}  // namespace synfire::network
