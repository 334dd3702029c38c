// What does it cost to count operations? Passes with and without a ledger in turn, in one process, on one thread.
//
//     bench_ledger [RUN ...] [--passes 41]
//
// Of each RUN, a folder of `synfire train`, the first batch of its test split; then the network of configs/gesture.toml
// with random weights on random frames. Prints a line a network and engine: the median processor time of a pass and
// the median of the ratios of two passes that follow each other.
#include <algorithm>
#include <ctime>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/checkpoint_choice.hpp"
#include "apps/experiment.hpp"
#include "apps/run_folder.hpp"
#include "core/config.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "learning/checkpoint.hpp"
#include "network/clocked_runtime.hpp"
#include "network/event_ledger.hpp"
#include "network/event_runtime.hpp"

namespace synfire {

namespace {

using Net = network::Network<float>;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

double cpu_ms(const std::function<void()>& pass) {
  const std::clock_t start = std::clock();
  pass();
  return 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void compare(const std::string& name, int passes, const std::function<void()>& plain,
             const std::function<void()>& counted) {
  plain();
  counted();
  std::vector<double> without, with, ratio;
  for (int k = 0; k < passes; ++k) {
    // Each goes first every other time.
    const double first = cpu_ms(k % 2 == 0 ? plain : counted), second = cpu_ms(k % 2 == 0 ? counted : plain);
    without.push_back(k % 2 == 0 ? first : second);
    with.push_back(k % 2 == 0 ? second : first);
    ratio.push_back(with.back() / without.back());
  }
  std::cout << fmt::format("{:34} {:9.3f} ms {:9.3f} ms   {:.3f}\n", name, median(without), median(with), median(ratio))
            << std::flush;
}

void compare_engines(const std::string& name, Net& net, const Tensor<float>& input, int passes) {
  OpLedger by_clock, by_events;
  network::ClockedRuntime<float> plain(net), counting(net);
  for (network::ClockedRuntime<float>* runtime : {&plain, &counting}) runtime->use_rounded_delays(true);
  counting.count_into(&by_clock);
  compare(
      name + ", clocked", passes, [&] { plain.forward(input.view(), network::Mode::eval, {}); },
      [&] { counting.forward(input.view(), network::Mode::eval, {}); });
  network::EventRuntime events(network::make_event_program(net)), counted(network::make_event_program(net));
  network::EventLedger counting_events(net, counted, by_events);
  compare(
      name + ", event", passes, [&] { events.forward(input.view()); }, [&] { counting_events.forward(input.view()); });
}

void compare_run(const std::string& folder, int passes) {
  const apps::RunFolder run = apps::RunFolder::open(folder);
  apps::Experiment experiment = apps::open_experiment(run.config(), {});
  Net net = network::build<float>(experiment.network, experiment.tick_shape(), experiment.seed);
  learning::read_checkpoint_weights(apps::choose_checkpoint(run, experiment.learning.selection, "").file, net);
  Batch batch;
  experiment.data.test->start_epoch(0, 0, 0);
  experiment.data.test->next(batch);
  compare_engines(experiment.name, net, batch.input, passes);
}

void compare_gesture(int per_mille, int passes) {
  const Config config = Config::load(SYNFIRE_SOURCE_DIR "/configs/gesture.toml");
  network::NetworkSpec spec = network::read_network_spec(config.root().table("network"));
  for (network::NodeSpec& node : spec.nodes) {
    // Random weights drive less than trained ones.
    if (auto* lif = std::get_if<network::LifSpec>(&node.operation)) lif->config.v_th = 0.3;
  }
  Net net = network::build<float>(spec, Shape{32, 32, 2}, 1);
  Tensor<float> input(Shape{16, 16, 32, 32, 2});
  const RandomStream random(1, 0, 0);
  for (std::ptrdiff_t i = 0; i < input.size(); ++i) {
    input[i] = random.below(static_cast<std::uint64_t>(i), 1000) < static_cast<std::uint32_t>(per_mille) ? 1.0F : 0.0F;
  }
  compare_engines(fmt::format("gesture, {} per mille", per_mille), net, input, passes);
}

int run(int argc, char** argv) {
  set_num_threads(1);
  int passes = 41;
  std::vector<std::string> runs;
  for (int k = 1; k < argc; ++k) {
    if (std::string(argv[k]) == "--passes" && k + 1 < argc) {
      passes = std::stoi(argv[++k]);
    } else {
      runs.push_back(argv[k]);
    }
  }
  std::cout << fmt::format("{:34} {:>12} {:>12}   ratio\n", "network, engine", "no ledger", "ledger");
  for (const std::string& folder : runs) compare_run(folder, passes);
  for (const int per_mille : {10, 50, 200}) compare_gesture(per_mille, passes);
  return 0;
}

}  // namespace

}  // namespace synfire

int main(int argc, char** argv) {
  try {
    return synfire::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
