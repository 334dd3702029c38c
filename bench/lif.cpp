#include "neurons/lif.hpp"

#include <cstring>

#include <benchmark/benchmark.h>

#include "core/parallel.hpp"
#include "core/random.hpp"
#include "core/tensor.hpp"

// How near do a forward and a backward pass of a LIF layer come to the bandwidth of a copy? The first layer of the
// DVS128 Gesture network, [T = 16, B = 16, 128, 128, 32]. Bytes are the least that must move: y in and spikes out; y
// and dL/ds in and dL/dx out. `copy` is measured in the same run, over as many threads.

using namespace synfire;

namespace {

const Shape kShape{16, 16, 128, 128, 32};

Tensor<float>& input() {
  static Tensor<float> y = [] {
    Tensor<float> made(kShape);
    const RandomStream random(1, 0, 0);
    constexpr std::ptrdiff_t kPeriod = 1 << 20;
    for (std::ptrdiff_t i = 0; i < kPeriod; ++i) {
      made[i] = static_cast<float>(0.4 + 0.8 * random.normal(static_cast<std::uint64_t>(i)));
    }
    for (std::ptrdiff_t i = kPeriod; i < made.size(); i += kPeriod) {
      std::memcpy(made.data() + i, made.data(), kPeriod * sizeof(float));
    }
    return made;
  }();
  return y;
}

Tensor<float>& gradient() {
  static Tensor<float> grad = input().to(Device::cpu);
  return grad;
}

struct Affine {
  Tensor<float> scale{{kShape.channels()}};
  Tensor<float> shift{{kShape.channels()}};
  Affine() {
    for (float& x : scale.span()) x = 1.1F;
    for (float& x : shift.span()) x = -0.1F;
  }
  neurons::ChannelAffine<float> view() const { return {scale.view(), shift.view()}; }
};

neurons::LifParams params(neurons::SurrogateKind kind) {
  neurons::LifConfig config;
  config.surrogate.kind = kind;
  return neurons::lif_params(config, 10.0);
}

void report(benchmark::State& state, std::ptrdiff_t bytes_per_element) {
  state.SetBytesProcessed(state.iterations() * kShape.size() * bytes_per_element);
}

void copy(benchmark::State& state) {
  const Tensor<float>& from = input();
  Tensor<float>& to = gradient();
  constexpr std::ptrdiff_t kGrain = 1 << 18;
  for (auto _ : state) {
    parallel_for(from.size() / kGrain, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      std::memcpy(to.data() + begin * kGrain, from.data() + begin * kGrain,
                  static_cast<std::size_t>((end - begin) * kGrain) * sizeof(float));
    });
  }
  report(state, 8);
}
BENCHMARK(copy)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

void forward(benchmark::State& state) {
  const Tensor<float>& y = input();
  Tensor<std::uint8_t> spikes(kShape);
  const Affine affine;
  for (auto _ : state) {
    neurons::lif_forward(y.view(), affine.view(), params(neurons::SurrogateKind::atan), spikes.view());
  }
  report(state, 5);
}
BENCHMARK(forward)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

void backward(benchmark::State& state) {
  const Tensor<float>& y = input();
  Tensor<float>& grad = gradient();
  const Tensor<float>& grad_spikes = grad;
  const Affine affine;
  const bool with_sums = state.range(1) != 0;
  Tensor<float> grad_scale({with_sums ? kShape.channels() : 0}), grad_shift({with_sums ? kShape.channels() : 0});
  Buffer scratch(neurons::lif_scratch_bytes(kShape.channels()), Device::cpu);
  const auto kind = static_cast<neurons::SurrogateKind>(state.range(0));
  for (auto _ : state) {
    neurons::lif_backward<float, std::uint8_t>(y.view(), affine.view(), params(kind), grad_spikes.view(), grad.view(),
                                               {grad_scale.view(), grad_shift.view()}, {},
                                               {scratch.data(), scratch.bytes()});
  }
  report(state, 12);
}
BENCHMARK(backward)
    ->ArgNames({"surrogate", "sums"})
    ->ArgsProduct({{0, 1, 2, 3}, {1}})
    ->Args({0, 0})
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
