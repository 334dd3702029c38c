#include <cstdint>
#include <cstdio>
#include <numeric>

#include "core/random.hpp"
#include "core/tensor.hpp"
#include "core/version.hpp"
#include "neurons/lif.hpp"

int main() {
  const synfire::Shape shape{50, 1, 100};  // ticks, samples, neurons
  synfire::Tensor<float> current(shape);
  const synfire::RandomStream random(1, 0, 0);
  for (std::ptrdiff_t i = 0; i < current.size(); ++i) current[i] = 4.0F * static_cast<float>(random.uniform(i));
  synfire::Tensor<std::uint8_t> spikes(shape);
  const auto params = synfire::neurons::lif_params({}, 1.0);
  synfire::neurons::lif_forward<float, std::uint8_t>(current.view(), {}, params, spikes.view());
  const int count = std::accumulate(spikes.span().begin(), spikes.span().end(), 0);
  std::printf("synfire %s: %d spikes\n", synfire::build_info().version.c_str(), count);
  return count > 0 ? 0 : 1;
}
