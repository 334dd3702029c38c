// What does a pass cost, against the share of inputs and neurons that spike in a tick?
//
//     bench_activity [--threads 1] [--ticks 100] [--batch 16] [--only PER_MILLE] [--hidden 0]
//
// Two networks, 784-1000-1000-10 and the convolutional one of configs/nmnist.toml without its batch norms, by the event
// engine and by the float clocked engine. Inputs are random spikes; the weights of each layer are scaled until its
// neurons spike as often as the inputs. With --hidden N only 784-N-N-10. Prints one JSON object a measurement;
// plot_activity.py draws them.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <iostream>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "core/config.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "network/clocked_runtime.hpp"
#include "network/event_runtime.hpp"

using namespace synfire;

namespace {

std::string linear_network(int hidden) {
  return fmt::format(R"(
[network]
dt_ms = 1.0
[network.linear]
bias = false
[network.lif]
tau_mem_ms = 10.0
[[network.layers]]
type = "linear"
out_features = {0}
[[network.layers]]
type = "lif"
[[network.layers]]
type = "linear"
out_features = {0}
[[network.layers]]
type = "lif"
[[network.layers]]
type = "linear"
out_features = 10
)",
                     hidden);
}
constexpr const char* kConv = R"(
[network]
dt_ms = 1.0
[network.conv2d]
padding = 1
[network.linear]
bias = false
[network.lif]
tau_mem_ms = 10.0
[[network.layers]]
type = "conv2d"
channels = 16
[[network.layers]]
type = "lif"
[[network.layers]]
type = "max_pool"
[[network.layers]]
type = "conv2d"
channels = 32
[[network.layers]]
type = "lif"
[[network.layers]]
type = "max_pool"
[[network.layers]]
type = "flatten"
[[network.layers]]
type = "linear"
out_features = 128
[[network.layers]]
type = "lif"
[[network.layers]]
type = "linear"
out_features = 10
)";

Tensor<float> random_spikes(const Shape& shape, double share) {
  Tensor<float> spikes(shape);
  const RandomStream random(1, 0, 0);
  for (std::ptrdiff_t i = 0; i < spikes.size(); ++i) {
    spikes[i] = random.uniform(static_cast<std::uint64_t>(i)) < share ? 1.0F : 0.0F;
  }
  return spikes;
}

/// Normal weights, a little more of them positive than negative; then, layer by layer, the factor at which the neurons
/// behind spike in `share` of all ticks.
void set_weights(network::Network<float>& net, View<const float> input, double share) {
  std::uint32_t layer = 0;
  for (network::NamedTensor<float>& tensor : net.tensors) {
    const RandomStream random(2, layer++, 0);
    for (std::ptrdiff_t i = 0; i < tensor.value.size(); ++i) {
      tensor.value[i] = 0.05F + static_cast<float>(random.normal(static_cast<std::uint64_t>(i)));
    }
  }
  network::ClockedRuntime<float> runtime(net);
  std::size_t lif = 0;
  for (network::NamedTensor<float>& tensor : net.tensors) {
    while (lif < net.spec.nodes.size() && !std::holds_alternative<network::LifSpec>(net.spec.nodes[lif].operation)) {
      ++lif;
    }
    if (lif == net.spec.nodes.size()) return;
    double lower = 1e-4, upper = 100.0, now = 1.0;
    for (int step = 0; step < 16; ++step) {
      const double factor = std::sqrt(lower * upper);
      for (std::ptrdiff_t i = 0; i < tensor.value.size(); ++i) tensor.value[i] *= static_cast<float>(factor / now);
      now = factor;
      runtime.forward(input, network::Mode::eval, {});
      (runtime.firing_rates()[lif] < share ? lower : upper) = factor;
    }
    ++lif;
  }
}

struct Timed {
  double wall_s, cpu_s;
};

/// The least of as many passes as take half a second, at least five.
template <class Pass>
Timed measure(const Pass& pass) {
  pass();
  Timed least{HUGE_VAL, HUGE_VAL};
  double total = 0.0;
  for (int k = 0; total < 0.5 || k < 5; ++k) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    pass();
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    least = {std::min(least.wall_s, wall), std::min(least.cpu_s, cpu)};
    total += cpu;
  }
  return least;
}

void run(const char* name, const std::string& toml, const Shape& frame, double share,
         const std::map<std::string, int>& of) {
  const Config config = Config::parse(toml, "bench.toml");
  network::Network<float> net =
      network::build<float>(network::read_network_spec(config.root().table("network")), frame, 1);
  const Tensor<float> input = random_spikes(frame.prepend(of.at("batch")).prepend(of.at("ticks")), share);
  set_weights(net, random_spikes(frame.prepend(2).prepend(100), share).view(), share);

  network::ClockedRuntime<float> clocked(net);
  network::EventRuntime events(network::make_event_program(net));
  const auto ticks = static_cast<double>(input.shape()[0] * input.shape()[1]);
  const auto print = [&](const char* engine, const Timed& timed, const std::vector<double>& all_rates) {
    std::vector<double> rates = all_rates;
    std::erase_if(rates, [](double rate) { return std::isnan(rate); });
    fmt::print(
        "{{\"network\": \"{}\", \"engine\": \"{}\", \"threads\": {}, \"input\": {}, \"hidden\": [{:.5f}], "
        "\"us_per_tick\": "
        "{:.4f}, \"cpu_us_per_tick\": {:.4f}}}\n",
        name, engine, num_threads(), share, fmt::join(rates, ", "), timed.wall_s / ticks * 1e6,
        timed.cpu_s / ticks * 1e6);
    std::fflush(stdout);
  };
  const Timed by_events = measure([&] { events.forward(input.view()); });
  print("events", by_events, events.firing_rates());
  const Timed by_clocked = measure([&] { clocked.forward(input.view(), network::Mode::eval, {}); });
  print("clocked", by_clocked, clocked.firing_rates());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::map<std::string, int> options{{"threads", 1}, {"ticks", 100}, {"batch", 16}, {"only", 0}, {"hidden", 0}};
    for (int i = 1; i + 1 < argc; i += 2) options.at(std::string(argv[i]).substr(2)) = std::stoi(argv[i + 1]);
    set_num_threads(options["threads"]);
    for (const int per_mille : {1, 3, 10, 30, 100, 300, 500}) {
      if (options["only"] != 0 && options["only"] != per_mille) continue;
      const int hidden = options["hidden"];
      run("dense", linear_network(hidden == 0 ? 1000 : hidden), Shape{784}, per_mille / 1000.0, options);
      if (hidden == 0) run("conv", kConv, Shape{34, 34, 2}, per_mille / 1000.0, options);
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_activity: " << error.what() << '\n';
    return 2;
  }
}
