/// How long one convolution of the DVS128 Gesture network takes, forward and backward, by the density of its input.
/// Arguments: rows = columns, input channels, output channels, density in 1/1000. 256 frames (T = 16, B = 16).
#include "synapses/conv2d.hpp"

#include <vector>

#include <benchmark/benchmark.h>

#include "core/random.hpp"

namespace synfire {

namespace {

constexpr std::ptrdiff_t kFrames = 256;

struct Problem {
  synapses::Conv2dGeometry geometry;
  Tensor<std::uint8_t> x;
  Tensor<float> w, y, grad_w, grad_x;
  std::vector<std::byte> scratch;

  explicit Problem(const benchmark::State& state)
      : geometry{.in_channels = static_cast<int>(state.range(1)),
                 .out_channels = static_cast<int>(state.range(2)),
                 .kernel_h = 3,
                 .kernel_w = 3,
                 .stride = 1,
                 .padding = 1},
        x(Shape{kFrames, state.range(0), state.range(0), state.range(1)}),
        w(Shape{state.range(2), state.range(1), 3, 3}),
        y(Shape{kFrames, state.range(0), state.range(0), state.range(2)}),
        grad_w(w.shape()),
        grad_x(x.shape()),
        scratch(synapses::conv2d_scratch_bytes<float>(geometry, kFrames, x.shape().drop_front(1))) {
    const RandomStream random(1, 0, 0);
    const double density = static_cast<double>(state.range(3)) / 1000.0;
    for (std::ptrdiff_t i = 0; i < x.size(); ++i) x[i] = random.uniform(static_cast<std::uint64_t>(i)) < density;
    for (std::ptrdiff_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 7) - 3.0F;
    for (std::ptrdiff_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(i % 5) - 2.0F;
  }
  Signal<float> signal() const { return {x.shape(), nullptr, x.data(), Device::cpu}; }
};

void forward(benchmark::State& state) {
  Problem p(state);
  for ([[maybe_unused]] auto _ : state) {
    synapses::conv2d_forward<float>(p.signal(), p.geometry, p.w.view(), {}, p.y.view(), p.scratch);
  }
}

void backward_weights(benchmark::State& state) {
  Problem p(state);
  for ([[maybe_unused]] auto _ : state) {
    synapses::conv2d_backward<float>(p.signal(), p.geometry, p.w.view(), p.y.view(), p.grad_w.view(), {}, {},
                                     p.scratch);
  }
}

void backward(benchmark::State& state) {
  Problem p(state);
  for ([[maybe_unused]] auto _ : state) {
    synapses::conv2d_backward<float>(p.signal(), p.geometry, p.w.view(), p.y.view(), p.grad_w.view(), {},
                                     p.grad_x.view(), p.scratch);
  }
}

/// The layers of the network, and one of them at other densities.
void layers(benchmark::internal::Benchmark* bench) {
  bench->Args({128, 2, 32, 35})->Args({64, 32, 32, 130})->Args({32, 32, 32, 130})->Args({16, 32, 32, 130});
  for (const std::int64_t density : {10, 40, 300, 500, 700, 1000}) bench->Args({32, 32, 32, density});
  bench->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(forward)->Apply(layers);
BENCHMARK(backward_weights)->Apply(layers);
BENCHMARK(backward)->Apply(layers);

}  // namespace

}  // namespace synfire
