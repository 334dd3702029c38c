#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "core/hdf5_file.hpp"
#include "core/tensor.hpp"

/// What tests against another implementation share: its numbers, from a file of tests/data.
namespace synfire::test {

inline Hdf5File open_golden(const std::string& path) {
  return Hdf5File::open(std::filesystem::path(SYNFIRE_SOURCE_DIR) / "tests/data" / path);
}

template <class Scalar>
Tensor<Scalar> read_golden(const Hdf5File& file, const std::string& path) {
  const std::vector<double> values = file.read<double>(path);
  Tensor<Scalar> tensor(file.shape(path));
  std::transform(values.begin(), values.end(), tensor.data(), [](double v) { return static_cast<Scalar>(v); });
  return tensor;
}

struct Difference {
  double largest = 0.0;  ///< of their numbers
  double error = 0.0;    ///< of ours, the largest
};

template <class Scalar>
Difference difference(const Tensor<double>& theirs, View<const Scalar> ours) {
  REQUIRE(ours.shape == theirs.shape());
  Difference result;
  for (std::ptrdiff_t i = 0; i < ours.size(); ++i) {
    result.largest = std::max(result.largest, std::abs(theirs[i]));
    result.error = std::max(result.error, std::abs(theirs[i] - static_cast<double>(ours[i])));
  }
  return result;
}

}  // namespace synfire::test
