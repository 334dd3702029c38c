#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/config.hpp"
#include "core/parallel.hpp"
#include "learning/losses.hpp"
#include "learning/optimizers.hpp"
#include "network/clocked_runtime.hpp"
#include "network/delays.hpp"

/// What the benchmarks of a whole training step share: options, the step, how it is measured and printed.
namespace synfire::bench {

using Clock = std::chrono::steady_clock;
using Options = std::map<std::string, double>;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

/// `--name number` for the names of `options`.
inline Options read_options(int argc, char** argv, Options options) {
  for (const auto& [name, value] : Options{{"steps", 8}, {"warmup", 2}, {"threads", 2}, {"profile", 0}, {"eval", 0}}) {
    options.emplace(name, value);
  }
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = std::string(argv[i]).substr(2);
    if (options.count(name) == 0) throw std::invalid_argument("unknown option " + name);
    options[name] = std::stod(argv[i + 1]);
  }
  return options;
}

/// MiB of a line of /proc/self/status.
inline double status_mib(const std::string& key) {
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

/// Forward, loss, backward, Adam; on one batch, over and over.
class Step {
 public:
  Step(const std::string& toml, Tensor<float> input, const learning::LossConfig& loss)
      : net_(network::build<float>(network::read_network_spec(Config::parse(toml, "bench").root().table("network")),
                                   input.shape().drop_front(2), 1)),
        runtime_(net_),
        optimizer_({.kind = learning::OptimizerKind::adam, .weight_decay = 0.0}, net_),
        input_(std::move(input)),
        loss_config_(loss) {
    const std::ptrdiff_t classes = net_.node_shapes.back()[0];
    for (std::ptrdiff_t b = 0; b < input_.shape()[1]; ++b) label_.push_back(static_cast<std::int32_t>(b % classes));
    scores_.resize(label_.size() * static_cast<std::size_t>(classes));
  }

  void train() {
    const auto out = runtime_.forward(input_.view(), network::Mode::train, {1, step_++});
    if (grad_.shape() != out.shape) grad_ = Tensor<float>(out.shape);
    loss_ = learning::loss<float>(loss_config_, out, {.label = label_}, scores_, grad_.view());
    runtime_.backward(grad_.view());
    optimizer_.step(runtime_.gradients(), 1e-3, std::numeric_limits<double>::quiet_NaN());
    network::bring_within_bounds(net_);
  }
  void evaluate() { runtime_.forward(input_.view(), network::Mode::eval, {1, 0}); }

  network::ClockedRuntime<float>& runtime() { return runtime_; }
  const Shape& input() const { return input_.shape(); }
  double loss() const { return loss_; }

 private:
  network::Network<float> net_;
  network::ClockedRuntime<float> runtime_;
  learning::Optimizer<float> optimizer_;
  Tensor<float> input_, grad_;
  learning::LossConfig loss_config_;
  std::vector<double> scores_;
  std::vector<std::int32_t> label_;
  std::uint32_t step_ = 0;
  double loss_ = 0.0;
};

inline void print_profile(const network::ClockedRuntime<float>& runtime,
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

/// Runs and times the step as the options say; one JSON object to stdout, with what `more(step)` says after the last
/// step in it.
template <class More>
void measure(Step& bench, Options options, const More& more) {
  const auto integer = [&](const char* name) { return static_cast<int>(options[name]); };
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
      "\"rss_peak_mib\": {:.1f}, \"arena_mib\": {:.1f}, \"loss\": {:.6f}{}}}\n",
      eval ? "forward" : "train_step", num_threads(), median(wall), *fastest, *slowest, median(cpu), wall.size(),
      status_mib("VmHWM"),
      static_cast<double>(bench.runtime().planned_bytes(bench.input()[0], bench.input()[1],
                                                        eval ? network::Mode::eval : network::Mode::train)) /
          (1 << 20),
      bench.loss(), more(bench));
}

/// The body of main: an exception becomes one line and exit code 2.
template <class Run>
int guarded(const char* program, const Run& run) {
  try {
    run();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << '\n';
    return 2;
  }
}

}  // namespace synfire::bench
