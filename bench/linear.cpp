/// How long a linear map takes, forward and backward, by the density of its input. Arguments: frames, in, out, density
/// in 1/1000: the two of the DVS128 Gesture network and a hidden layer for SHD (T = 100, B = 256).
#include "synapses/linear.hpp"

#include <vector>

#include <benchmark/benchmark.h>

#include "core/random.hpp"

namespace synfire {

namespace {

struct Problem {
  Tensor<float> x, w, y, grad_w, grad_x;
  std::vector<std::byte> scratch;

  explicit Problem(const benchmark::State& state)
      : x(Shape{state.range(0), state.range(1)}),
        w(Shape{state.range(2), state.range(1)}),
        y(Shape{state.range(0), state.range(2)}),
        grad_w(w.shape()),
        grad_x(x.shape()),
        scratch(synapses::linear_scratch_bytes<float>(state.range(0), state.range(1), state.range(2))) {
    const RandomStream random(1, 0, 0);
    const double density = static_cast<double>(state.range(3)) / 1000.0;
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) {
      x[i] = random.uniform(static_cast<std::uint64_t>(i)) < density ? 2.0F : 0.0F;
    }
    for (std::ptrdiff_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 7) - 3.0F;
    for (std::ptrdiff_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(i % 5) - 2.0F;
  }
  Signal<float> signal() const { return {x.shape(), x.data(), nullptr, Device::cpu}; }
};

void forward(benchmark::State& state) {
  Problem p(state);
  for ([[maybe_unused]] auto _ : state) {
    synapses::linear_forward<float>(p.signal(), p.w.view(), {}, p.y.view(), p.scratch);
  }
}

void backward(benchmark::State& state) {
  Problem p(state);
  for ([[maybe_unused]] auto _ : state) {
    synapses::linear_backward<float>(p.signal(), p.w.view(), p.y.view(), p.grad_w.view(), {}, p.grad_x.view(),
                                     p.scratch);
  }
}

void layers(benchmark::internal::Benchmark* bench) {
  bench->Args({256, 512, 512, 100})->Args({256, 512, 110, 100});
  for (const std::int64_t density : {10, 50, 100, 200, 300, 400, 600, 1000}) bench->Args({25600, 256, 256, density});
  bench->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(forward)->Apply(layers);
BENCHMARK(backward)->Apply(layers);

}  // namespace

}  // namespace synfire
