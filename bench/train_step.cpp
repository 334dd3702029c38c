// How long does one training step of the DVS128 Gesture network take, where does the time go, and how much memory?
// Forward, mean squared error of the mean rate, backward, Adam; the network of [Fang2021] with 32 channels on frames of
// random spikes, as in bench/compare_train_step.py, which runs the same network in PyTorch + SpikingJelly.
//
//     bench_train_step [--steps 8] [--warmup 2] [--threads 2] [--channels 32] [--ticks 16] [--batch 16] [--size 128]
//                      [--density 0.035] [--profile 1] [--eval 1]
//
// Prints one JSON object; with --profile a table of nodes to stderr.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/config.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "learning/losses.hpp"
#include "learning/optimizers.hpp"
#include "network/clocked_runtime.hpp"

using namespace synfire;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

std::map<std::string, double> read_options(int argc, char** argv) {
  std::map<std::string, double> options{{"steps", 8},   {"warmup", 2}, {"threads", 2}, {"channels", 32},
                                        {"ticks", 16},  {"batch", 16}, {"size", 128},  {"density", 0.035},
                                        {"profile", 0}, {"eval", 0}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = std::string(argv[i]).substr(2);
    if (options.count(name) == 0) throw std::invalid_argument("unknown option " + name);
    options[name] = std::stod(argv[i + 1]);
  }
  return options;
}

/// tau 2 ticks, threshold 1, hard reset to 0, detached; ATan of width 2: the defaults of both programs.
std::string network_toml(int channels) {
  std::string toml = "[network]\ndt_ms = 1.0\nlif = {tau_mem_ms = 2.0}\n";
  const auto layer = [&](const std::string& keys) { toml += "[[network.layers]]\n" + keys + "\n"; };
  for (int i = 1; i <= 5; ++i) {
    layer(fmt::format("type = \"conv2d\"\nname = \"conv{}\"\nchannels = {}\npadding = 1", i, channels));
    layer("type = \"batch_norm\"");
    layer("type = \"lif\"");
    layer("type = \"max_pool\"");
  }
  layer("type = \"flatten\"");
  for (const int features : {512, 110}) {
    layer("type = \"dropout\"\np = 0.5");
    layer(fmt::format("type = \"linear\"\nout_features = {}", features));
    layer("type = \"lif\"");
  }
  layer("type = \"vote\"\ngroup = 10");
  return toml;
}

/// MiB of a line of /proc/self/status.
double status_mib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == key + ":") {
      double kib = 0.0;
      status >> kib;
      return kib / 1024.0;
    }
  }
  return 0.0;
}

Tensor<float> random_spikes(const Shape& shape, double density) {
  Tensor<float> frames(shape);
  const RandomStream random(1, 0, 0);
  parallel_for(frames.size(), 65536, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      frames[i] = random.uniform(static_cast<std::uint64_t>(i)) < density ? 1.0F : 0.0F;
    }
  });
  return frames;
}

class Bench {
 public:
  Bench(const std::string& toml, std::ptrdiff_t size, std::ptrdiff_t num_ticks, std::ptrdiff_t batch, double density)
      : net_(network::build<float>(network::read_network_spec(Config::parse(toml, "bench").root().table("network")),
                                   {size, size, 2}, 1)),
        runtime_(net_),
        optimizer_({.kind = learning::OptimizerKind::adam, .weight_decay = 0.0}, net_),
        frames_(random_spikes({num_ticks, batch, size, size, 2}, density)),
        grad_({num_ticks, batch, net_.node_shapes.back()[0]}),
        scores_(static_cast<std::size_t>(batch * net_.node_shapes.back()[0])) {
    for (std::ptrdiff_t b = 0; b < batch; ++b) label_.push_back(static_cast<std::int32_t>(b % 11));
  }

  void train() {
    const auto out = runtime_.forward(frames_.view(), network::Mode::train, {1, step_++});
    loss_ =
        learning::loss<float>({.kind = learning::LossKind::rate_mse}, out, {.label = label_}, scores_, grad_.view());
    runtime_.backward(grad_.view());
    optimizer_.step(runtime_.gradients(), 1e-3, std::numeric_limits<double>::quiet_NaN());
  }
  void evaluate() { runtime_.forward(frames_.view(), network::Mode::eval, {1, 0}); }

  const network::ClockedRuntime<float>& runtime() const { return runtime_; }
  double loss() const { return loss_; }

 private:
  network::Network<float> net_;
  network::ClockedRuntime<float> runtime_;
  learning::Optimizer<float> optimizer_;
  Tensor<float> frames_, grad_;
  std::vector<double> scores_;
  std::vector<std::int32_t> label_;
  std::uint32_t step_ = 0;
  double loss_ = 0.0;
};

void print_profile(const network::ClockedRuntime<float>& runtime,
                   const std::vector<std::vector<network::NodeTime>>& steps) {
  const auto& nodes = runtime.network().spec.nodes;
  const std::vector<double> rates = runtime.firing_rates();
  fmt::print(stderr, "{:<14} {:>12} {:>12} {:>10}\n", "node", "forward ms", "backward ms", "rate");
  double forward_total = 0.0, backward_total = 0.0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::vector<double> forward, backward;
    for (const auto& times : steps) {
      forward.push_back(times[i].forward_s * 1e3);
      backward.push_back(times[i].backward_s * 1e3);
    }
    forward_total += median(forward);
    backward_total += median(backward);
    fmt::print(stderr, "{:<14} {:>12.2f} {:>12.2f} {:>10.4f}\n", nodes[i].name, median(forward), median(backward),
               rates[i]);
  }
  fmt::print(stderr, "{:<14} {:>12.2f} {:>12.2f}\n", "sum", forward_total, backward_total);
}

int run(int argc, char** argv) {
  auto options = read_options(argc, argv);
  const auto integer = [&](const char* name) { return static_cast<int>(options[name]); };
  set_num_threads(integer("threads"));
  Bench bench(network_toml(integer("channels")), integer("size"), integer("ticks"), integer("batch"),
              options["density"]);
  const bool eval = options["eval"] != 0.0;
  const auto step = [&] { eval ? bench.evaluate() : bench.train(); };

  for (int i = 0; i < integer("warmup"); ++i) step();
  std::ofstream("/proc/self/clear_refs") << "5";  // a new high-water mark
  std::vector<double> wall, cpu;
  std::vector<std::vector<network::NodeTime>> node_times;
  for (int i = 0; i < integer("steps"); ++i) {
    const auto start = Clock::now();
    const std::clock_t cpu_start = std::clock();
    step();
    wall.push_back(seconds_since(start));
    cpu.push_back(static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
    node_times.push_back(bench.runtime().node_times());
  }

  if (options["profile"] != 0.0) print_profile(bench.runtime(), node_times);
  const auto [fastest, slowest] = std::minmax_element(wall.begin(), wall.end());
  fmt::print(
      "{{\"name\": \"{}\", \"threads\": {}, \"median_s\": {:.4f}, \"min_s\": {:.4f}, \"max_s\": {:.4f}, \"cpu_s\": "
      "{:.4f}, \"steps\": {}, "
      "\"rss_peak_mib\": {:.1f}, \"arena_mib\": {:.1f}, \"loss\": {:.6f}}}\n",
      eval ? "forward" : "train_step", num_threads(), median(wall), *fastest, *slowest, median(cpu), wall.size(),
      status_mib("VmHWM"),
      static_cast<double>(bench.runtime().planned_bytes(integer("ticks"), integer("batch"),
                                                        eval ? network::Mode::eval : network::Mode::train)) /
          (1 << 20),
      bench.loss());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench_train_step: " << error.what() << '\n';
    return 2;
  }
}
