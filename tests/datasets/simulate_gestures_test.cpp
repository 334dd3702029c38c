#include "datasets/simulate/simulate_gestures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "datasets/dvs_gesture.hpp"
#include "datasets/simulate/gesture_scene.hpp"

using namespace synfire;
using namespace synfire::datasets;
namespace fs = std::filesystem;

namespace {

double distance(Vec3 a, Vec3 b) { return std::sqrt(dot(a - b, a - b)); }

constexpr std::uint64_t kSeed = 5;

/// Two seconds of a gesture, without noise, as seen by the sensor of the default set.
EventStream film(GestureClass gesture, std::uint32_t user) {
  const Subject subject = draw_subject(kSeed, user);
  const Performance performance(gesture, subject.build, subject.temper, kSeed, user);
  GestureScene scene(subject, *find_light("led"), kSeed + user);
  DvsParams params = GestureSetConfig{}.sensor;
  params.leak_rate_hz = params.shot_noise_hz = 0.0;
  DvsArray sensor(GestureScene::kSide, GestureScene::kSide, params, kSeed);
  EventStream events;
  sensor.start(scene.draw(performance.pose(-1.0), 0.0), 0, 1);
  for (int frame = 1; frame <= 1000; ++frame) {
    const double t_s = 0.002 * frame;
    sensor.advance(scene.draw(performance.pose(t_s - 1.0), t_s), 2000 * frame, events);
  }
  return events;
}

/// Events of each polarity on a grid of 16x16 cells.
std::vector<double> histogram(const EventStream& events) {
  std::vector<double> count(512, 0.0);
  for (std::size_t i = 0; i < events.size(); ++i) {
    count[static_cast<std::size_t>(events.on[i]) * 256U + events.y[i] / 8U * 16U + events.x[i] / 8U] += 1.0;
  }
  return count;
}

struct TemporaryFolder {
  fs::path path = fs::temp_directory_path() / ("synfire_gestures_" + std::to_string(std::rand()));
  TemporaryFolder() { fs::create_directories(path); }
  ~TemporaryFolder() { fs::remove_all(path); }
};

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("bones keep their length in every pose of every gesture") {
  for (int gesture = 1; gesture <= kNumGestures; ++gesture) {
    for (std::uint32_t user = 1; user <= 5; ++user) {
      const Subject subject = draw_subject(kSeed, user);
      const Performance performance(static_cast<GestureClass>(gesture), subject.build, subject.temper, kSeed, user);
      for (double t_s = -1.0; t_s < 1.0; t_s += 0.037) {
        const FigurePose pose = performance.pose(t_s);
        for (const Side side : kSides) {
          CAPTURE(gesture);
          CAPTURE(t_s);
          const Vec3 shoulder = shoulder_of(subject.build, side) + pose.sway;
          CHECK(distance(shoulder, pose[side].elbow) == doctest::Approx(subject.build.upper_arm).epsilon(1e-9));
          CHECK(distance(pose[side].elbow, pose[side].hand) == doctest::Approx(subject.build.forearm).epsilon(1e-9));
        }
      }
    }
  }
}

TEST_CASE("a hand out of reach is reached for") {
  const Build build;

  const ArmPose arm = reach(build, Side::left, {5.0, 0.0, 0.0}, 0.3);

  CHECK(distance(shoulder_of(build, Side::left), arm.hand) < build.upper_arm + build.forearm);
  CHECK(arm.hand.x > 1.3);
  CHECK(std::abs(arm.hand.y) < 1e-9);
}

TEST_CASE("gestures move the arms that they are named after") {
  const Subject subject = draw_subject(kSeed, 1);
  const auto span_of = [&](GestureClass gesture, Side side) {
    const Performance performance(gesture, subject.build, subject.temper, kSeed, 1);
    double low = 1e9, high = -1e9;
    for (double t_s = -1.0; t_s < 1.0; t_s += 0.01) {
      low = std::min(low, performance.pose(t_s)[side].hand.x);
      high = std::max(high, performance.pose(t_s)[side].hand.x);
    }
    return high - low;
  };

  for (const auto gesture : {GestureClass::right_hand_wave, GestureClass::right_arm_clockwise}) {
    CHECK(span_of(gesture, Side::right) > 0.3);
    CHECK(span_of(gesture, Side::left) < 0.1);
  }
  for (const auto gesture : {GestureClass::left_hand_wave, GestureClass::left_arm_counter_clockwise}) {
    CHECK(span_of(gesture, Side::left) > 0.3);
    CHECK(span_of(gesture, Side::right) < 0.1);
  }
}

TEST_CASE("clockwise is clockwise on the screen, and counter-clockwise is the same backwards") {
  const Subject subject = draw_subject(kSeed, 2);
  const Performance clockwise(GestureClass::right_arm_clockwise, subject.build, subject.temper, kSeed, 9);
  const Performance counter(GestureClass::right_arm_counter_clockwise, subject.build, subject.temper, kSeed, 9);
  const Vec3 shoulder = shoulder_of(subject.build, Side::right);

  for (double t_s = -1.2; t_s < 1.2; t_s += 0.05) {
    const Vec3 now = clockwise.pose(t_s)[Side::right].hand - shoulder;
    const Vec3 next = clockwise.pose(t_s + 0.01)[Side::right].hand - shoulder;
    CHECK(now.x * next.y - now.y * next.x > 0.0);  // y points down
    // The same gesture number, so the same rhythm up to the typical one, which is equal for both.
    const ArmPose there = clockwise.pose(t_s)[Side::right], back = counter.pose(-t_s)[Side::right];
    CHECK(distance(there.hand, back.hand) < 1e-12);
    CHECK(distance(there.elbow, back.elbow) < 1e-12);
  }
}

TEST_CASE("clockwise and counter-clockwise leave the same events behind") {
  for (const std::uint32_t user : {1U, 2U, 3U}) {
    const EventStream clockwise = film(GestureClass::right_arm_clockwise, user);
    const EventStream counter = film(GestureClass::right_arm_counter_clockwise, user);

    const std::vector<double> a = histogram(clockwise), b = histogram(counter);
    double difference = 0.0, total = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      difference += std::abs(a[i] - b[i]);
      total += a[i] + b[i];
    }
    const auto count_a = static_cast<double>(clockwise.size()), count_b = static_cast<double>(counter.size());
    CAPTURE(user);
    REQUIRE(count_a > 10'000);
    CHECK(std::abs(count_a - count_b) < 0.01 * (count_a + count_b));
    // At the two ends of the arc the polarity of an unfinished passage differs.
    CHECK(difference < 0.06 * total);
  }
}

TEST_CASE("a limb covers its area, inside the box that it reports") {
  constexpr int kSide = 64;
  std::vector<float> image(kSide * kSide, 0.0F);
  const Material material{.tone_start = 1.0F, .tone_end = 1.0F, .shading = 0.0F};

  const Box box = paint_limb(image, kSide, kSide, {20.3, 15.1}, {40.9, 42.7}, 4.0, 4.0, material);

  double inside = 0.0, outside = 0.0;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const bool in_box = x >= box.left && x < box.right && y >= box.top && y < box.bottom;
      (in_box ? inside : outside) += std::abs(image[static_cast<std::size_t>(kSide * y + x)]);
    }
  }
  CHECK(outside == 0.0);
  // A rectangle and two half discs. The edge is a ramp of 1.6 pixels in (r^2 - d^2) / 2r, which bends outwards: the
  // cover of a straight edge is short of its half by 1.6^2 / (24 r) per pixel of length, 1 % here.
  const double length = std::hypot(20.6, 27.6);
  const double expected = 2.0 * 4.0 * length + std::numbers::pi * 16.0;
  CHECK(inside == doctest::Approx(expected).epsilon(0.02));
}

TEST_CASE("a picture that is repaired where arms moved is the picture painted anew") {
  const Subject subject = draw_subject(kSeed, 3);
  const Light light{.name = "even"};
  const Performance performance(GestureClass::hand_clapping, subject.build, subject.temper, kSeed, 3);
  GestureScene moving(subject, light, 1);
  FigurePose pose;
  for (int frame = 0; frame < 40; ++frame) {
    pose = performance.pose(0.02 * frame);
    pose.sway = {};
    moving.draw(pose, 0.0);
  }

  GestureScene fresh(subject, light, 1);
  const std::span<const float> expected = fresh.draw(pose, 0.0);
  const std::span<const float> repaired = moving.draw(pose, 0.0);

  CHECK(std::equal(expected.begin(), expected.end(), repaired.begin()));
}

TEST_CASE("a gesture set is read back by the reader of DVS128 Gesture, the same for any number of threads") {
  const TemporaryFolder folder;
  GestureSetConfig config;
  config.num_train_subjects = 2;
  config.num_test_subjects = 1;
  config.lights = {"led", "fluorescent"};
  config.seconds = 0.4;
  config.pause_s = 0.1;
  config.frame_hz = 500.0;
  const int threads = num_threads();
  set_num_threads(1);
  simulate_gestures(config, folder.path / "one");
  set_num_threads(3);
  std::int64_t last_done = 0;
  simulate_gestures(config, folder.path / "three", [&](std::int64_t done, std::int64_t total) {
    CHECK(total == 6);
    last_done = done;
  });
  set_num_threads(threads);

  CHECK(last_done == 6);
  int num_files = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path / "one")) {
    ++num_files;
    CHECK(content(entry.path()) == content(folder.path / "three" / entry.path().filename()));
  }
  CHECK(num_files == 6 * 2 + 4);
  const std::vector<GestureSample> train = list_gestures(folder.path / "one", GestureSplit::train);
  const std::vector<GestureSample> test = list_gestures(folder.path / "one", GestureSplit::test);
  REQUIRE(train.size() == 44);
  REQUIRE(test.size() == 22);
  std::set<int> train_users, test_users, gestures;
  GestureReader reader;
  for (const GestureSample& sample : train) {
    train_users.insert(sample.user);
    gestures.insert(sample.gesture);
    const EventStream events = reader.read(sample);
    CHECK(events.width == 128);
    CHECK(events.size() > 400);  // 1 keps
    CHECK(events.t_us.front() >= sample.start_us);
    CHECK(events.t_us.back() < sample.end_us);
  }
  for (const GestureSample& sample : test) test_users.insert(sample.user);
  CHECK(train_users == std::set<int>{1, 2});
  CHECK(test_users == std::set<int>{3});
  CHECK(gestures.size() == 11);
}

TEST_CASE("bad gesture sets are refused before anything is made") {
  const TemporaryFolder folder;
  GestureSetConfig config;
  config.lights = {"candle"};
  CHECK_THROWS_WITH_AS(simulate_gestures(config, folder.path / "set"),
                       "lights: \"candle\" is none of fluorescent, fluorescent_led, lab, led, natural", ConfigError);
  config = {};
  config.seconds = 0.0;
  CHECK_THROWS_AS(simulate_gestures(config, folder.path / "set"), ConfigError);
  CHECK_FALSE(fs::exists(folder.path / "set"));
  CHECK_FALSE(fs::exists(folder.path / "set.partial"));
}
