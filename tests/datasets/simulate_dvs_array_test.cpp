#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "datasets/simulate/dvs_array.hpp"

using namespace synfire;
using datasets::DvsArray;
using datasets::DvsParams;

namespace {

/// A pixel without noise, mismatch or dead time: what the closed forms are about.
DvsParams ideal() {
  return {.threshold_on = 0.25,
          .threshold_off = 0.25,
          .threshold_mismatch = 0,
          .refractory_us = 0,
          .leak_rate_hz = 0,
          .shot_noise_hz = 0};
}

/// Runs every pixel along log_intensity(t in s) for `seconds`, one frame each `step_us`.
template <class Light>
EventStream run(DvsArray& sensor, const Light& log_intensity, double seconds, std::int64_t step_us,
                std::uint64_t noise_seed = 1) {
  std::vector<float> frame(static_cast<std::size_t>(sensor.width()) * static_cast<std::size_t>(sensor.height()));
  const auto fill = [&](std::int64_t t_us) {
    std::fill(frame.begin(), frame.end(), static_cast<float>(log_intensity(1e-6 * static_cast<double>(t_us))));
  };
  EventStream events;
  fill(0);
  sensor.start(frame, 0, noise_seed);
  for (std::int64_t t_us = step_us; t_us <= std::llround(1e6 * seconds); t_us += step_us) {
    fill(t_us);
    sensor.advance(frame, t_us, events);
  }
  return events;
}

std::ptrdiff_t count_on(const EventStream& events) { return std::count(events.on.begin(), events.on.end(), 1); }

}  // namespace

TEST_CASE("a step of contrast c gives floor(ln c / threshold) events of its sign") {
  for (const double contrast : {1.2, 1.3, 2.0, 5.0, 60.0}) {
    for (const bool brighter : {true, false}) {
      DvsArray sensor(1, 1, ideal(), 1);
      const double step = brighter ? std::log(contrast) : -std::log(contrast);

      const EventStream events = run(
          sensor, [&](double t) { return t > 0.0005 ? step : 0.0; }, 0.003, 1000);

      CAPTURE(contrast);
      CHECK(static_cast<double>(events.size()) == std::floor(std::log(contrast) / 0.25));
      CHECK(count_on(events) == (brighter ? static_cast<std::ptrdiff_t>(events.size()) : 0));
    }
  }
}

TEST_CASE("crossings of a ramp fall at their own times, rounded up to the microsecond") {
  // L = 80 t with t in seconds: crossings of 0.25 k at 3125 k us.
  DvsArray sensor(1, 1, ideal(), 1);

  const EventStream events = run(
      sensor, [](double t) { return 80.0 * t; }, 0.0165, 5500);

  // Float rounding may push a crossing over its whole microsecond.
  REQUIRE(events.size() == 5);
  for (std::size_t k = 0; k < 5; ++k) CHECK(std::abs(events.t_us[k] - 3125 * static_cast<std::int64_t>(k + 1)) <= 1);
}

TEST_CASE("a sinusoid of amplitude A gives 2A / threshold events per half period, whatever the frame rate") {
  // 10 periods of amplitude 1.0: eight thresholds from trough to crest, but the first quarter starts in the middle.
  const auto light = [](double t) { return std::sin(2.0 * std::numbers::pi * 5.0 * t); };
  std::vector<double> counts;
  for (const std::int64_t step_us : {100, 500, 1000, 2000}) {
    DvsParams params = ideal();
    params.threshold_on = params.threshold_off = 0.0499;  // 40 fit, so that rounding decides no crossing
    DvsArray sensor(1, 1, params, 1);

    const EventStream events = run(sensor, light, 2.0, step_us);

    CHECK(static_cast<double>(events.size()) == doctest::Approx(20 * 2.0 / 0.0499).epsilon(0.02));
    counts.push_back(static_cast<double>(events.size()));
  }
  for (const double count : counts) CHECK(count == doctest::Approx(counts[0]).epsilon(0.01));
}

TEST_CASE("the leak fires ON events at its rate and nothing else") {
  DvsParams params = ideal();
  params.leak_rate_hz = 2.0;
  params.leak_mismatch = 0.3;
  DvsArray sensor(40, 25, params, 7);

  const EventStream events = run(
      sensor, [](double) { return -3.0; }, 10.0, 1000);

  // 1000 pixels, 10 s. The mean over pixels of a log-normal rate with sigma 0.3 scatters by 0.307 / sqrt(1000) = 1 %;
  // each pixel is regular and adds at most half an event to the error: 4 sigma in all.
  CHECK(static_cast<double>(events.size()) == doctest::Approx(20'000).epsilon(0.04));
  CHECK(count_on(events) == static_cast<std::ptrdiff_t>(events.size()));
}

TEST_CASE("shot noise is Poisson: right rate, both signs, exponential gaps") {
  DvsParams params = ideal();
  params.shot_noise_hz = 5.0;
  DvsArray sensor(20, 20, params, 1);

  const EventStream events = run(
      sensor, [](double) { return 0.0; }, 10.0, 1000);

  constexpr double kExpected = 400 * 5.0 * 10.0;
  CHECK(std::abs(static_cast<double>(events.size()) - kExpected) < 4.0 * std::sqrt(kExpected));
  CHECK(std::abs(static_cast<double>(count_on(events)) - 0.5 * kExpected) < 4.0 * std::sqrt(0.25 * kExpected));
  // Gaps of the whole array have mean 500 us and, being exponential, an equal standard deviation. The sample standard
  // deviation of n exponential numbers scatters by sqrt(2 / n) of itself.
  std::vector<double> gaps;
  for (std::size_t i = 1; i < events.size(); ++i)
    gaps.push_back(static_cast<double>(events.t_us[i] - events.t_us[i - 1]));
  const double mean = std::accumulate(gaps.begin(), gaps.end(), 0.0) / static_cast<double>(gaps.size());
  double square = 0.0;
  for (const double gap : gaps) square += (gap - mean) * (gap - mean);
  const double deviation = std::sqrt(square / static_cast<double>(gaps.size()));
  CHECK(std::abs(deviation / mean - 1.0) < 4.0 * std::sqrt(2.0 / kExpected));
}

TEST_CASE("hot pixels carry most of a shot noise that is unevenly spread, and keep the total rate") {
  DvsParams params = ideal();
  params.shot_noise_hz = 5.0;
  params.shot_noise_mismatch = 2.0;
  DvsArray sensor(20, 20, params, 1);

  const EventStream events = run(
      sensor, [](double) { return 0.0; }, 10.0, 1000);

  CHECK(std::abs(static_cast<double>(events.size()) - 20'000) < 4.0 * std::sqrt(20'000.0));
  std::vector<int> count(400, 0);
  for (std::size_t i = 0; i < events.size(); ++i) ++count[events.y[i] * 20U + events.x[i]];
  std::sort(count.begin(), count.end(), std::greater<>());
  // Share of the upper tenth of a log-normal distribution with sigma 2: Phi(2 - 1.2816) = 0.76.
  CHECK(std::accumulate(count.begin(), count.begin() + 40, 0) > 12'000);
}

TEST_CASE("a dead pixel misses what happens, and then starts from the light it finds") {
  DvsParams params = ideal();
  params.refractory_us = 2000;
  DvsArray sensor(1, 1, params, 1);

  // 0.25 per ms up. Events at 1 ms; awake at 3 ms; next at 4 ms, and so on every 3 ms.
  const EventStream events = run(
      sensor, [](double t) { return 250.0 * t; }, 0.0105, 500);

  REQUIRE(events.size() == 4);
  for (std::size_t k = 0; k < 4; ++k) CHECK(std::abs(events.t_us[k] - 1000 - 3000 * static_cast<std::int64_t>(k)) <= 1);
}

TEST_CASE("the low pass follows a ramp by one time constant") {
  DvsParams params = ideal();
  params.cutoff_hz = 1e6 / (2.0 * std::numbers::pi * 4000.0);  // tau = 4 ms
  DvsArray sensor(1, 1, params, 1);

  const EventStream events = run(
      sensor, [](double t) { return 100.0 * t; }, 0.1, 500);

  // Far behind the start the output is 100 (t - tau): crossings lag those of the bare ramp, 2.5 ms apart, by 4 ms.
  REQUIRE(events.size() == 38);
  CHECK(std::abs(events.t_us.back() - (38 * 2500 + 4000)) <= 2);
}

TEST_CASE("each pixel keeps its own thresholds from run to run, and another chip has others") {
  DvsParams params = ideal();
  params.threshold_mismatch = 0.1;
  const DvsArray first(50, 20, params, 42);
  const DvsArray again(50, 20, params, 42);
  const DvsArray other(50, 20, params, 43);

  CHECK(std::equal(first.thresholds_on().begin(), first.thresholds_on().end(), again.thresholds_on().begin()));
  CHECK(std::equal(first.thresholds_off().begin(), first.thresholds_off().end(), again.thresholds_off().begin()));
  CHECK_FALSE(std::equal(first.thresholds_on().begin(), first.thresholds_on().end(), other.thresholds_on().begin()));
  CHECK_FALSE(std::equal(first.thresholds_on().begin(), first.thresholds_on().end(), first.thresholds_off().begin()));
  double sum = 0.0, square = 0.0;
  for (const float threshold : first.thresholds_on()) {
    sum += threshold;
    square += threshold * threshold;
  }
  const double mean = sum / 1000, deviation = std::sqrt(square / 1000 - mean * mean);
  CHECK(std::abs(mean - 0.25) < 4 * 0.025 / std::sqrt(1000.0));
  CHECK(std::abs(deviation - 0.025) < 4 * 0.025 / std::sqrt(2000.0));
  // The pattern of a seed is part of the data sets that were made with it.
  CHECK(first.thresholds_on()[0] == doctest::Approx(0.236421).epsilon(1e-5));
}

TEST_CASE("events of an interval come in the order of time and lie inside it") {
  DvsParams params{.shot_noise_hz = 200.0};
  DvsArray sensor(16, 16, params, 5);

  const EventStream events = run(
      sensor, [](double t) { return std::sin(300.0 * t); }, 0.05, 1000);

  REQUIRE(events.size() > 1000);
  CHECK(std::is_sorted(events.t_us.begin(), events.t_us.end()));
  CHECK(events.t_us.back() <= 50'000);
}

TEST_CASE("the same seeds give the same events, another noise seed gives others") {
  const auto record = [](std::uint64_t noise_seed) {
    DvsArray sensor(8, 8, {.shot_noise_hz = 50.0}, 5);
    return run(
        sensor, [](double t) { return std::sin(100.0 * t); }, 0.1, 1000, noise_seed);
  };

  CHECK(record(1) == record(1));
  CHECK_FALSE(record(1) == record(2));
}

TEST_CASE("bad parameters, frames and times are refused") {
  CHECK_THROWS_AS(DvsArray(0, 1, {}, 1), ConfigError);
  CHECK_THROWS_AS(DvsArray(1, 1, {.threshold_on = 0.0}, 1), ConfigError);
  CHECK_THROWS_AS(DvsArray(1, 1, {.shot_noise_hz = std::nan("")}, 1), ConfigError);
  DvsArray sensor(2, 2, {}, 1);
  EventStream events;
  const std::vector<float> black(4, 0.0F);
  CHECK_THROWS_AS(sensor.start(std::vector<float>(3), 0, 1), ShapeError);
  sensor.start(black, 100, 1);
  CHECK_THROWS_AS(sensor.advance(black, 100, events), Error);
  CHECK_THROWS_AS(sensor.advance(std::vector<float>(5), 200, events), ShapeError);
  const std::vector<float> no_log(4, -std::numeric_limits<float>::infinity());
  CHECK_THROWS_WITH_AS(sensor.advance(no_log, 200, events),
                       "[DvsArray] log intensity of pixel 0 must be finite, got -inf after 0", Error);
}
