// Small recordings of each format, cut at every byte and with bits flipped: either events that make sense, or one of
// our errors.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "datasets/event_writer.hpp"
#include "tests/datasets/recording_bytes.hpp"

namespace synfire::datasets {
namespace {

using namespace test_bytes;

struct Sample {
  std::string what;
  EventFormat format;
  EventStream events;
  std::string content;
};

EventStream some_events(int width, int height) {
  const RandomStream random(11, 0, 0);
  EventStream events;
  events.width = width;
  events.height = height;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const Philox::Block w = random.words(i);
    events.push_back(
        {static_cast<std::int64_t>(1000 + 50 * i), static_cast<std::uint16_t>(w[0] % static_cast<std::uint32_t>(width)),
         static_cast<std::uint16_t>(w[1] % static_cast<std::uint32_t>(height)), static_cast<std::uint8_t>(w[2] & 1U)});
  }
  return events;
}

std::vector<Sample> samples() {
  std::vector<Sample> result;
  const auto add = [&](const char* what, EventFormat format, int width, int height, const WriteOptions& options = {}) {
    const EventStream events = some_events(width, height);
    result.push_back({what, format, events, encode_recording(events, "memory", format, options)});
  };
  add("AEDAT 2.0, DVS128", EventFormat::aedat2, 128, 128);
  add("AEDAT 2.0, DAVIS346", EventFormat::aedat2, 346, 260);
  add("AEDAT 3.1", EventFormat::aedat3, 240, 180);
  add("AEDAT4", EventFormat::aedat4, 320, 240, {Aedat4Compression::none});
  add("AEDAT4, LZ4", EventFormat::aedat4, 320, 240, {Aedat4Compression::lz4});
  add("AEDAT4, ZSTD", EventFormat::aedat4, 320, 240, {Aedat4Compression::zstd});
  add("N-MNIST", EventFormat::nmnist_bin, 34, 34);
  return result;
}

/// Decodes, and checks what holds for every recording. An exception that is not ours ends the test.
bool decodes_or_throws_ours(const std::string& content, const ReadOptions& options, EventStream* result = nullptr) {
  EventStream events;
  try {
    events = decode(content, options).events;
  } catch (const Error&) {
    return false;
  }
  const std::size_t count = events.size();
  bool sound = events.x.size() == count && events.y.size() == count && events.on.size() == count;
  for (std::size_t i = 0; sound && i < count; ++i)
    sound = events.x[i] < events.width && events.y[i] < events.height && events.on[i] <= 1;
  REQUIRE(sound);
  if (result != nullptr) *result = std::move(events);
  return true;
}

bool is_prefix(const EventStream& part, const EventStream& whole) {
  return part.size() <= whole.size() && std::equal(part.t_us.begin(), part.t_us.end(), whole.t_us.begin()) &&
         std::equal(part.x.begin(), part.x.end(), whole.x.begin()) &&
         std::equal(part.y.begin(), part.y.end(), whole.y.begin()) &&
         std::equal(part.on.begin(), part.on.end(), whole.on.begin());
}

TEST_CASE("a recording cut at any byte gives its first events or an error") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.what);
    ReadOptions strict, lenient;
    strict.format = lenient.format = sample.format;
    strict.chip = lenient.chip = sample.events.width <= 128 ? AerChip::dvs128 : AerChip::davis346;
    lenient.lenient = true;
    std::size_t most = 0;
    for (std::size_t size = 0; size <= sample.content.size(); ++size) {
      const std::string part = sample.content.substr(0, size);
      for (const ReadOptions& options : {strict, lenient}) {
        EventStream events;
        if (!decodes_or_throws_ours(part, options, &events)) continue;
        // A cut header of AEDAT 2.0 reads as records of AEDAT 1.0.
        const bool header_is_whole =
            sample.format != EventFormat::aedat2 || size >= sample.content.size() - 8 * sample.events.size();
        if (header_is_whole) CHECK(is_prefix(events, sample.events));
        most = std::max(most, events.size());
      }
    }
    CHECK(most >= sample.events.size());
  }
}

TEST_CASE("ten thousand flipped bits in a recording give events on the sensor or an error") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.what);
    const RandomStream random(13, 0, 0);
    int num_decoded = 0;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      std::string damaged = sample.content;
      const std::uint64_t num_flips = 1 + i % 3;
      for (std::uint64_t k = 0; k < num_flips; ++k) {
        const std::uint64_t bit = random.below(3 * i + k, 8 * damaged.size());
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      }
      ReadOptions options;
      if (sample.format == EventFormat::nmnist_bin) options.format = sample.format;
      options.lenient = i % 2 == 1;
      options.keep_invalid = i % 4 >= 2;
      num_decoded += decodes_or_throws_ours(damaged, options);
    }
    // Otherwise the loop has only tested the first check of the header.
    CHECK(num_decoded > 100);
  }
}

TEST_CASE("a recording with bytes behind it gives its events or an error") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.what);
    for (const char fill : {'\0', '\x23', '\x7f', '\xff'}) {
      for (std::size_t extra = 1; extra <= 64; ++extra) {
        ReadOptions options;
        options.format = sample.format;
        options.lenient = extra % 2 == 1;
        decodes_or_throws_ours(sample.content + std::string(extra, fill), options);
      }
    }
  }
}

TEST_CASE("what cannot be read as a file is an error that names it") {
  CHECK_THROWS_AS(read_recording("/no/such/recording.aedat"), FileError);
  CHECK_THROWS_AS(read_recording("/dev/zero"), FileError);
  CHECK_THROWS_AS(read_recording("/"), FileError);
  CHECK_THROWS_AS(detect_format("/no/such/recording.aedat"), FileError);
}

}  // namespace
}  // namespace synfire::datasets
