// How many seconds of sound does a core turn into spikes in one second? Argument: sample rate, length in ms, channels.
#include "datasets/simulate/cochlea.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/random.hpp"

namespace {

using namespace synfire;
using namespace synfire::datasets;

/// Noise that swells four times a second, as speech does.
Audio noise(int rate_hz, std::size_t length) {
  Audio audio{rate_hz, std::vector<float>(length)};
  const RandomStream random(1, 2, 3);
  for (std::size_t i = 0; i < length; ++i)
    audio.samples[i] =
        static_cast<float>(0.1 * random.normal(i) * (1.1 + std::sin(25.0 * static_cast<double>(i) / rate_hz)));
  return audio;
}

void hear(benchmark::State& state) {
  const int rate_hz = static_cast<int>(state.range(0));
  const Audio audio = noise(rate_hz, static_cast<std::size_t>(state.range(1) * rate_hz / 1000));
  CochleaConfig config;
  config.num_channels = static_cast<int>(state.range(2));
  const Cochlea cochlea(config);
  std::uint32_t recording = 0;
  std::size_t spikes = 0;
  for (auto _ : state) spikes += cochlea.hear(audio, recording++).t_s.size();
  const double heard = 1e-3 * static_cast<double>(state.range(1) * static_cast<std::int64_t>(recording));
  state.counters["times_real_time"] = benchmark::Counter(heard, benchmark::Counter::kIsRate);
  state.counters["spikes"] = static_cast<double>(spikes) / recording;
}

BENCHMARK(hear)
    ->Unit(benchmark::kMillisecond)
    ->Args({8000, 440, 700})
    ->Args({48000, 1000, 700})
    ->Args({48000, 10000, 700})
    ->Args({48000, 1000, 70});

void derive_filters(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Cochlea({}).num_channels());
}
BENCHMARK(derive_filters)->Unit(benchmark::kMillisecond);

}  // namespace
