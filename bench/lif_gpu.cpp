#include <chrono>

#include <benchmark/benchmark.h>

#include "core/device.hpp"
#include "core/random.hpp"
#include "core/tensor.hpp"
#include "neurons/lif.hpp"

// The same question as bench/lif.cpp on a GPU: 2^22 neurons, 16 ticks, against a copy on the device. Bytes are the
// least that must move. A reading is the mean of kLaunches launches in a row, each over 1.3 GB, far more than a cache
// holds.

using namespace synfire;

namespace {

constexpr int kLaunches = 20;
const Shape kShape{16, 1 << 15, 128};

struct Memory {
  Tensor<float> y{kShape, Device::cuda};
  Tensor<float> grad_spikes{kShape, Device::cuda};
  Tensor<float> grad_x{kShape, Device::cuda};
  Tensor<std::uint8_t> spikes{kShape, Device::cuda};
  Tensor<float> grad_scale{{kShape.channels()}, Device::cuda};
  Tensor<float> grad_shift{{kShape.channels()}, Device::cuda};
  Buffer scratch{neurons::lif_scratch_bytes(kShape.channels()), Device::cuda};

  Memory() {
    Tensor<float> host(kShape);
    const RandomStream random(1, 0, 0);
    for (std::ptrdiff_t i = 0; i < host.size(); ++i) {
      host[i] = static_cast<float>(2.4 * random.uniform(static_cast<std::uint64_t>(i)));
    }
    const std::size_t bytes = static_cast<std::size_t>(host.size()) * sizeof(float);
    copy_bytes(host.data(), Device::cpu, y.data(), Device::cuda, bytes);
    copy_bytes(host.data(), Device::cpu, grad_spikes.data(), Device::cuda, bytes);
  }
  View<const float> input() const { return y.view(); }
  View<const float> gradient() const { return grad_spikes.view(); }
};

Memory& memory() {
  static Memory instance;
  return instance;
}

/// Copies one number to the host, which waits for all launches before it.
void wait() {
  float number = 0.0F;
  copy_bytes(memory().grad_shift.data(), Device::cuda, &number, Device::cpu, sizeof number);
}

template <class Launch>
void measure(benchmark::State& state, std::ptrdiff_t bytes_per_element, Launch launch) {
  if (!cuda_available()) return state.SkipWithError("no CUDA backend or no GPU");
  launch();
  wait();
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kLaunches; ++i) launch();
    wait();
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / kLaunches);
  }
  state.SetBytesProcessed(state.iterations() * kShape.size() * bytes_per_element);
}

void forward_once() {
  neurons::lif_forward(memory().input(), {}, neurons::lif_params({.tau_mem_ms = 2.0}, 1.0), memory().spikes.view());
}

void backward_once(bool with_sums) {
  Memory& m = memory();
  neurons::ChannelAffineGrad<float> sums;
  if (with_sums) sums = {m.grad_scale.view(), m.grad_shift.view()};
  neurons::lif_backward<float, std::uint8_t>(m.input(), {}, neurons::lif_params({.tau_mem_ms = 2.0}, 1.0), m.gradient(),
                                             m.grad_x.view(), sums, {}, {m.scratch.data(), m.scratch.bytes()});
}

void copy(benchmark::State& state) {
  measure(state, 8, [] {
    copy_bytes(memory().y.data(), Device::cuda, memory().grad_x.data(), Device::cuda,
               static_cast<std::size_t>(kShape.size()) * sizeof(float));
  });
}
void forward(benchmark::State& state) {
  measure(state, 5, [] { forward_once(); });
}
void backward(benchmark::State& state) {
  measure(state, 12, [&] { backward_once(state.range(0) != 0); });
}
void forward_and_backward(benchmark::State& state) {
  measure(state, 17, [] {
    forward_once();
    backward_once(true);
  });
}

BENCHMARK(copy)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(forward)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(backward)->ArgName("sums")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(forward_and_backward)->Unit(benchmark::kMillisecond)->UseManualTime();

}  // namespace
