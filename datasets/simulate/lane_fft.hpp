#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/simulate/lanes.hpp"

namespace synfire::datasets {

/// Eight inverse discrete Fourier transforms at once, z[n] = sum over k of Z[k] exp(2 pi i k n / length), not
/// normalised. The values of Z come in bit-reversed order, which costs nothing where they are made. The instructions
/// do not depend on the machine, and neither do the bits that come out.
class LaneFft {
 public:
  /// \param length  a power of two, at least 4
  explicit LaneFft(std::size_t length);

  std::size_t length() const { return reversed_.size(); }
  /// Where Z[k] belongs.
  std::size_t slot(std::size_t k) const { return reversed_[k]; }
  /// \param values  [length] replaced by the transform, in natural order
  void inverse(std::span<Lanes> values) const;

 private:
  void part(Lanes* values, std::size_t length) const;

  std::vector<std::complex<float>> roots_;  ///< exp(2 pi i j / length)
  std::vector<std::uint32_t> reversed_;
};

}  // namespace synfire::datasets
