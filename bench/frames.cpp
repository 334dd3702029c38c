// What a sample of N-MNIST's size costs on its way from memory into a batch: 4,000 events, 34x34, 10 time bins. The
// target is well under 100 us, so that one thread feeds a training step.

#include "datasets/frames.hpp"

#include <benchmark/benchmark.h>

#include "core/random.hpp"
#include "datasets/augment.hpp"

namespace {

using namespace synfire;
using namespace synfire::datasets;

constexpr std::int64_t kDuration_us = 300'000;

CompactEvents make_events(std::size_t count, int side) {
  const RandomStream random(1, 0, 0);
  CompactEvents events;
  events.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    events.t_us[i] = static_cast<std::uint32_t>(i * static_cast<std::size_t>(kDuration_us) / count);
    events.x[i] = static_cast<std::uint16_t>(random.below(3 * i, static_cast<std::uint64_t>(side)));
    events.y[i] = static_cast<std::uint16_t>(random.below(3 * i + 1, static_cast<std::uint64_t>(side)));
    events.on[i] = static_cast<std::uint8_t>(random.below(3 * i + 2, 2));
  }
  return events;
}

/// Arguments: events, side of the sensor, bins.
void frame_sample(benchmark::State& state) {
  const auto side = static_cast<int>(state.range(1));
  const CompactEvents events = make_events(static_cast<std::size_t>(state.range(0)), side);
  const PixelMap map(side, side);
  const FrameConfig config{.bins = static_cast<int>(state.range(2))};
  std::vector<float> frames(static_cast<std::size_t>(config.bins * side * side * 2));
  for (auto _ : state) {
    make_frames({events.x, events.y, events.on}, frame_ranges(events.t_us, {0, kDuration_us}, config), map, false,
                frames.data(), std::ptrdiff_t{2} * side * side);
    benchmark::DoNotOptimize(frames.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(frame_sample)->Args({4'000, 34, 10})->Args({300'000, 128, 16})->Unit(benchmark::kMicrosecond);

/// Argument: 0 shift alone, 1 rotation, scale, shear and shift, 2 EventDrop.
void augment_sample(benchmark::State& state) {
  const CompactEvents events = make_events(4'000, 34);
  const AugmentConfig configs[] = {{.shift_px = 2},
                                   {.shift_px = 2, .rotate_deg = 10.0, .scale = 0.1, .shear = 0.1},
                                   {.drop_events_max = 0.9, .drop_time_max = 0.9, .drop_area_max = 0.25}};
  CompactEvents scratch;
  AugmentKey key;
  for (auto _ : state) {
    scratch = events;
    ++key.sample;
    augment(scratch, 34, 34, kDuration_us, configs[state.range(0)], key);
    benchmark::DoNotOptimize(scratch.x.data());
  }
  state.SetItemsProcessed(state.iterations() * 4'000);
}
BENCHMARK(augment_sample)->DenseRange(0, 2)->Unit(benchmark::kMicrosecond);

}  // namespace
