#include "datasets/simulate/simulate_nmnist.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/version.hpp"
#include "datasets/event_writer.hpp"
#include "datasets/idx.hpp"
#include "datasets/simulate/sensor_json.hpp"

namespace synfire::datasets {

namespace {

constexpr std::size_t kPixels = std::size_t{SaccadeCamera::kDigitSide} * SaccadeCamera::kDigitSide;
constexpr std::ptrdiff_t kGrain = 32;  // recordings that share the making of a camera

void check(const DigitSetConfig& config, std::size_t num_images, std::span<const std::uint8_t> labels) {
  if (labels.size() != num_images) {
    throw ShapeError(
        fmt::format("[simulate_nmnist] images and labels must be as many, got {} and {}", num_images, labels.size()));
  }
  const auto count = static_cast<std::int64_t>(num_images);
  if (config.num_train < 0 || config.num_train > count) {
    throw ConfigError("", 0, "num_train",
                      fmt::format("must be between 0 and {}, the number of images, got {}", count, config.num_train));
  }
  if (config.num_test < 0 || config.num_test > count - config.num_train) {
    throw ConfigError("", 0, "num_test",
                      fmt::format("must be between 0 and {}, what training leaves, got {}", count - config.num_train,
                                  config.num_test));
  }
  if (std::any_of(labels.begin(), labels.end(), [](std::uint8_t label) { return label > 9; })) {
    throw ShapeError("[simulate_nmnist] labels must be between 0 and 9");
  }
}

std::string manifest(const DigitSetConfig& config, std::int64_t num_events) {
  const SaccadeParams& camera = config.camera;
  const nlohmann::ordered_json json{{"data_set", "nmnist_simulated"},
                                    {"synfire", build_info().version},
                                    {"commit", build_info().commit},
                                    {"seed", config.seed},
                                    {"num_train", config.num_train},
                                    {"num_test", config.num_test},
                                    {"num_events", num_events},
                                    {"width", SaccadeCamera::kSide},
                                    {"height", SaccadeCamera::kSide},
                                    {"digit_px", camera.digit_px},
                                    {"blur_px", camera.blur_px},
                                    {"stroke_brightness", camera.stroke_brightness},
                                    {"timing_jitter_us", camera.timing_jitter_us},
                                    {"place_jitter_px", camera.place_jitter_px},
                                    {"sensor", sensor_json(camera.sensor)}};
  return json.dump(2) + "\n";
}

}  // namespace

void simulate_nmnist(const DigitSetConfig& config, std::span<const std::uint8_t> images,
                     std::span<const std::uint8_t> labels, const std::filesystem::path& out,
                     const SetProgress& progress) {
  if (images.size() % kPixels != 0) {
    throw ShapeError(fmt::format("[simulate_nmnist] images must be a multiple of 784 bytes, got {}", images.size()));
  }
  const std::size_t num_images = images.size() / kPixels;
  check(config, num_images, labels);
  const std::int64_t total = config.num_train + config.num_test;
  SetFolder folder(out);
  SetCounter counter(total, progress);
  parallel_for(total, kGrain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    SaccadeCamera camera(config.camera, config.seed);
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      const bool train = i < config.num_train;
      const std::size_t index = train ? static_cast<std::size_t>(i) : num_images - static_cast<std::size_t>(total - i);
      const std::string name = fmt::format("{}/{}/{:05}.bin", train ? "train" : "test", labels[index], index + 1);
      // Every recording has noise of its own.
      const EventStream events =
          camera.record(images.subspan(index * kPixels, kPixels), config.seed + (std::uint64_t{index + 1} << 32U));
      folder.write(name, encode_recording(events, name, EventFormat::nmnist_bin));
      counter.add(static_cast<std::int64_t>(events.size()));
    }
  });
  folder.commit(manifest(config, counter.num_events()));
}

void simulate_nmnist(const DigitSetConfig& config, const std::filesystem::path& mnist, const std::filesystem::path& out,
                     const SetProgress& progress) {
  const auto file = [&](const char* name) {
    const std::filesystem::path plain = mnist / name;
    std::filesystem::path compressed = plain;
    compressed += ".gz";
    return std::filesystem::exists(compressed) ? compressed : plain;
  };
  const IdxImages images = read_idx_images(file("train-images-idx3-ubyte"));
  const std::vector<std::uint8_t> labels = read_idx_labels(file("train-labels-idx1-ubyte"));
  if (images.width != SaccadeCamera::kDigitSide || images.height != SaccadeCamera::kDigitSide) {
    throw ShapeError(fmt::format("[simulate_nmnist] digits must be 28x28, got {}x{}", images.width, images.height));
  }
  simulate_nmnist(config, images.pixels, labels, out, progress);
}

}  // namespace synfire::datasets
