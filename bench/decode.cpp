// How fast are recordings decoded on one core?
//
// `decode`: from memory; each format holds the same events. The floor is a copy of the decoded columns to new memory,
// and `of_copy` is the time of decoding in units of that. `read`: real recordings from their files, if SYNFIRE_DATA
// names their folder; compare_decode.py sets them beside NumPy.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/event_stream.hpp"
#include "core/random.hpp"
#include "datasets/event_reader.hpp"
#include "datasets/event_writer.hpp"

namespace synfire::datasets {
namespace {

/// Events at random pixels of 34x34, which all formats can hold, within the 8 s of a .bin.
EventStream random_events(std::size_t count) {
  const RandomStream random(1, 0, 0);
  EventStream events;
  events.width = events.height = 34;
  events.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Philox::Block words = random.words(i);
    events.t_us[i] = static_cast<std::int64_t>(i * std::size_t{8'000'000} / count);
    events.x[i] = static_cast<std::uint16_t>(words[0] % 34U);
    events.y[i] = static_cast<std::uint16_t>(words[1] % 34U);
    events.on[i] = static_cast<std::uint8_t>(words[2] & 1U);
  }
  return events;
}

/// Seconds of this core to copy the columns to new memory; the best of a few.
double copy_s(const EventStream& events) {
  std::clock_t best = std::numeric_limits<std::clock_t>::max();
  for (int i = 0; i < 7; ++i) {
    const std::clock_t begin = std::clock();
    EventStream copy = events;
    benchmark::DoNotOptimize(copy.t_us.data());
    best = std::min(best, std::clock() - begin);
  }
  return static_cast<double>(best) / CLOCKS_PER_SEC;
}

void decode(benchmark::State& state, EventFormat format, const WriteOptions& write_options = {}) {
  const EventStream events = random_events(static_cast<std::size_t>(state.range(0)));
  const std::string content = encode_recording(events, "memory", format, write_options);
  const double floor_s = copy_s(events);
  ReadOptions options;
  options.format = format;
  std::size_t count = 0;
  for (auto _ : state) {
    const Recording recording = decode_recording(std::as_bytes(std::span(content)), "memory", options);
    benchmark::DoNotOptimize(recording.events.t_us.data());
    count += recording.events.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
  // A rate counts per second, its inverse seconds per iteration.
  state.counters["of_copy"] =
      benchmark::Counter(floor_s, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

constexpr std::int64_t kSmall = 100'000, kMedium = 1'000'000, kLarge = 10'000'000;

BENCHMARK_CAPTURE(decode, aedat2, EventFormat::aedat2)
    ->Arg(kSmall)
    ->Arg(kMedium)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode, aedat3, EventFormat::aedat3)
    ->Arg(kSmall)
    ->Arg(kMedium)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode, nmnist_bin, EventFormat::nmnist_bin)
    ->Arg(kSmall)
    ->Arg(kMedium)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode, aedat4_none, EventFormat::aedat4, WriteOptions{Aedat4Compression::none})
    ->Arg(kMedium)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode, aedat4_lz4, EventFormat::aedat4, WriteOptions{Aedat4Compression::lz4})
    ->Arg(kMedium)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode, aedat4_zstd, EventFormat::aedat4, WriteOptions{Aedat4Compression::zstd})
    ->Arg(kMedium)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);

void copy(benchmark::State& state) {
  const EventStream events = random_events(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    EventStream duplicate = events;
    benchmark::DoNotOptimize(duplicate.t_us.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(events.size()) * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(copy)->Arg(kSmall)->Arg(kMedium)->Arg(kLarge)->Unit(benchmark::kMillisecond);

std::vector<std::filesystem::path> data_files(const std::filesystem::path& folder, const std::string& extension) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  return files;
}

void read(benchmark::State& state, const std::vector<std::filesystem::path>& files) {
  std::size_t count = 0;
  for (auto _ : state)
    for (const std::filesystem::path& file : files) count += read_recording(file).events.size();
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}

const bool kRegistered = [] {
  const char* variable = std::getenv("SYNFIRE_DATA");
  if (variable == nullptr) return false;
  const std::filesystem::path folder = variable;
  const auto add = [](const char* name, const std::vector<std::filesystem::path>& files) {
    benchmark::RegisterBenchmark(name, [files](benchmark::State& state) {
      read(state, files);
    })->Unit(benchmark::kMillisecond);
  };
  add("read/aedat2", {folder / "dvs128_objects" / "s2" / "mug__Caneca.aedat"});
  add("read/aedat4", {folder / "dvs128_wave" / "right_hand_wave" / "dvSave-2024_06_20_15_59_41.aedat4"});
  add("read/nmnist", data_files(folder / "nmnist" / "test", ".bin"));
  return true;
}();

}  // namespace
}  // namespace synfire::datasets
