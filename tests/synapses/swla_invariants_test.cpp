// What swla must not depend on, and what comes out of it unchanged.
#include "tests/synapses/swla_cases.hpp"

namespace synfire {

using namespace swla_cases;

TEST_CASE("a clip's attention does not depend on its batch or on the number of threads, bit for bit") {
  for (const bool causal : {false, true}) {
    const Shape shape{4, 3, 5, 6, 16}, alone{4, 1, 5, 6, 16};
    MixerConfig config = config_of(2, {2, 4, 4}, {0, 2, 2}, causal);
    config.rope = causal ? MixerRope::none : MixerRope::model;
    const Tokens<float> all(shape, 40, 0.25);
    const auto grad_all = test::random_tensor<float>(shape, 50);
    Tokens<float> one(alone, 40, 0.25);
    Tensor<float> grad_one(alone);
    constexpr std::ptrdiff_t kClip = 2, kFrame = 5 * 6 * 16;
    const auto pick = [&](const auto& from, auto& to) {
      for (std::ptrdiff_t t = 0; t < 4; ++t) {
        std::copy_n(from.data() + (t * 3 + kClip) * kFrame, kFrame, to.data() + t * kFrame);
      }
    };
    pick(all.q_spikes, one.q_spikes);
    pick(all.k_spikes, one.k_spikes);
    pick(all.v, one.v);
    pick(grad_all, grad_one);

    const Forward<float> in_batch = forward(all.as_spikes(), config), by_itself = forward(one.as_spikes(), config);
    const Gradients<float> g_batch = backward(all.as_spikes(), config, grad_all),
                           g_one = backward(one.as_spikes(), config, grad_one);

    Tensor<float> picked(alone);
    pick(in_batch.o, picked);
    CHECK(test::same_bits(picked, by_itself.o));
    pick(g_batch.q, picked);
    CHECK(test::same_bits(picked, g_one.q));
    pick(g_batch.k, picked);
    CHECK(test::same_bits(picked, g_one.k));
    pick(g_batch.v, picked);
    CHECK(test::same_bits(picked, g_one.v));
    CHECK(test::same_bits_for_any_threads([&] { return forward(all.as_spikes(), config).o; }));
    CHECK(test::same_bits_for_any_threads([&] { return backward(all.as_spikes(), config, grad_all).k; }));
  }
}

TEST_CASE("with integer values, adding spikes and multiplying give the same bits") {
  const Shape shape{2, 2, 6, 6, 64};
  for (const MixerFeature feature : {MixerFeature::shift, MixerFeature::spike}) {
    MixerConfig config = config_of(2, {1, 4, 4}, {0, 2, 2});
    config.feature = feature;
    const Tokens<float> tokens(shape, 60, 0.1, true);

    // Every sum is a whole number below 2^24, so its order does not matter.
    CHECK(test::same_bits(forward(tokens.as_spikes(), config).o, forward(tokens.as_real(), config).o));
  }
}

TEST_CASE("a stream may be cut at any tick") {
  const Shape shape{7, 2, 3, 5, 8};
  std::vector<MixerConfig> configs{config_of(2, {3, 2, 2}, {1, 1, 0}, true), config_of(2, {0, 0, 0}, {}, true),
                                   config_of(1, {1, 0, 3}, {0, 0, 1}, true)};
  configs.push_back(configs[1]);
  configs.back().decay = MixerDecay::head;
  configs.push_back(configs[0]);
  configs.back().heads = 1;
  configs.back().rope = MixerRope::head;
  for (const MixerConfig& config : configs) {
    const Tokens<double> tokens(shape, 70, 0.3);
    const Tensor<double> expected = forward(tokens.as_spikes(), config).o;
    const std::ptrdiff_t windows = synapses::windows_in_space(config, shape), d = 8 / config.heads;
    const std::ptrdiff_t frame = 2 * 3 * 5 * 8;
    for (std::ptrdiff_t cut = 1; cut < 7; ++cut) {
      // Whatever the state held before the stream began does not matter.
      Tensor<double> s = test::filled<double>(Shape{2, windows, config.heads, d, d}),
                     m = test::filled<double>(Shape{2, windows, config.heads, d}),
                     n = test::filled<double>(Shape{2, windows, config.heads}), o(shape);
      synapses::SwlaState<double> state{s.view(), m.view(), n.view()};
      for (const auto& [first, last] : {std::pair{std::ptrdiff_t{0}, cut}, std::pair{cut, std::ptrdiff_t{7}}}) {
        const Shape part{last - first, 2, 3, 5, 8};
        const auto of = [&](const Signal<double>& x) {
          return Signal<double>{part, x.real == nullptr ? nullptr : x.real + first * frame,
                                x.spikes == nullptr ? nullptr : x.spikes + first * frame, Device::cpu};
        };
        const auto in = tokens.as_spikes();
        Tensor<double> den(synapses::mixer_head_shape(config, part));
        std::vector<std::byte> scratch(synapses::swla_scratch_bytes<double>(config, part, false));
        synapses::swla_stream_forward<double>({of(in.q), of(in.k), of(in.v)}, config, {config, part, state.tick},
                                              {o.data() + first * frame, part, Device::cpu}, den.view(), state,
                                              scratch);
      }
      CHECK(largest_difference(o, expected) <= kDoubleTolerance);
      CHECK(state.tick == 7);
    }
  }
}

TEST_CASE("without decay the last tick of a causal window is that of the whole window") {
  const Shape shape{6, 2, 3, 4, 8};
  const Tokens<double> tokens(shape, 80, 0.3);
  const Tensor<double> causal = forward(tokens.as_spikes(), config_of(2, {3, 2, 2}, {}, true)).o;
  const Tensor<double> whole = forward(tokens.as_spikes(), config_of(2, {3, 2, 2})).o;
  const std::ptrdiff_t tick = 2 * 3 * 4 * 8;

  double last = 0.0, others = 0.0;
  for (std::ptrdiff_t i = 0; i < shape.size(); ++i) {
    const double difference = std::abs(causal[i] - whole[i]);
    (i / tick % 3 == 2 ? last : others) = std::max(i / tick % 3 == 2 ? last : others, difference);
  }
  CHECK(last <= kDoubleTolerance);
  CHECK(others > 1e-3);
  const Tensor<double> ticks = forward(tokens.as_spikes(), config_of(2, {1, 2, 2})).o;
  CHECK(largest_difference(forward(tokens.as_spikes(), config_of(2, {1, 2, 2}, {}, true)).o, ticks) <=
        kDoubleTolerance);
}

TEST_CASE("a causal swla does not see later ticks") {
  const Shape shape{5, 1, 3, 4, 8};
  for (const int size : {0, 2}) {
    const MixerConfig config = config_of(2, {size, 2, 2}, {}, true);
    Tokens<float> tokens(shape, 90, 0.3);
    const Tensor<float> before = forward(tokens.as_spikes(), config).o;
    for (std::ptrdiff_t i = 3 * 96; i < shape.size(); ++i) {
      tokens.v[i] += 1.0F;
      tokens.k_spikes[i] ^= 1U;
    }
    const Tensor<float> after = forward(tokens.as_spikes(), config).o;

    CHECK(std::memcmp(before.data(), after.data(), 3 * 96 * sizeof(float)) == 0);
    CHECK(std::memcmp(before.data() + 3 * 96, after.data() + 3 * 96, 96 * sizeof(float)) != 0);
  }
}

TEST_CASE("a constant value comes through, and a token alone sees itself") {
  const Shape shape{2, 1, 5, 5, 8};
  Tokens<double> tokens(shape, 100, 0.4);
  for (std::ptrdiff_t i = 0; i < shape.size(); ++i) tokens.v[i] = 1.5;
  const Tensor<double> constant = forward(tokens.as_spikes(), config_of(2, {1, 2, 3}, {0, 1, 1})).o;
  const Tokens<double> others(shape, 103, 0.4);
  MixerConfig single = config_of(2, {1, 1, 1});
  const Tensor<double> alone = forward(others.as_spikes(), single).o;
  single.rope = MixerRope::model;
  const Tensor<double> turned = forward(others.as_spikes(), single).o;

  // eps n / den <= eps / d
  for (std::ptrdiff_t i = 0; i < shape.size(); ++i) CHECK(std::abs(constant[i] - 1.5) <= 1.5e-6 / 4.0);
  for (std::ptrdiff_t i = 0; i < shape.size(); ++i) CHECK(std::abs(alone[i] - others.v[i]) <= 1e-6 / 4.0);
  for (std::ptrdiff_t i = 0; i < shape.size(); ++i) CHECK(std::abs(turned[i] - others.v[i]) <= 1e-6 / 4.0);
}

TEST_CASE("shifted windows of 4 in a frame of 6 have 4, 8, 8 and 16 tokens") {
  // Weights of the feature spike are 1 where every spike fires: an output is the mean over its window.
  const Shape shape{1, 1, 6, 6, 1};
  MixerConfig config = config_of(1, {1, 4, 4}, {0, 2, 2});
  config.feature = MixerFeature::spike;
  config.eps = 0.0;
  Tokens<double> tokens(shape, 110, 1.0);
  for (std::ptrdiff_t i = 0; i < 36; ++i) tokens.v[i] = static_cast<double>(i);
  const Tensor<double> o = forward(tokens.as_spikes(), config).o;
  CHECK(synapses::windows_in_space(config, shape) == 4);
  const auto mean = [](std::ptrdiff_t y0, std::ptrdiff_t y1, std::ptrdiff_t x0, std::ptrdiff_t x1) {
    return 6.0 * 0.5 * static_cast<double>(y0 + y1 - 1) + 0.5 * static_cast<double>(x0 + x1 - 1);
  };

  CHECK(std::abs(o[0] - mean(0, 2, 0, 2)) <= 1e-13);
  CHECK(std::abs(o[2] - mean(0, 2, 2, 6)) <= 1e-13);
  CHECK(std::abs(o[12] - mean(2, 6, 0, 2)) <= 1e-13);
  CHECK(std::abs(o[14] - mean(2, 6, 2, 6)) <= 1e-13);
}

TEST_CASE("a query that meets no key gives 0, also where nothing fires") {
  MixerConfig config = config_of(2, {1, 2, 2});
  config.feature = MixerFeature::spike;
  const Tokens<float> tokens(Shape{2, 1, 4, 4, 8}, 120, 0.0);

  const Forward<float> result = forward(tokens.as_spikes(), config);

  for (std::ptrdiff_t i = 0; i < result.o.size(); ++i) CHECK(result.o[i] == 0.0F);
}

}  // namespace synfire
