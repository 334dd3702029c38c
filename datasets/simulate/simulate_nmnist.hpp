#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "datasets/simulate/saccade_digits.hpp"
#include "datasets/simulate/set_folder.hpp"

namespace synfire::datasets {

/// Which digits become recordings: of a list of images the first `num_train` make the training split, the last
/// `num_test` the test split.
struct DigitSetConfig {
  std::int64_t num_train = 50'000;
  std::int64_t num_test = 10'000;
  std::uint64_t seed = 1;
  SaccadeParams camera;
};

/// Makes a data set like N-MNIST: `out/train/<digit>/<nnnnn>.bin`, `out/test/...` and `out/manifest.json`. A file bears
/// the number of its image, from 1 as in N-MNIST. One sensor, of the same seed, makes all recordings. The same
/// configuration gives the same bytes for any number of threads.
/// \param images  [n * 784] grey levels of 28x28 digits, 0 the background
/// \param labels  [n] 0 to 9
/// \throws ConfigError for splits that overlap or a parameter out of its range
/// \throws ShapeError  if images and labels do not fit
/// \throws FileError   if `out` exists already or cannot be written
void simulate_nmnist(const DigitSetConfig& config, std::span<const std::uint8_t> images,
                     std::span<const std::uint8_t> labels, const std::filesystem::path& out,
                     const SetProgress& progress = {});

/// The same from a folder with MNIST's train-images-idx3-ubyte and train-labels-idx1-ubyte, compressed (.gz) or not.
/// \throws FormatError if they are damaged
void simulate_nmnist(const DigitSetConfig& config, const std::filesystem::path& mnist, const std::filesystem::path& out,
                     const SetProgress& progress = {});

}  // namespace synfire::datasets
