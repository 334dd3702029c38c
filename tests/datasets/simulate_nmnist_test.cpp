#include "datasets/simulate/simulate_nmnist.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "datasets/event_reader.hpp"
#include "datasets/idx.hpp"
#include "datasets/simulate/fast_log.hpp"
#include "datasets/simulate/fine_image.hpp"
#include "datasets/simulate/saccade_digits.hpp"
#include "tests/support/data_folder.hpp"

using namespace synfire;
using namespace synfire::datasets;
namespace fs = std::filesystem;

namespace {

/// A ring: edges in every direction.
std::vector<std::uint8_t> ring() {
  std::vector<std::uint8_t> image(784, 0);
  for (int y = 0; y < 28; ++y) {
    for (int x = 0; x < 28; ++x) {
      const double radius = std::hypot(x - 13.5, y - 13.5);
      if (radius > 6.0 && radius < 9.0) image[static_cast<std::size_t>(28 * y + x)] = 255;
    }
  }
  return image;
}

struct TemporaryFolder {
  fs::path path = fs::temp_directory_path() / ("synfire_nmnist_" + std::to_string(std::rand()));
  TemporaryFolder() { fs::create_directories(path); }
  ~TemporaryFolder() { fs::remove_all(path); }
};

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n,
               mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace

TEST_CASE("the fast logarithm is the logarithm") {
  for (double x = 1e-6; x < 1e6; x *= 1.0137) {
    const auto single = static_cast<float>(x);
    // 3.1e-8 of the series, and a few roundings of numbers as large as the result or as ln 2.
    const double bound = 3.1e-8 + 4 * 6e-8 * (std::abs(std::log(x)) + 0.7);
    CHECK(std::abs(fast_log(single) - std::log(static_cast<double>(single))) < bound);
  }
}

TEST_CASE("a fine image is seen displaced by parts of a pixel") {
  FineImage image(6, 4, 2, 4);
  for (int row = 0; row < image.rows(); ++row) {
    for (int column = 0; column < image.columns(); ++column) {
      const Point place = image.place(row, column);
      image.at(row, column) = static_cast<float>(3.0 * place.x - 7.0 * place.y);
    }
  }
  std::vector<float> out(24);

  image.look({0.3, -0.45}, out);

  // Bilinear interpolation is exact for a plane; numbers stay below 64, ulp 4e-6.
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 6; ++x) {
      const double expected = 3.0 * (x + 0.5 - 0.3) - 7.0 * (y + 0.5 + 0.45);
      CHECK(out[static_cast<std::size_t>(6 * y + x)] == doctest::Approx(expected).epsilon(1e-5));
    }
  }
}

TEST_CASE("the digit runs down, up to the right, and back to the left") {
  const Point start = saccade_offset(0), first = saccade_offset(100'000), second = saccade_offset(220'000),
              end = saccade_offset(310'000);

  CHECK(first.y - start.y > 4.5);
  CHECK(first.x - start.x > 1.0);
  CHECK(second.y - first.y < -4.5);
  CHECK(second.x - first.x > 3.0);
  CHECK(end.x - second.x < -4.5);
  CHECK(std::abs(end.y - second.y) < 0.5);
  CHECK(saccade_offset(-5'000).x == start.x);
  CHECK(saccade_offset(1e7).x == doctest::Approx(end.x));
}

TEST_CASE("a dark digit that moves leaves OFF events ahead and ON events behind") {
  SaccadeParams params;
  params.sensor.leak_rate_hz = params.sensor.shot_noise_hz = 0;
  SaccadeCamera camera(params, 1);

  const EventStream events = camera.record(ring(), 1);

  // In the first saccade the ring moves down: its lower half goes first.
  int leading_off = 0, leading_on = 0;
  for (std::size_t i = 0; i < events.size() && events.t_us[i] < 45'000; ++i) {
    if (events.y[i] < 24) continue;
    (events.on[i] != 0 ? leading_on : leading_off) += 1;
  }
  CHECK(leading_off > 50);
  CHECK(leading_on < leading_off / 5);
  CHECK(std::is_sorted(events.t_us.begin(), events.t_us.end()));
  CHECK(events.width == 34);
}

TEST_CASE("a blank screen shows noise only") {
  SaccadeCamera camera({}, 1);

  const EventStream events = camera.record(std::vector<std::uint8_t>(784, 0), 1);

  // 1156 pixels, 0.316 s, 0.45 Hz leak and 0.06 Hz shot noise: 186 at most, less as pixels start away from the
  // threshold.
  CHECK(events.size() > 60);
  CHECK(events.size() < 240);
}

TEST_CASE("a set of digits is the same for any number of threads, and is read back") {
  const TemporaryFolder folder;
  std::vector<std::uint8_t> images, labels;
  for (int i = 0; i < 100; ++i) {
    const std::vector<std::uint8_t> image = ring();
    images.insert(images.end(), image.begin(), image.end());
    labels.push_back(static_cast<std::uint8_t>(i % 10));
  }
  const DigitSetConfig config{.num_train = 80, .num_test = 10, .seed = 3, .camera = {}};
  std::int64_t last_done = 0;
  const int threads = num_threads();

  set_num_threads(1);
  simulate_nmnist(config, images, labels, folder.path / "one", [&](std::int64_t done, std::int64_t total) {
    CHECK(done == last_done + 1);
    CHECK(total == 90);
    last_done = done;
  });
  set_num_threads(3);
  simulate_nmnist(config, images, labels, folder.path / "three");
  set_num_threads(threads);

  CHECK(last_done == 90);
  std::size_t num_files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder.path / "one")) {
    if (!entry.is_regular_file()) continue;
    ++num_files;
    CHECK(content(entry.path()) == content(folder.path / "three" / fs::relative(entry.path(), folder.path / "one")));
  }
  CHECK(num_files == 91);
  const Recording first = read_recording(folder.path / "one" / "train" / "0" / "00001.bin");
  CHECK(first.events.width == 34);
  CHECK(first.events.size() > 1000);
  // The last ten of the hundred images: numbers 91 to 100, digits 0 to 9.
  CHECK(fs::exists(folder.path / "one" / "test" / "9" / "00100.bin"));
  CHECK_FALSE(fs::exists(folder.path / "one.partial"));
}

TEST_CASE("a set is not made over another, nor left behind half-made") {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> image = ring();
  const std::vector<std::uint8_t> labels{7};
  const DigitSetConfig config{.num_train = 1, .num_test = 0, .seed = 1, .camera = {}};
  fs::create_directories(folder.path / "taken");

  CHECK_THROWS_AS(simulate_nmnist(config, image, labels, folder.path / "taken"), FileError);
  CHECK_THROWS_WITH(simulate_nmnist(config, image, labels, folder.path / "given_up",
                                    [](std::int64_t, std::int64_t) { throw Error("enough"); }),
                    "enough");
  CHECK_FALSE(fs::exists(folder.path / "given_up"));
  CHECK_FALSE(fs::exists(folder.path / "given_up.partial"));
  DigitSetConfig too_many = config;
  too_many.num_test = 1;
  CHECK_THROWS_AS(simulate_nmnist(too_many, image, labels, folder.path / "none"), ConfigError);
}

TEST_CASE("simulated digits have the statistics of the recorded ones, digit by digit") {
  const auto data = test::data_folder();
  if (!data) return;
  const IdxImages images = read_idx_images(*data / "mnist" / "train-images-idx3-ubyte.gz");
  SaccadeCamera camera({}, 1);

  // N-MNIST's files bear the numbers of the images that were shown, so that each recording has its simulated twin.
  constexpr std::int64_t kWindow_us = 15'000;
  constexpr std::size_t kWindows = 21;
  struct Sum {
    std::vector<double> events = std::vector<double>(kWindows), x = events, y = events;
    double on = 0, all = 0;
    void add(const EventStream& stream) {
      for (std::size_t i = 0; i < stream.size(); ++i) {
        all += 1;
        on += stream.on[i];
        const auto window = static_cast<std::size_t>(stream.t_us[i] / kWindow_us);
        if (window >= kWindows) continue;
        events[window] += 1;
        x[window] += stream.x[i];
        y[window] += stream.y[i];
      }
    }
  } recorded, simulated;
  std::vector<double> recorded_counts, simulated_counts;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(*data / "nmnist" / "train")) {
    if (entry.path().extension() != ".bin") continue;
    const auto number = static_cast<std::size_t>(std::stoi(entry.path().stem().string()));
    const Recording recording = read_recording(entry.path());
    const EventStream twin = camera.record(images.image(number - 1), number);
    recorded.add(recording.events);
    simulated.add(twin);
    recorded_counts.push_back(static_cast<double>(recording.events.size()));
    simulated_counts.push_back(static_cast<double>(twin.size()));
  }

  REQUIRE(recorded_counts.size() == 801);
  CHECK(simulated.all / recorded.all == doctest::Approx(1.0).epsilon(0.05));
  CHECK(simulated.on / simulated.all > 0.48);
  CHECK(simulated.on / simulated.all < 0.52);
  CHECK(correlation(recorded.events, simulated.events) > 0.98);
  CHECK(correlation(recorded_counts, simulated_counts) > 0.98);
  for (std::size_t window = 0; window < kWindows; ++window) {
    CAPTURE(window);
    if (recorded.events[window] < 30 * 801) continue;  // too few events to have a middle
    CHECK(std::abs(recorded.x[window] / recorded.events[window] - simulated.x[window] / simulated.events[window]) <
          1.0);
    CHECK(std::abs(recorded.y[window] / recorded.events[window] - simulated.y[window] / simulated.events[window]) <
          1.0);
  }
}
