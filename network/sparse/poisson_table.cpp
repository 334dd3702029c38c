#include "network/sparse/poisson_table.hpp"

#include <algorithm>
#include <cmath>

namespace synfire::network {

PoissonTable::PoissonTable(double mean) {
  std::vector<double> mass;
  double left = 1.0;
  for (int k = 0; mean > 0.0 && (left > 0x1p-30 || k < mean); ++k) {
    mass.push_back(std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0)));
    left -= mass.back();
    if (k > mean + 12.0 * std::sqrt(mean) + 40.0) break;
  }
  if (mass.empty()) mass.push_back(1.0);
  max_count_ = static_cast<int>(mass.size()) - 1;
  std::uint32_t bits = 4;
  while ((std::size_t{1} << bits) < mass.size()) ++bits;
  shift_ = 32U - bits;
  const std::size_t columns = std::size_t{1} << bits;
  mass.resize(columns, 0.0);
  double total = 0.0;
  for (const double m : mass) total += m;
  for (double& m : mass) m *= static_cast<double>(columns) / total;

  // Columns that are not full take what they lack from those that are too full.
  threshold_.assign(columns, 0);
  alias_.resize(columns);
  std::vector<std::size_t> small, large;
  for (std::size_t k = 0; k < columns; ++k) {
    alias_[k] = static_cast<std::uint32_t>(k);
    (mass[k] < 1.0 ? small : large).push_back(k);
  }
  while (!small.empty() && !large.empty()) {
    const std::size_t lacking = small.back(), giving = large.back();
    small.pop_back();
    threshold_[lacking] = static_cast<std::uint32_t>(std::min(mass[lacking] * 0x1p32, 0x1p32 - 1.0));
    alias_[lacking] = static_cast<std::uint32_t>(giving);
    mass[giving] -= 1.0 - mass[lacking];
    if (mass[giving] < 1.0) {
      large.pop_back();
      small.push_back(giving);
    }
  }
}

}  // namespace synfire::network
