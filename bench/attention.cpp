// How the time of every mixer grows with the tokens, and from which share of spikes on swla had better multiply.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/parallel.hpp"
#include "core/random.hpp"
#include "synapses/mixers/mixer.hpp"

namespace {

using namespace synfire;
using namespace synfire::synapses;

constexpr std::ptrdiff_t kChannels = 64;
constexpr int kHeads = 2;

struct Run {
  Run(const MixerConfig& run_config, const Shape& run_shape, double density, bool as_spikes)
      : config(run_config),
        shape(run_shape),
        mixer(mixer_of<float>(config.kind)),
        q(shape),
        k(shape),
        v(shape),
        o(shape),
        grad_o(shape),
        grads{Tensor<float>(shape), Tensor<float>(shape), Tensor<float>(shape)},
        q_spikes(shape),
        k_spikes(shape),
        kept(mixer_head_shape(config, shape)),
        rope(config, shape),
        scratch(std::max(mixer.scratch_bytes(config, shape, mixer.usual, false),
                         mixer.scratch_bytes(config, shape, mixer.usual, true))) {
    const RandomStream random(1, 1, 0);
    for (std::ptrdiff_t i = 0; i < q.size(); ++i) {
      const auto at = [&](int which) { return random.uniform(static_cast<std::uint64_t>(5 * i + which)); };
      q_spikes[i] = at(0) < density ? 1 : 0;
      k_spikes[i] = at(1) < density ? 1 : 0;
      q[i] = static_cast<float>(q_spikes[i]);
      k[i] = static_cast<float>(k_spikes[i]) / (config.kind == MixerKind::delta ? 8.0F : 1.0F);
      v[i] = static_cast<float>(2.0 * at(2) - 1.0);
      grad_o[i] = static_cast<float>(2.0 * at(3) - 1.0);
    }
    in = {{shape, q.data(), nullptr}, {shape, k.data(), nullptr}, {shape, v.data(), nullptr}};
    if (as_spikes) {
      in.q = {shape, nullptr, q_spikes.data()};
      in.k = {shape, nullptr, k_spikes.data()};
    }
    const Shape of_gate = mixer_gate_shape(config, shape);
    if (of_gate.rank() > 0) {
      gate = Tensor<float>(of_gate);
      grad_gate = Tensor<float>(of_gate);
      for (std::ptrdiff_t i = 0; i < gate.size(); ++i) gate[i] = config.kind == MixerKind::delta ? 0.5F : -0.05F;
      in.gate = gate.view();
    }
  }
  void forward() { mixer.forward({in, config, rope, mixer.usual, scratch}, o.view(), kept.view()); }
  void backward() {
    mixer.backward({in, config, rope, mixer.usual, scratch}, o.view(), kept.view(), grad_o.view(),
                   {grads[0].view(), grads[1].view(), grads[2].view(), grad_gate.view()});
  }

  MixerConfig config;
  Shape shape;
  const Mixer<float>& mixer;
  Tensor<float> q, k, v, o, grad_o, grads[3], gate, grad_gate;
  Tensor<std::uint8_t> q_spikes, k_spikes;
  Tensor<float> kept;
  RopeTable<float> rope;
  std::vector<std::byte> scratch;
  MixerInput<float> in;
};

MixerConfig config_of(MixerKind kind) {
  MixerConfig config;
  config.kind = kind;
  config.heads = kHeads;
  config.causal = kind != MixerKind::swla && kind != MixerKind::ssa && kind != MixerKind::window;
  if (kind == MixerKind::ssa) config.feature = MixerFeature::spike;
  if (kind == MixerKind::linear) config.feature = MixerFeature::elu1;
  return config;
}

/// Forward and backward over one frame, on one thread.
void tokens(benchmark::State& state, MixerKind kind) {
  const auto side = static_cast<std::ptrdiff_t>(std::lround(std::sqrt(static_cast<double>(state.range(0)))));
  const bool spikes = kind == MixerKind::swla || kind == MixerKind::ssa;
  Run run(config_of(kind), Shape{1, 1, side, side, kChannels}, 0.1, spikes);
  set_num_threads(1);
  for (auto _ : state) {
    run.forward();
    run.backward();
  }
  set_num_threads(0);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
  state.counters["state_MiB"] = static_cast<double>(run.scratch.size()) / (1 << 20);
}

/// Forward of swla over a frame of 4096 tokens, by spikes (1) or as real values (0); the density is in percent.
void density(benchmark::State& state) {
  MixerConfig config = config_of(MixerKind::swla);
  config.feature = state.range(2) != 0 ? MixerFeature::shift : MixerFeature::spike;
  Run run(config, Shape{1, 1, 64, 64, kChannels}, 0.01 * static_cast<double>(state.range(0)), state.range(1) != 0);
  set_num_threads(1);
  for (auto _ : state) run.forward();
  set_num_threads(0);
}

int register_all() {
  for (const Mixer<float>& mixer : mixers<float>()) {
    auto* bench = benchmark::RegisterBenchmark((std::string("tokens/") + mixer.name).c_str(),
                                               [kind = mixer.kind](benchmark::State& state) { tokens(state, kind); });
    bench->Unit(benchmark::kMillisecond)->MinTime(0.2);
    // The time of softmax grows with the square: the last two steps would take minutes.
    for (const int number : {256, 1024, 4096, 16384, 65536}) {
      if (mixer.kind != MixerKind::window || number <= 4096) bench->Arg(number);
    }
  }
  benchmark::RegisterBenchmark("density", density)
      ->ArgNames({"percent", "spikes", "shift"})
      ->ArgsProduct({{3, 10, 20, 30, 40, 50}, {0, 1}, {0, 1}})
      ->Unit(benchmark::kMicrosecond)
      ->MinTime(0.1);
  return 0;
}

const int registered = register_all();

}  // namespace
