// The convolutional network for DVS128 Gesture of [Fang2021], as SpikingJelly has it [Fang2023]:
//
//     blocks times   conv 3x3 without bias, batch norm, neurons, max pool 2x2
//     then           dropout, linear, neurons, dropout, linear, neurons, mean of `vote` neurons a class
//
//     channels (128), blocks (5), hidden (512), classes (11), vote (10), dropout (0.5)
//     [network.neuron]  tau (2.0 ticks), surrogate_alpha (2, of atan), learn_tau (false)
#include <fmt/format.h>

#include "network/builders/builder.hpp"

namespace synfire::network {

void build_dvs_gesture_net(const ConfigTable& table, NetworkSpec& spec) {
  const auto count = [&](const char* key, std::int64_t fallback, std::int64_t most) {
    return static_cast<int>(table.integer(key, fallback, 1, most));
  };
  const int channels = count("channels", 128, kMaxBuilderWidth), blocks = count("blocks", 5, kMaxBuilderBlocks);
  const int hidden = count("hidden", 512, kMaxBuilderWidth), classes = count("classes", 11, kMaxClasses);
  const int vote = count("vote", 10, kMaxClasses);
  const DropoutSpec dropout{table.number("dropout", 0.5, 0.0, 0.999)};
  const ConfigTable neuron = table.table("neuron");
  neurons::LifConfig lif = read_builder_neuron(neuron, spec.dt_ms, 2.0, {neurons::SurrogateKind::atan, 2.0});
  lif.learn_tau = neuron.flag("learn_tau", false);

  GraphWriter graph(spec);
  for (int k = 1; k <= blocks; ++k) {
    graph.then(fmt::format("conv{}", k), Conv2dSpec{.channels = channels, .padding = 1});
    graph.then(fmt::format("norm{}", k), BatchNormSpec{});
    graph.then(fmt::format("lif{}", k), LifSpec{lif});
    graph.then(fmt::format("pool{}", k), MaxPoolSpec{});
  }
  graph.then("flat", FlattenSpec{});
  graph.then("dropout1", dropout);
  graph.then("hidden", LinearSpec{.out_features = hidden});
  graph.then("hidden_lif", LifSpec{lif});
  graph.then("dropout2", dropout);
  graph.then("readout", LinearSpec{.out_features = classes * vote});
  graph.then("readout_lif", LifSpec{lif});
  graph.then("vote", VoteSpec{vote});
}

}  // namespace synfire::network
