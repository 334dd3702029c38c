#include <cstring>

#include <benchmark/benchmark.h>

#include "core/parallel.hpp"
#include "core/random.hpp"
#include "core/tensor.hpp"
#include "neurons/adlif.hpp"
#include "neurons/cuba_lif.hpp"
#include "neurons/lif.hpp"

// How near do neurons of a hidden layer for spoken digits, [T = 100, B = 256, 256], come to the bandwidth of a copy?
// Bytes are the least that must move: x in and spikes out; x and dL/ds in and dL/dx out. With the gradients of what
// they learn.

using namespace synfire;

namespace {

const Shape kShape{100, 256, 256};

Tensor<float> random_tensor(std::uint32_t stream, double mean, double deviation) {
  Tensor<float> made(kShape);
  const RandomStream random(1, stream, 0);
  for (std::ptrdiff_t i = 0; i < made.size(); ++i) {
    made[i] = static_cast<float>(mean + deviation * random.normal(static_cast<std::uint64_t>(i)));
  }
  return made;
}

struct Memory {
  Tensor<float> x = random_tensor(0, 0.4, 0.8);
  Tensor<float> grad_spikes = random_tensor(1, 0.0, 1.0);
  Tensor<float> grad_x{kShape};
  Tensor<std::uint8_t> spikes{kShape};
  Buffer scratch{std::size_t{1} << 22U, Device::cpu};

  std::span<std::byte> bytes() const { return {scratch.data(), scratch.bytes()}; }
  View<const float> input() const { return x.view(); }
  View<const float> gradient() const { return grad_spikes.view(); }
};

Memory& memory() {
  static Memory made;
  return made;
}

template <class Operation>
void measure(benchmark::State& state, std::ptrdiff_t bytes_per_element, Operation operation) {
  memory();
  for (auto _ : state) operation(memory());
  state.SetBytesProcessed(state.iterations() * kShape.size() * bytes_per_element);
}

void copy(benchmark::State& state) {
  constexpr std::ptrdiff_t kGrain = 1 << 16;
  measure(state, 8, [&](Memory& m) {
    parallel_for(m.x.size() / kGrain, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      std::memcpy(m.grad_x.data() + begin * kGrain, m.x.data() + begin * kGrain,
                  static_cast<std::size_t>((end - begin) * kGrain) * sizeof(float));
    });
  });
}

const neurons::LifParams kLif = neurons::lif_params({.tau_mem_ms = 5.0, .learn_tau = true}, 1.0);
const neurons::CubaLifParams kCuba{kLif, 0.8};

void lif_forward(benchmark::State& state) {
  measure(state, 5, [](Memory& m) { neurons::lif_forward(m.input(), {}, kLif, m.spikes.view()); });
}
void lif_backward(benchmark::State& state) {
  Tensor<double> constants({state.range(0) != 0 ? 2 : 0});
  measure(state, 12, [&](Memory& m) {
    neurons::lif_backward<float, std::uint8_t>(m.input(), {}, kLif, m.gradient(), m.grad_x.view(), {}, constants.view(),
                                               m.bytes());
  });
}
void cuba_lif_forward(benchmark::State& state) {
  measure(state, 5, [](Memory& m) { neurons::cuba_lif_forward(m.input(), kCuba, m.spikes.view()); });
}
void cuba_lif_backward(benchmark::State& state) {
  std::vector<double> constants(state.range(0) != 0 ? 3 : 0);
  measure(state, 12, [&](Memory& m) {
    neurons::cuba_lif_backward<float, std::uint8_t>(m.input(), kCuba, m.gradient(), m.grad_x.view(), constants,
                                                    m.bytes());
  });
}

struct Adaptive {
  Tensor<float> constants{{4, kShape.channels()}};
  Tensor<float> gradients{{4, kShape.channels()}};
  neurons::AdlifConfig config;

  Adaptive() {
    constexpr float kValues[4] = {0.9F, 0.98F, 0.5F, 1.0F};
    for (std::ptrdiff_t i = 0; i < constants.size(); ++i) constants[i] = kValues[i / kShape.channels()];
    config.adaptation = 10.0;
    config.v_th = 0.2;
  }
  template <class T>
  View<T> row(Tensor<float>& tensor, std::ptrdiff_t k) {
    return {tensor.data() + k * kShape.channels(), Shape{kShape.channels()}, Device::cpu};
  }
  neurons::AdlifParameters<float> parameters() {
    return {row<const float>(constants, 0), row<const float>(constants, 1), row<const float>(constants, 2),
            row<const float>(constants, 3)};
  }
};

void adlif_forward(benchmark::State& state) {
  Adaptive a;
  measure(state, 5, [&](Memory& m) { neurons::adlif_forward(m.input(), a.parameters(), a.config, m.spikes.view()); });
}
void adlif_backward(benchmark::State& state) {
  Adaptive a;
  measure(state, 12, [&](Memory& m) {
    neurons::adlif_backward<float, std::uint8_t>(m.input(), a.parameters(), a.config, m.gradient(), m.grad_x.view(),
                                                 {a.row<float>(a.gradients, 0), a.row<float>(a.gradients, 1),
                                                  a.row<float>(a.gradients, 2), a.row<float>(a.gradients, 3)},
                                                 m.bytes());
  });
}

void settings(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
}
BENCHMARK(copy)->Apply(settings);
BENCHMARK(lif_forward)->Apply(settings);
BENCHMARK(lif_backward)->ArgName("learned")->Arg(0)->Arg(1)->Apply(settings);
BENCHMARK(cuba_lif_forward)->Apply(settings);
BENCHMARK(cuba_lif_backward)->ArgName("learned")->Arg(0)->Arg(1)->Apply(settings);
BENCHMARK(adlif_forward)->Apply(settings);
BENCHMARK(adlif_backward)->Apply(settings);

}  // namespace
