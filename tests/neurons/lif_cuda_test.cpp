#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/device.hpp"
#include "core/parallel.hpp"
#include "neurons/leaky_integrator.hpp"
#include "neurons/lif.hpp"
#include "tests/neurons/lif_run.hpp"
#include "tests/reference/lif_reference.hpp"
#include "tests/support/tolerance.hpp"

using namespace synfire;

namespace {

bool gpu_is_missing() {
  if (cuda_available()) return false;
  MESSAGE("SKIPPED: no CUDA backend or no GPU");
  return true;
}

double largest(const std::vector<double>& values) {
  double result = 1.0;
  for (const double x : values) result = std::max(result, std::abs(x));
  return result;
}

/// Both devices compute h with the same operations: the same spikes. The GPU does not flush denormals and adds the sums
/// in another order; the smooth spike of `atan` goes through another library. So for the gradients:
///  - each dL/dx is a sum whose terms shrink by decay a tick, each with some twenty roundings;
///  - a channel's sum of n terms, 16 at a time in Scalar on the CPU, n <= T N / C.
template <class Scalar, class Spike>
void check_parity(const Shape& shape, const neurons::LifParams& params, bool with_affine) {
  CAPTURE(shape.text());
  CAPTURE(static_cast<int>(params.surrogate.kind));
  CAPTURE(params.hard_reset);
  CAPTURE(params.detach_reset);
  const auto input = test::random_lif_input<Scalar>(shape, 53, with_affine);

  const auto cpu = test::run_lif<Scalar, Spike>(input, params, Device::cpu);
  const auto gpu = test::run_lif<Scalar, Spike>(input, params, Device::cuda);

  const std::vector<double> grad(cpu.grad_x.begin(), cpu.grad_x.end());
  const double tolerance = 100.0 * test::unit_roundoff<Scalar> * largest(grad);
  const auto worst = [](const std::vector<Scalar>& a, const std::vector<Scalar>& b) {
    double result = a.size() == b.size() ? 0.0 : 1e30;
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
      const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
      result = difference <= result ? result : difference;
    }
    return result;
  };
  if constexpr (std::is_same_v<Scalar, Spike>) {
    CHECK(worst(gpu.spikes, cpu.spikes) <= 100.0 * test::unit_roundoff<Scalar>);
  } else {
    const auto [odd, other] = std::mismatch(cpu.spikes.begin(), cpu.spikes.end(), gpu.spikes.begin());
    const bool is_float = std::is_same_v<Scalar, float>;
    CAPTURE(is_float);
    CAPTURE(with_affine);
    CAPTURE(odd - cpu.spikes.begin());
    CHECK(gpu.spikes == cpu.spikes);
  }
  CHECK(worst(gpu.grad_x, cpu.grad_x) <= tolerance);
  const std::ptrdiff_t num_terms = shape.channels() == 0 ? 0 : shape.size() / shape.channels();
  const double sum_tolerance =
      16.0 * test::unit_roundoff<Scalar> * 5.0 * static_cast<double>(num_terms) * largest(grad);
  CHECK(worst(gpu.grad_scale, cpu.grad_scale) <= sum_tolerance);
  CHECK(worst(gpu.grad_shift, cpu.grad_shift) <= sum_tolerance);
  const double all = sum_tolerance * static_cast<double>(shape.channels());
  CHECK(std::abs(gpu.grad_constants[0] - cpu.grad_constants[0]) <= all);
  CHECK(std::abs(gpu.grad_constants[1] - cpu.grad_constants[1]) <= all);
}

}  // namespace

TEST_CASE("the GPU gives the spikes of the CPU, to the bit, and its gradients, for every setting") {
  if (gpu_is_missing()) return;
  for (const neurons::LifParams& params : test::all_lif_params()) {
    for (const bool with_affine : {true, false}) {
      check_parity<float, std::uint8_t>({20, 3, 257}, params, with_affine);
      check_parity<float, float>({20, 3, 33}, params, with_affine);
      check_parity<double, std::uint8_t>({20, 3, 257}, params, with_affine);
      check_parity<double, double>({20, 3, 33}, params, with_affine);
    }
  }
}

TEST_CASE("the GPU decides an exact tie as the neuron says") {
  if (gpu_is_missing()) return;
  for (const auto fires_at : {neurons::FiresAt::threshold, neurons::FiresAt::above_threshold}) {
    const neurons::LifParams params =
        neurons::lif_params({.tau_mem_ms = 2.0, .fires_at = fires_at, .decay_input = false}, 1.0);
    test::LifInput<float> input;
    input.shape = {1, 1, 3};
    input.y = {std::nextafter(1.0F, 0.0F), 1.0F, std::nextafter(1.0F, 2.0F)};
    input.grad_spikes = {1.0F, 1.0F, 1.0F};

    const auto gpu = test::run_lif<float, std::uint8_t>(input, params, Device::cuda);

    CHECK(gpu.spikes == std::vector<float>{0.0F, fires_at == neurons::FiresAt::threshold ? 1.0F : 0.0F, 1.0F});
    CHECK(gpu == test::run_lif<float, std::uint8_t>(input, params, Device::cpu));
  }
}

TEST_CASE("the GPU agrees with the CPU for sizes around a warp and a block") {
  if (gpu_is_missing()) return;
  const neurons::LifParams params = test::all_lif_params()[1];
  for (const std::ptrdiff_t size : {0, 1, 31, 32, 33, 127, 128, 129, 257, 100'000}) {
    check_parity<float, std::uint8_t>({7, 1, size}, params, true);
    check_parity<float, std::uint8_t>({7, size, 1}, params, true);
  }
  check_parity<float, std::uint8_t>({16, 8, 40, 40, 11}, params, true);
  check_parity<float, std::uint8_t>({4, 9000, 33}, params, true);
  check_parity<float, std::uint8_t>({0, 4, 3}, params, true);
}

TEST_CASE("the GPU agrees with the CPU for times around a segment and beyond all checkpoints") {
  if (gpu_is_missing()) return;
  for (const std::ptrdiff_t num_ticks : {1, 2, 15, 16, 17, 32, 33, 500, 1024, 1025, 3001}) {
    check_parity<float, std::uint8_t>({num_ticks, 2, 70}, test::all_lif_params()[3], true);
  }
}

TEST_CASE("the GPU gives the same bits each time") {
  if (gpu_is_missing()) return;
  const auto input = test::random_lif_input<float>({6, 900, 37}, 59);
  const neurons::LifParams params = test::all_lif_params()[2];
  const auto first = test::run_lif<float, std::uint8_t>(input, params, Device::cuda);
  for (int i = 0; i < 3; ++i) CHECK(first == test::run_lif<float, std::uint8_t>(input, params, Device::cuda));
}

TEST_CASE("the leaky integrator of the GPU gives the bits of the CPU") {
  if (gpu_is_missing()) return;
  for (const std::ptrdiff_t size : {0, 1, 33, 257}) {
    const Shape shape{9, 2, size};
    const auto input = test::random_lif_input<float>(shape, 61, false);
    const Tensor<float> x = test::make_tensor(input.y, shape, Device::cpu);
    const Tensor<float> x_gpu = x.to(Device::cuda);
    Tensor<float> v(shape), grad(shape), v_gpu(shape, Device::cuda), grad_gpu(shape, Device::cuda);

    neurons::leaky_integrator_forward(x.view(), 0.9, 0.1, v.view());
    neurons::leaky_integrator_backward(x.view(), 0.9, 0.1, grad.view());
    neurons::leaky_integrator_forward(x_gpu.view(), 0.9, 0.1, v_gpu.view());
    neurons::leaky_integrator_backward(x_gpu.view(), 0.9, 0.1, grad_gpu.view());

    CHECK(test::values_of(v) == test::values_of(v_gpu));
    CHECK(test::values_of(grad) == test::values_of(grad_gpu));
  }
}
