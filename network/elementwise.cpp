#include "network/elementwise.hpp"

#include <algorithm>
#include <array>

#include "core/parallel.hpp"

namespace synfire::network {

namespace {

constexpr std::ptrdiff_t kGrain = 16384;
constexpr int kSumChunks = 64;

/// Calls `body` with the values as whichever type they are.
template <class Scalar, class Body>
void with_values(const Signal<Scalar>& x, const Body& body) {
  if (x.is_spikes()) {
    body(x.spikes);
  } else {
    body(x.real);
  }
}

}  // namespace

template <class Scalar>
void spikes_to_real(View<const std::uint8_t> spikes, View<Scalar> real) {
  parallel_for(real.size(), kGrain, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (std::ptrdiff_t i = begin; i < end; ++i) real[i] = static_cast<Scalar>(spikes[i]);
  });
}

template <class Scalar>
double sum_of(const Signal<Scalar>& x) {
  std::array<double, kSumChunks> sums{};
  with_values(x, [&](const auto* values) {
    parallel_chunks(x.shape.size(), kSumChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      double total = 0.0;
      // Short runs in the element's own arithmetic, so that bytes are summed eight or more at a time.
      for (std::ptrdiff_t start = begin; start < end; start += kGrain) {
        const std::ptrdiff_t stop = std::min(end, start + kGrain);
        if constexpr (sizeof(*values) == 1) {
          std::uint32_t count = 0;
          for (std::ptrdiff_t i = start; i < stop; ++i) count += values[i];
          total += count;
        } else {
          for (std::ptrdiff_t i = start; i < stop; ++i) total += static_cast<double>(values[i]);
        }
      }
      sums[static_cast<std::size_t>(chunk)] = total;
    });
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                     \
  template void spikes_to_real(View<const std::uint8_t>, View<Scalar>); \
  template double sum_of(const Signal<Scalar>&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
