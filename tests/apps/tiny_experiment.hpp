#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "core/random.hpp"
#include "datasets/event_writer.hpp"
#include "tests/apps/program.hpp"

namespace synfire::test {

/// Recordings of two classes that are easy to tell apart: a dot that moves down on the left, or on the right, of an
/// N-MNIST sensor.
inline void write_moving_dots(const std::filesystem::path& folder, int num_per_class, std::uint32_t purpose) {
  for (int label = 0; label < 2; ++label) {
    const std::filesystem::path place = folder / (label == 0 ? "left" : "right");
    std::filesystem::create_directories(place);
    for (int i = 0; i < num_per_class; ++i) {
      const RandomStream random(7, purpose, static_cast<std::uint32_t>(2 * i + label));
      const auto x = static_cast<std::uint16_t>((label == 0 ? 1 : 20) + random.below(0, 9));
      const auto y = static_cast<std::uint16_t>(random.below(1, 20));
      EventStream events;
      events.width = events.height = 34;
      for (std::uint16_t step = 0; step < 12; ++step) {
        for (std::uint16_t k = 0; k < 4; ++k) {
          events.push_back({step * 20000 + k, static_cast<std::uint16_t>(x + k), static_cast<std::uint16_t>(y + step),
                            static_cast<std::uint8_t>(k % 2)});
        }
      }
      datasets::write_recording(place / (std::to_string(i) + ".bin"), events, datasets::EventFormat::nmnist_bin);
    }
  }
}

/// A config that trains on such recordings in about a second.
inline std::filesystem::path write_tiny_experiment(const Scratch& scratch, int epochs) {
  write_moving_dots(scratch / "train", 12, 1);
  write_moving_dots(scratch / "test", 6, 2);
  const std::filesystem::path config = scratch / "tiny.toml";
  std::ofstream(config) << "name = \"tiny\"\nseed = 3\n[data]\nkind = \"labelled_folders\"\ntrain = \""
                        << (scratch / "train").string() << "\"\ntest = \"" << (scratch / "test").string() << "\"\n"
                        << R"(validation = 0.25
[frames]
bins = 6
[network]
dt_ms = 10.0
[[network.layers]]
type = "conv2d"
channels = 8
stride = 2
[[network.layers]]
type = "batch_norm"
[[network.layers]]
type = "lif"
[[network.layers]]
type = "max_pool"
[[network.layers]]
type = "flatten"
[[network.layers]]
type = "dropout"
p = 0.2
[[network.layers]]
type = "linear"
out_features = 2
[learning]
batch_size = 4
learning_rate = 0.01
checkpoint_every_steps = 2
epochs = )" << epochs << "\n";
  return config;
}

}  // namespace synfire::test
