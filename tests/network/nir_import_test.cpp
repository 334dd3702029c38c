#include "network/nir_import.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/event_runtime.hpp"
#include "tests/support/data_folder.hpp"

namespace synfire {

namespace {

namespace fs = std::filesystem;

/// N-MNIST: five bytes an event, x, y, then polarity and 23 bits of microseconds. Frames of 1 ms from the first event,
/// [T, 1, 34, 34, 2] with OFF before ON; a last frame that is not complete is left out.
Tensor<float> frames_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  struct Event {
    std::ptrdiff_t tick;
    unsigned x, y, on;
  };
  std::vector<Event> events;
  unsigned start = 0, end = 0;
  for (std::size_t k = 0; k + 5 <= bytes.size(); k += 5) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[k + i])); };
    const unsigned t = (byte(2) & 127U) << 16U | byte(3) << 8U | byte(4);
    if (k == 0) start = t;
    end = t;
    events.push_back({static_cast<std::ptrdiff_t>((t - start) / 1000), byte(0), byte(1), byte(2) >> 7U});
  }
  Tensor<float> frames(Shape{static_cast<std::ptrdiff_t>((end - start) / 1000), 1, 34, 34, 2});
  for (const Event& e : events) {
    if (e.tick < frames.shape()[0]) frames[((e.tick * 34 + e.y) * 34 + e.x) * 2 + e.on] += 1.0F;
  }
  return frames;
}

}  // namespace

TEST_CASE("a network that others trained fires the spikes that it fires elsewhere: cnn_sinabs.nir on N-MNIST") {
  const auto data = test::data_folder();
  if (!data) return;
  const network::Network<float> net =
      network::read_nir(*data / "nir/02_cnn/cnn_sinabs.nir", neurons::FiresAt::threshold);
  network::EventRuntime runtime(network::make_event_program(net, 3));

  // file, label, frames, spikes of five layers, ten output counts: NumPy in float32 and in float64 gave the same.
  std::ifstream expected(*data / "expected/cnn_sinabs_nir_on_nmnist_test.csv");
  std::string line;
  std::getline(expected, line);
  int digits = 0;
  while (std::getline(expected, line)) {
    std::istringstream fields(line);
    std::string file;
    std::getline(fields, file, ',');
    if (!fs::exists(*data / file)) continue;
    std::vector<long> numbers;
    for (std::string field; std::getline(fields, field, ',');) numbers.push_back(std::stol(field));
    REQUIRE(numbers.size() == 17);
    const Tensor<float> frames = frames_of(*data / file);
    CAPTURE(file);
    CHECK(frames.shape()[0] == numbers[1]);
    runtime.clear_counts();
    const View<const float> out = runtime.forward(frames.view());
    std::array<long, 10> sums{};
    for (std::ptrdiff_t k = 0; k < out.size(); ++k) sums[static_cast<std::size_t>(k % 10)] += std::lround(out[k]);
    for (std::size_t k = 0; k < sums.size(); ++k) CHECK(sums[k] == numbers[7 + k]);
    std::size_t layer = 2;
    const auto counts = runtime.counts();
    for (std::size_t p = 0; p < counts.size(); ++p) {
      if (runtime.program().populations[p].kind != network::Population::Kind::neurons) continue;
      CHECK(static_cast<long>(counts[p].events_out) == numbers[layer++]);
    }
    ++digits;
  }
  CHECK(digits >= 80);
}

TEST_CASE("a graph that is no chain is told with its node") {
  const auto data = test::data_folder();
  if (!data) return;
  CHECK_THROWS_AS(network::read_nir(*data / "nir/03_rnn/braille_noDelay_bias_zero.nir", neurons::FiresAt::threshold),
                  Error);
  CHECK_THROWS_AS(network::read_nir(*data / "index.csv", neurons::FiresAt::threshold), Error);
}

}  // namespace synfire
