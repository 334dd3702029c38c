// How long does one training step of the DVS128 Gesture network take, where does the time go, and how much memory?
// Forward, mean squared error of the mean rate, backward, Adam; the network of [Fang2021] with 32 channels on frames of
// random spikes, as in bench/compare_train_step.py, which runs the same network in PyTorch + SpikingJelly.
//
//     bench_train_step [--steps 8] [--warmup 2] [--threads 2] [--channels 32] [--ticks 16] [--batch 16] [--size 128]
//                      [--density 0.035] [--profile 1] [--eval 1]
//
// Prints one JSON object; with --profile a table of nodes to stderr.
#include <string>

#include "bench/step_bench.hpp"
#include <fmt/format.h>

#include "core/random.hpp"

using namespace synfire;

namespace {

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

void run(int argc, char** argv) {
  bench::Options options = bench::read_options(
      argc, argv, {{"channels", 32}, {"ticks", 16}, {"batch", 16}, {"size", 128}, {"density", 0.035}});
  const auto integer = [&](const char* name) { return static_cast<int>(options[name]); };
  set_num_threads(integer("threads"));
  bench::Step step(
      network_toml(integer("channels")),
      random_spikes({integer("ticks"), integer("batch"), integer("size"), integer("size"), 2}, options["density"]),
      {.kind = learning::LossKind::rate_mse});
  bench::measure(step, options, [](bench::Step&) { return std::string(); });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::guarded("bench_train_step", [&] { run(argc, argv); });
}
