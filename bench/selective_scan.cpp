/// How long the selective scan takes, forward and both ways. Arguments: batch, tokens, channels, states; the first row
/// is what peers are timed with. `chunked` is the form that is parallel over a sequence too.
#include "neurons/selective_scan.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/parallel.hpp"
#include "core/random.hpp"

namespace synfire {

namespace {

constexpr SequenceOrder kOrder{SequenceAxis::time, SequenceDirection::forward};

struct Problem {
  Shape shape, with_states;
  Tensor<float> u, delta, bc, a_log, d, dt_bias, y, chunk_states, grad_y, grad_u, grad_delta, grad_bc, grad_a_log,
      grad_d, grad_bias;
  std::vector<std::byte> scratch;

  explicit Problem(const benchmark::State& state)
      : shape{state.range(1), state.range(0), state.range(2)},
        with_states{state.range(1), state.range(0), 2 * state.range(3)} {
    const std::ptrdiff_t channels = state.range(2), states = state.range(3);
    for (Tensor<float>* t : {&u, &delta, &y, &grad_y, &grad_u, &grad_delta}) *t = Tensor<float>(shape);
    for (Tensor<float>* t : {&bc, &grad_bc}) *t = Tensor<float>(with_states);
    for (Tensor<float>* t : {&a_log, &grad_a_log}) *t = Tensor<float>(Shape{channels, states});
    for (Tensor<float>* t : {&d, &dt_bias, &grad_d, &grad_bias}) *t = Tensor<float>(Shape{channels});
    chunk_states = Tensor<float>(neurons::scan_chunk_states_shape(shape, kOrder, states));
    scratch.resize(std::max(neurons::scan_forward_scratch_bytes<float>(shape, kOrder, states),
                            neurons::scan_backward_scratch_bytes<float>(shape, kOrder, states)));
    const RandomStream random(1, 0, 0);
    for (Tensor<float>* t : {&u, &bc, &delta, &grad_y}) {
      for (std::ptrdiff_t i = 0; i < t->size(); ++i) {
        (*t)[i] = static_cast<float>(random.normal(static_cast<std::uint64_t>(i)));
      }
    }
    for (std::ptrdiff_t e = 0; e < channels; ++e) {
      dt_bias[e] = -3.0F;
      d[e] = 1.0F;
      for (std::ptrdiff_t n = 0; n < states; ++n) {
        a_log[e * states + n] = static_cast<float>(std::log(static_cast<double>(n + 1)));
      }
    }
  }
  neurons::ScanInput<float> input() const { return {{shape, u.data(), nullptr, Device::cpu}, delta.view(), bc.view()}; }
  neurons::ScanParameters<float> parameters() const { return {a_log.view(), d.view(), dt_bias.view()}; }
  void forward() {
    neurons::selective_scan_forward<float>(input(), parameters(), kOrder, y.view(), chunk_states.view(), {}, scratch);
  }
  void backward() {
    neurons::selective_scan_backward<float>(
        input(), parameters(), kOrder, chunk_states.view(), {}, grad_y.view(),
        {grad_u.view(), grad_delta.view(), grad_bc.view(), grad_a_log.view(), grad_d.view(), grad_bias.view()}, {},
        scratch);
  }
};

void forward(benchmark::State& state) {
  Problem p(state);
  for ([[maybe_unused]] auto _ : state) p.forward();
}

void chunked(benchmark::State& state) {
  Problem p(state);
  for ([[maybe_unused]] auto _ : state) {
    neurons::selective_scan_forward_chunked<float>(p.input(), p.parameters(), kOrder, p.y.view(), p.chunk_states.view(),
                                                   p.scratch);
  }
}

void forward_and_backward(benchmark::State& state) {
  Problem p(state);
  for ([[maybe_unused]] auto _ : state) {
    p.forward();
    p.backward();
  }
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Args({8, 1024, 256, 16})->Args({8, 2048, 512, 16})->Args({1, 8192, 64, 16})->Args({2048, 8, 512, 16});
  bench->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
}

BENCHMARK(forward)->Apply(sizes);
BENCHMARK(chunked)->Apply(sizes);
BENCHMARK(forward_and_backward)->Apply(sizes);

}  // namespace

}  // namespace synfire
