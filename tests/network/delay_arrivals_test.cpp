// The network that is deployed sends every spike as one event to each neuron that it reaches, after the synapse's whole
// delay. Here a queue of such events, in double, against the runtimes with rounded delays.
#include <algorithm>
#include <cmath>
#include <queue>
#include <vector>

#include <doctest/doctest.h>

#include "network/clocked_runtime.hpp"
#include "network/event_runtime.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

constexpr int kTicks = 60, kBatch = 3, kInputs = 40, kHidden = 30, kOutputs = 20, kMaxDelay = 24, kExtra = 12;
constexpr double kTau = 1.005;

NetworkSpec spec_with(std::size_t nodes) {
  NetworkSpec spec;
  neurons::LifConfig lif;
  lif.tau_mem_ms = kTau;
  lif.decay_input = false;
  const synapses::DelayConfig delay{.max_delay = kMaxDelay, .extra_ticks = kExtra};
  spec.nodes = {{"delay1", {"input"}, DelayedLinearSpec{.out_features = kHidden, .delay = delay}},
                {"lif1", {"delay1"}, LifSpec{lif}},
                {"delay2", {"lif1"}, DelayedLinearSpec{.out_features = kOutputs, .delay = delay}},
                {"lif2", {"delay2"}, LifSpec{lif}}};
  spec.nodes.resize(nodes);
  return spec;
}

struct Arrival {
  int tick, neuron;
  double amount;
  bool operator<(const Arrival& other) const { return tick > other.tick; }  // the earliest is on top
};

/// Delays and neurons of one layer, for one sample after the other. `margin` becomes the smallest distance of a
/// membrane to its threshold.
struct ArrivalLayer {
  const Tensor<float>& weight;
  const Tensor<float>& position;
  Tensor<float> current, spikes;
  double margin = 1e9;
  int dropped = 0;

  void run(const Tensor<float>& x) {
    const auto ticks = static_cast<int>(x.shape()[0]), in = static_cast<int>(x.shape()[2]);
    const auto out = static_cast<int>(weight.shape()[0]), end = ticks + kExtra;
    current = Tensor<float>(Shape{end, kBatch, out});
    spikes = Tensor<float>(Shape{end, kBatch, out});
    for (int b = 0; b < kBatch; ++b) {
      std::priority_queue<Arrival> queue;
      std::vector<double> membrane(static_cast<std::size_t>(out));
      for (int t = 0; t < end; ++t) {
        for (int i = 0; t < ticks && i < in; ++i) {
          if (x[(t * kBatch + b) * in + i] != 0.0F) send(queue, t, i, in, out);
        }
        std::vector<double> arrived(static_cast<std::size_t>(out));
        for (; !queue.empty() && queue.top().tick == t; queue.pop()) {
          arrived[static_cast<std::size_t>(queue.top().neuron)] += queue.top().amount;
        }
        for (int o = 0; o < out; ++o) {
          double& v = membrane[static_cast<std::size_t>(o)];
          const double y = arrived[static_cast<std::size_t>(o)], h = v * (1.0 - 1.0 / kTau) + y;
          margin = std::min(margin, std::abs(h - 1.0));
          current[(t * kBatch + b) * out + o] = static_cast<float>(y);
          spikes[(t * kBatch + b) * out + o] = h >= 1.0 ? 1.0F : 0.0F;
          v = h >= 1.0 ? 0.0 : h;
        }
      }
      dropped += static_cast<int>(queue.size());
    }
  }

 private:
  void send(std::priority_queue<Arrival>& queue, int t, int i, int in, int out) const {
    for (int o = 0; o < out; ++o) {
      const auto synapse = static_cast<std::ptrdiff_t>(o) * in + i;
      const int delay = kMaxDelay / 2 - static_cast<int>(std::nearbyint(position[synapse]));
      queue.push({t + delay, o, static_cast<double>(weight[synapse]) / (1.0 + 1e-7)});
    }
  }
};

/// The output after the first nodes.
Tensor<float> clocked(std::size_t nodes, const Network<float>& parameters, const Tensor<float>& x) {
  Network<float> net = build<float>(spec_with(nodes), Shape{kInputs}, 1);
  for (NamedTensor<float>& tensor : net.tensors) {
    const Tensor<float>& value = parameters.tensor(tensor.name).value;
    std::copy(value.data(), value.data() + value.size(), tensor.value.data());
  }
  ClockedRuntime<float> runtime(net);
  runtime.use_rounded_delays(true);
  const View<const float> out = runtime.forward(x.view(), Mode::eval, {});
  Tensor<float> copy(out.shape);
  std::copy(out.data, out.data + out.size(), copy.data());
  return copy;
}

double largest_difference(const Tensor<float>& a, const Tensor<float>& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0.0;
  for (std::ptrdiff_t k = 0; k < a.size(); ++k) largest = std::max(largest, std::abs(static_cast<double>(a[k] - b[k])));
  return largest;
}

}  // namespace

TEST_CASE("rounded delays are arrivals: a queue of events gives the same currents and spikes, layer by layer") {
  Network<float> net = build<float>(spec_with(4), Shape{kInputs}, 7);
  for (float& w : net.tensor("delay1.weight").value.span()) w *= 3.0F;
  for (float& w : net.tensor("delay2.weight").value.span()) w *= 2.0F;
  Tensor<float> x = test::random_tensor<float>(Shape{kTicks, kBatch, kInputs}, 5, 0.0, 1.0);
  for (float& value : x.span()) value = value < 0.1F ? 1.0F : 0.0F;

  ArrivalLayer first{net.tensor("delay1.weight").value, net.tensor("delay1.position").value, {}, {}};
  first.run(x);
  ArrivalLayer second{net.tensor("delay2.weight").value, net.tensor("delay2.position").value, {}, {}};
  second.run(first.spikes);

  // Currents are sums of some ten terms of size 1 in float, each rounded to 6e-8.
  constexpr double kRounding = 1e-6;
  REQUIRE(first.margin > kRounding);
  REQUIRE(second.margin > kRounding);
  CHECK(first.dropped > 0);
  CHECK(largest_difference(clocked(1, net, x), first.current) < kRounding);
  CHECK(largest_difference(clocked(2, net, x), first.spikes) == 0.0);
  CHECK(largest_difference(clocked(3, net, x), second.current) < kRounding);
  CHECK(largest_difference(clocked(4, net, x), second.spikes) == 0.0);
  EventRuntime events(make_event_program(net));
  const View<const float> by_events = events.forward(x.view());
  REQUIRE(by_events.shape == second.spikes.shape());
  CHECK(std::equal(by_events.data, by_events.data + by_events.size(), second.spikes.data()));
  const auto fired = std::count(second.spikes.span().begin(), second.spikes.span().end(), 1.0F);
  CHECK(fired > second.spikes.size() / 20);
}
