// A network that others trained, event by event: ../data/nir/02_cnn/cnn_sinabs.nir on the N-MNIST test digits at hand,
// in frames of 1 ms; what bench/README.md compares with norse, sinabs and SpikingJelly.
//
//     bench_nir_digits DATA [--ticks 100] [--threads 2] [--repeats 9]
//
// Prints one JSON object: the median time of a pass over all digits, and what it took.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/parallel.hpp"
#include "datasets/event_reader.hpp"
#include "network/event_runtime.hpp"
#include "network/nir_import.hpp"

using namespace synfire;
namespace fs = std::filesystem;

namespace {

struct Digits {
  Tensor<float> frames;  ///< [T, B, 34, 34, 2], OFF before ON
  std::vector<int> label;
};

Digits read_digits(const fs::path& folder, std::ptrdiff_t ticks) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".bin") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const auto batch = std::ssize(files);
  Digits digits{Tensor<float>(Shape{ticks, batch, 34, 34, 2}), {}};
  for (std::ptrdiff_t b = 0; b < batch; ++b) {
    const fs::path& file = files[static_cast<std::size_t>(b)];
    const EventStream events = datasets::read_recording(file).events;
    for (std::size_t k = 0; k < events.size(); ++k) {
      const Event e = events[k];
      const std::ptrdiff_t tick = (e.t_us - events.t_us[0]) / 1000;
      if (tick < ticks) digits.frames[(((tick * batch + b) * 34 + e.y) * 34 + e.x) * 2 + e.on] += 1.0F;
    }
    digits.label.push_back(std::stoi(file.parent_path().filename().string()));
  }
  return digits;
}

int run(int argc, char** argv) {
  std::map<std::string, int> options{{"ticks", 100}, {"threads", 2}, {"repeats", 9}};
  for (int i = 2; i + 1 < argc; i += 2) options.at(std::string(argv[i]).substr(2)) = std::stoi(argv[i + 1]);
  const fs::path data = argv[1];
  set_num_threads(options["threads"]);
  const Digits digits = read_digits(data / "nmnist" / "test", options["ticks"]);
  network::EventRuntime runtime(network::make_event_program(
      network::read_nir(data / "nir" / "02_cnn" / "cnn_sinabs.nir", neurons::FiresAt::threshold), 3));

  std::vector<double> wall, cpu;
  View<const float> out;
  for (int k = 0; k <= options["repeats"]; ++k) {
    runtime.clear_counts();
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    out = runtime.forward(digits.frames.view());
    if (k == 0) continue;
    wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    cpu.push_back(static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
  }
  std::sort(wall.begin(), wall.end());
  std::sort(cpu.begin(), cpu.end());

  const auto batch = std::ssize(digits.label);
  int correct = 0;
  for (std::ptrdiff_t b = 0; b < batch; ++b) {
    std::vector<float> sums(10);
    for (std::ptrdiff_t t = 0; t < out.shape[0]; ++t) {
      for (std::ptrdiff_t k = 0; k < 10; ++k) sums[static_cast<std::size_t>(k)] += out[(t * batch + b) * 10 + k];
    }
    const auto best = std::max_element(sums.begin(), sums.end()) - sums.begin();
    if (best == digits.label[static_cast<std::size_t>(b)]) ++correct;
  }
  network::EventCounts total;
  for (const network::EventCounts& counts : runtime.counts()) total += counts;
  fmt::print(
      "{{\"name\": \"nir_digits\", \"threads\": {}, \"digits\": {}, \"ticks\": {}, \"median_s\": {:.5f}, \"min_s\": "
      "{:.5f}, \"cpu_s\": {:.5f}, \"correct\": {}, \"events_in\": {}, \"synaptic_events\": {}, \"neuron_updates\": "
      "{}}}\n",
      num_threads(), batch, options["ticks"], wall[wall.size() / 2], wall.front(), cpu[cpu.size() / 2], correct,
      runtime.counts().front().events_out, total.synaptic_events, total.neuron_updates);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw std::invalid_argument("expected the folder of recordings");
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench_nir_digits: " << error.what() << '\n';
    return 2;
  }
}
