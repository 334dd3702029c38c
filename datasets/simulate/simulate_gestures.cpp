#include "datasets/simulate/simulate_gestures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "core/version.hpp"
#include "datasets/dvs_gesture.hpp"
#include "datasets/event_writer.hpp"
#include "datasets/simulate/gesture_scene.hpp"
#include "datasets/simulate/sensor_json.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kOrderStream = 0x474553'02;

void check(const GestureSetConfig& config) {
  const auto in_range = [](double value, double at_least, double at_most, const char* name) {
    if (value >= at_least && value <= at_most) return;
    throw ConfigError("", 0, name, fmt::format("must be between {} and {}, got {}", at_least, at_most, value));
  };
  in_range(config.num_train_subjects, 0, 10'000, "num_train_subjects");
  in_range(config.num_test_subjects, 0, 10'000, "num_test_subjects");
  in_range(config.repetitions, 1, 100, "repetitions");
  in_range(config.seconds, 0.1, 60, "seconds");
  in_range(config.pause_s, 0.01, 10, "pause_s");
  in_range(config.frame_hz, 100, 10'000, "frame_hz");
  if (config.lights.empty()) throw ConfigError("", 0, "lights", "must name at least one light");
}

Light light_of(const std::string& name) {
  if (const std::optional<Light> light = find_light(name)) return *light;
  throw ConfigError("", 0, "lights",
                    fmt::format("\"{}\" is none of fluorescent, fluorescent_led, lab, led, natural", name));
}

std::size_t light_number(std::string_view name) {
  std::size_t number = 0;
  while (number < kLights.size() && kLights[number].name != name) ++number;
  return number;
}

double ease(double u) { return u * u * (3.0 - 2.0 * u); }

/// The poses of a whole recording: pauses and performances in turn.
class Programme {
 public:
  Programme(const GestureSetConfig& config, const Subject& subject, std::uint64_t seed)
      : pause_us_(std::llround(1e6 * config.pause_s)), gesture_us_(std::llround(1e6 * config.seconds)) {
    for (const Side side : kSides) rest_[side] = hanging_arm(subject.build, side);
    // In an order of their own in each round, so that what went before a gesture does not give it away.
    std::array<int, kNumGestures> order{};
    std::iota(order.begin(), order.end(), 1);
    const RandomStream shuffle(seed, kOrderStream, 0);
    for (int i = 0; i < config.repetitions * kNumGestures; ++i) {
      const int place = i % kNumGestures;
      const auto other = static_cast<std::size_t>(place) +
                         shuffle.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(kNumGestures - place));
      std::swap(order[static_cast<std::size_t>(place)], order[other]);
      const auto gesture = static_cast<GestureClass>(order[static_cast<std::size_t>(place)]);
      performances_.emplace_back(gesture, subject.build, subject.temper, seed, static_cast<std::uint32_t>(i));
      const std::int64_t start_us = i * (pause_us_ + gesture_us_) + pause_us_;
      labels_.push_back({static_cast<int>(gesture), start_us, start_us + gesture_us_});
    }
  }

  const std::vector<GestureLabel>& labels() const { return labels_; }
  std::int64_t end_us() const { return labels_.back().end_us; }

  FigurePose pose(std::int64_t t_us) const {
    const std::int64_t round_us = pause_us_ + gesture_us_;
    const auto index = std::min(static_cast<std::size_t>(t_us / round_us), performances_.size() - 1);
    const std::int64_t since_us = t_us - static_cast<std::int64_t>(index) * round_us - pause_us_;
    const double half_s = 0.5e-6 * static_cast<double>(gesture_us_);
    if (since_us >= 0) return performances_[index].pose(1e-6 * static_cast<double>(since_us) - half_s);
    const double done = 1.0 + static_cast<double>(since_us) / static_cast<double>(pause_us_);
    const FigurePose before = index == 0 ? rest_ : performances_[index - 1].pose(half_s);
    return mix(before, performances_[index].pose(-half_s), ease(done));
  }

 private:
  std::int64_t pause_us_;
  std::int64_t gesture_us_;
  FigurePose rest_;
  std::vector<Performance> performances_;
  std::vector<GestureLabel> labels_;
};

std::string labels_csv(const std::vector<GestureLabel>& labels) {
  std::string text = "class,startTime_usec,endTime_usec\n";
  for (const GestureLabel& label : labels)
    text += fmt::format("{},{},{}\n", label.gesture, label.start_us, label.end_us);
  return text;
}

std::string manifest(const GestureSetConfig& config, std::int64_t num_events) {
  const nlohmann::ordered_json json{{"data_set", "gestures_simulated"},
                                    {"synfire", build_info().version},
                                    {"commit", build_info().commit},
                                    {"seed", config.seed},
                                    {"num_train_subjects", config.num_train_subjects},
                                    {"num_test_subjects", config.num_test_subjects},
                                    {"lights", config.lights},
                                    {"repetitions", config.repetitions},
                                    {"seconds", config.seconds},
                                    {"pause_s", config.pause_s},
                                    {"frame_hz", config.frame_hz},
                                    {"num_events", num_events},
                                    {"width", GestureScene::kSide},
                                    {"height", GestureScene::kSide},
                                    {"right_and_left", "the performer's"},
                                    {"clockwise", "as the camera sees it"},
                                    {"sensor", sensor_json(config.sensor)}};
  return json.dump(2) + "\n";
}

}  // namespace

GestureRecording simulate_gesture_recording(const GestureSetConfig& config, int user, const std::string& light_name) {
  check(config);
  const Light light = light_of(light_name);
  const auto number = static_cast<std::uint32_t>(user);
  const auto day = static_cast<std::uint32_t>(light_number(light_name));
  const std::uint64_t seed = config.seed ^ (std::uint64_t{number} << 40U) ^ (std::uint64_t{day} << 32U);
  const Subject subject = redress(draw_subject(config.seed, number), config.seed, number, day);
  const Programme programme(config, subject, seed);
  GestureScene scene(subject, light, seed);
  DvsParams params = config.sensor;
  params.shot_noise_hz *= light.noise_factor;
  DvsArray sensor(GestureScene::kSide, GestureScene::kSide, params, config.seed);

  GestureRecording recording;
  recording.labels = programme.labels();
  recording.events.width = recording.events.height = GestureScene::kSide;
  const double step_us = 1e6 / config.frame_hz;
  sensor.start(scene.draw(programme.pose(0), 0.0), 0, seed, DvsArray::Past::motion);
  for (std::int64_t frame = 1;; ++frame) {
    const std::int64_t t_us = std::llround(step_us * static_cast<double>(frame));
    if (t_us > programme.end_us()) break;
    sensor.advance(scene.draw(programme.pose(t_us), 1e-6 * static_cast<double>(t_us)), t_us, recording.events);
  }
  return recording;
}

void simulate_gestures(const GestureSetConfig& config, const std::filesystem::path& out, const SetProgress& progress) {
  check(config);
  for (const std::string& light : config.lights) light_of(light);
  const auto num_lights = static_cast<std::ptrdiff_t>(config.lights.size());
  const std::ptrdiff_t total = (config.num_train_subjects + config.num_test_subjects) * num_lights;
  SetFolder folder(out);
  SetCounter counter(total, progress);
  const auto name_of = [&](std::ptrdiff_t i) {
    return fmt::format("user{:02}_{}", 1 + i / num_lights, config.lights[static_cast<std::size_t>(i % num_lights)]);
  };
  parallel_for(total, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      const GestureRecording recording = simulate_gesture_recording(
          config, static_cast<int>(1 + i / num_lights), config.lights[static_cast<std::size_t>(i % num_lights)]);
      const std::string name = name_of(i);
      folder.write(name + ".aedat", encode_recording(recording.events, name, EventFormat::aedat3));
      folder.write(name + "_labels.csv", labels_csv(recording.labels));
      counter.add(static_cast<std::int64_t>(recording.events.size()));
    }
  });

  std::string train, test, mapping = "action,label\n";
  for (std::ptrdiff_t i = 0; i < total; ++i) {
    (i < config.num_train_subjects * num_lights ? train : test) += name_of(i) + ".aedat\n";
  }
  for (std::size_t i = 0; i < gesture_names().size(); ++i) mapping += fmt::format("{},{}\n", gesture_names()[i], i + 1);
  folder.write("trials_to_train.txt", train);
  folder.write("trials_to_test.txt", test);
  folder.write("gesture_mapping.csv", mapping);
  folder.commit(manifest(config, counter.num_events()));
}

}  // namespace synfire::datasets
