#include "synapses/mixers/swla.hpp"

#include <vector>

#include "core/error.hpp"
#include "tests/reference/swla_reference.hpp"
#include "tests/synapses/op_checks.hpp"

namespace synfire {

namespace {

using synapses::MixerConfig;
using synapses::MixerDecay;
using synapses::MixerFeature;
using synapses::MixerNorm;
using synapses::MixerRope;

/// Queries and keys as the network has them (bytes) or as smooth spikes.
template <class Scalar>
struct Tokens {
  Tensor<Scalar> q, k, v;
  Tensor<std::uint8_t> q_spikes, k_spikes;

  Tokens(const Shape& shape, std::uint32_t stream, double density, bool integers = false)
      : q_spikes(test::random_spikes(shape, stream, density)),
        k_spikes(test::random_spikes(shape, stream + 1, density)) {
    q = test::convert<Scalar>(q_spikes);
    k = test::convert<Scalar>(k_spikes);
    v = test::random_tensor<Scalar>(shape, stream + 2);
    for (std::ptrdiff_t i = 0; integers && i < v.size(); ++i) v[i] = std::round(Scalar(5) * v[i]);
  }
  synapses::MixerInput<Scalar> as_real() const { return {test::signal_of(q), test::signal_of(k), test::signal_of(v)}; }
  synapses::MixerInput<Scalar> as_spikes() const {
    return {test::signal_of_spikes<Scalar>(q_spikes), test::signal_of_spikes<Scalar>(k_spikes), test::signal_of(v)};
  }
};

template <class Scalar>
struct Forward {
  Tensor<Scalar> o, den;
};

template <class Scalar>
Forward<Scalar> forward(const synapses::MixerInput<Scalar>& in, const MixerConfig& config) {
  const Shape& shape = in.q.shape;
  Forward<Scalar> result{test::filled<Scalar>(shape), test::filled<Scalar>(synapses::mixer_head_shape(config, shape))};
  std::vector<std::byte> scratch(synapses::swla_scratch_bytes<Scalar>(config, shape, false));
  synapses::swla_forward<Scalar>(in, config, {config, shape}, result.o.view(), result.den.view(), scratch);
  return result;
}

template <class Scalar>
struct Gradients {
  Tensor<Scalar> q, k, v;
};

template <class Scalar>
Gradients<Scalar> backward(const synapses::MixerInput<Scalar>& in, const MixerConfig& config,
                           const Tensor<Scalar>& grad_o) {
  const Shape& shape = in.q.shape;
  const Forward<Scalar> kept = forward(in, config);
  Gradients<Scalar> g{test::filled<Scalar>(shape), test::filled<Scalar>(shape), test::filled<Scalar>(shape)};
  std::vector<std::byte> scratch(synapses::swla_scratch_bytes<Scalar>(config, shape, true));
  synapses::swla_backward<Scalar>(in, config, {config, shape}, kept.den.view(), grad_o.view(),
                                  {g.q.view(), g.k.view(), g.v.view()}, scratch);
  return g;
}

template <class Scalar>
double largest_difference(const Tensor<Scalar>& a, const Tensor<double>& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0.0;
  for (std::ptrdiff_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(static_cast<double>(a[i]) - b[i]);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

struct Case {
  Shape shape;
  MixerConfig config;
};

MixerConfig config_of(int heads, std::array<int, 3> size, std::array<int, 3> shift = {0, 0, 0}, bool causal = false) {
  MixerConfig config;
  config.heads = heads;
  config.window_size = size;
  config.window_shift = shift;
  config.causal = causal;
  return config;
}

/// Odd sizes, one window, one token, one head, T = 1; every window, shift and kind of time; tokens by the tile.
std::vector<Case> geometries() {
  return {
      {Shape{1, 1, 1, 1, 4}, config_of(1, {1, 0, 0})},
      {Shape{1, 2, 6, 6, 8}, config_of(2, {1, 4, 4}, {0, 2, 2})},
      {Shape{3, 2, 5, 7, 12}, config_of(3, {1, 2, 3}, {0, 1, 1})},
      {Shape{3, 1, 4, 4, 8}, config_of(2, {1, 2, 2}, {0, 1, 1})},
      {Shape{5, 2, 3, 4, 8}, config_of(1, {2, 2, 4}, {1, 1, 0})},
      {Shape{5, 2, 3, 4, 8}, config_of(2, {2, 0, 3}, {1, 0, 1}, true)},
      {Shape{5, 1, 3, 3, 24}, config_of(2, {0, 0, 2}, {}, true)},
      {Shape{4, 1, 3, 3, 8}, config_of(2, {8, 0, 0}, {}, false)},
      {Shape{2, 1, 9, 9, 80}, config_of(2, {1, 0, 0})},
      {Shape{7, 3, 12}, config_of(3, {0, 0, 0}, {}, true)},
  };
}

/// Every setting that a geometry allows.
std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Case& geometry : geometries()) {
    for (const MixerNorm norm : {MixerNorm::sum, MixerNorm::fixed}) {
      for (const MixerFeature feature : {MixerFeature::shift, MixerFeature::spike}) {
        for (const MixerRope rope : {MixerRope::none, MixerRope::model, MixerRope::head}) {
          for (const MixerDecay decay : {MixerDecay::none, MixerDecay::head}) {
            Case c = geometry;
            c.config.norm = norm;
            c.config.feature = feature;
            c.config.rope = rope;
            c.config.decay = decay;
            // A small eps would let a query that meets few keys amplify rounding.
            c.config.eps = feature == MixerFeature::spike ? 1.0 : 1e-6;
            if (feature == MixerFeature::spike && rope != MixerRope::none) continue;
            if (decay != MixerDecay::none && (!c.config.causal || c.config.window_size[0] != 0)) continue;
            const std::ptrdiff_t d = c.shape.channels() / c.config.heads;
            const std::ptrdiff_t turned = rope == MixerRope::head ? d : c.shape.channels();
            if (rope != MixerRope::none && (turned % 4 != 0 || (c.config.window_size[0] != 1 && turned < 8))) continue;
            cases.push_back(c);
          }
        }
      }
    }
  }
  return cases;
}

// Weights lie within [1/eps, 4 d], there are up to 81 tokens of |v| < 1, and the division keeps |o| below 10: rounding
// of sums of 81 terms, each after d products, stays below 1e3 u times the largest output.
constexpr double kFloatTolerance = 1e-4, kDoubleTolerance = 1e-11;

}  // namespace

TEST_CASE("swla gives the worked numbers of two tokens") {
  // d = 2, no rope, eps = 0; weights 6, 4 / 6, 5 with the feature shift and 1, 0 / 1, 1 with spike.
  Tokens<double> tokens(Shape{1, 1, 1, 2, 2}, 1, 0.0);
  const auto set = [](Tensor<double>& x, std::array<double, 4> values) {
    std::copy(values.begin(), values.end(), x.data());
  };
  set(tokens.q, {1, 0, 0, 1});
  set(tokens.k, {1, 1, 0, 1});
  set(tokens.v, {1, 2, 3, -1});
  MixerConfig config = config_of(1, {1, 0, 0});
  config.eps = 0.0;

  const Forward<double> shift = forward(tokens.as_real(), config);
  Tensor<double> grad_o(shift.o.shape());
  grad_o[0] = 1.0;
  grad_o[3] = 1.0;
  const Gradients<double> g = backward(tokens.as_real(), config, grad_o);
  config.feature = MixerFeature::spike;
  const Forward<double> spike = forward(tokens.as_real(), config);

  const auto near = [](const Tensor<double>& got, std::array<double, 4> expected, double tolerance) {
    for (std::ptrdiff_t i = 0; i < 4; ++i) {
      CHECK(std::abs(got[i] - expected[static_cast<std::size_t>(i)]) <= tolerance);
    }
  };
  near(shift.o, {1.8, 0.8, 21.0 / 11.0, 7.0 / 11.0}, 1e-14);
  near(spike.o, {1, 2, 2, 0.5}, 1e-14);
  constexpr double kFourDecimals = 5.1e-5;
  near(g.q, {-0.0400, 0.0800, 0.0992, -0.0496}, kFourDecimals);
  near(g.k, {-0.0360, 0.1679, 0.0912, -0.1775}, kFourDecimals);
  near(g.v, {0.6, 0.5455, 0.4, 0.4545}, kFourDecimals);
}

TEST_CASE("rope turns rows and columns by the worked angles") {
  MixerConfig config = config_of(1, {1, 0, 0});
  config.rope = MixerRope::model;
  const synapses::RopeTable<double> four(config, Shape{1, 1, 2, 2, 4}), eight(config, Shape{1, 1, 6, 8, 8});
  const std::array<std::ptrdiff_t, 3> diagonal{0, 1, 1}, right{0, 0, 1}, below{0, 1, 2};
  std::array<double, 4> a{1, 0, 1, 0}, b{1, 0, 1, 0};
  std::array<double, 8> c{1, 0, 1, 0, 1, 0, 1, 0};

  four.turn(0, diagonal.data(), false, a.data());
  four.turn(0, right.data(), false, b.data());
  eight.turn(0, below.data(), false, c.data());

  const double cos1 = 0.5403, sin1 = 0.8415;
  const std::array<double, 4> a_expected{cos1, sin1, cos1, sin1}, b_expected{1, 0, cos1, sin1};
  for (std::size_t r = 0; r < 4; ++r) {
    CHECK(std::abs(a[r] - a_expected[r]) <= 5e-5);
    CHECK(std::abs(b[r] - b_expected[r]) <= 5e-5);
    const double angle = std::array{1.0, 0.01, 2.0, 0.02}[r];
    CHECK(std::abs(c[2 * r] - std::cos(angle)) <= 1e-15);
    CHECK(std::abs(c[2 * r + 1] - std::sin(angle)) <= 1e-15);
  }
  // A product of two turned vectors knows differences of positions only.
  const auto product = [&](std::ptrdiff_t dy, std::ptrdiff_t dx) {
    std::array<double, 8> p{1, 2, 1, 1, 2, 1, 1, 2}, q{2, 1, 1, 2, 1, 1, 2, 2};
    const std::array<std::ptrdiff_t, 3> i{0, 1 + dy, 0 + dx}, j{0, 0 + dy, 2 + dx};
    eight.turn(0, i.data(), false, p.data());
    eight.turn(0, j.data(), false, q.data());
    double sum = 0.0;
    for (std::size_t r = 0; r < 8; ++r) sum += p[r] * q[r];
    return sum;
  };
  CHECK(std::abs(product(0, 0) - product(3, 5)) <= 1e-13);
}

TEST_CASE("a causal swla forgets by 1 - 2^-3 a tick in its first head") {
  // S = 2, 2 g, 2 g^2 - 1 and m = 1, g, g^2 + 1 for (phi(q), phi(k), v) = (1, 1, 2), (1, 0, 5), (1, 1, -1).
  Tokens<double> tokens(Shape{3, 1, 1}, 1, 0.0);
  for (std::ptrdiff_t t = 0; t < 3; ++t) {
    tokens.q[t] = 1.0;
    tokens.k[t] = t == 1 ? 0.0 : 1.0;
    tokens.v[t] = std::array{2.0, 5.0, -1.0}[static_cast<std::size_t>(t)];
  }
  MixerConfig config = config_of(1, {0, 0, 0}, {}, true);
  config.feature = MixerFeature::spike;
  config.eps = 0.0;
  config.decay = MixerDecay::head;

  const Tensor<double> o = forward(tokens.as_real(), config).o;

  const double g2 = 0.875 * 0.875;
  CHECK(std::abs(o[0] - 2.0) <= 1e-15);
  CHECK(std::abs(o[1] - 2.0) <= 1e-15);
  CHECK(std::abs(o[2] - (2.0 * g2 - 1.0) / (g2 + 1.0)) <= 1e-15);
}

TEST_CASE("swla is the sum over pairs of tokens, in every setting, of spikes and of real values") {
  std::uint32_t stream = 10;
  for (const Case& c : all_cases()) {
    const Tokens<float> tokens(c.shape, stream, 0.2 + 0.1 * static_cast<double>(stream % 5));
    const Tokens<double> exact(c.shape, stream, 0.2 + 0.1 * static_cast<double>(stream % 5));
    const Tensor<double> expected = test::SwlaReference(c.config, c.shape)(exact.q, exact.k, exact.v);
    CAPTURE(stream);
    CAPTURE(c.shape.text());
    stream += 3;

    CHECK(largest_difference(forward(tokens.as_real(), c.config).o, expected) <= kFloatTolerance);
    CHECK(largest_difference(forward(tokens.as_spikes(), c.config).o, expected) <= kFloatTolerance);
    CHECK(largest_difference(forward(exact.as_real(), c.config).o, expected) <= kDoubleTolerance);
    CHECK(largest_difference(forward(exact.as_spikes(), c.config).o, expected) <= kDoubleTolerance);
  }
}

TEST_CASE("gradients of swla are central differences of the sum over pairs") {
  // Denominators are 1 at least, so third derivatives of a loss of outputs below 1 are below 6 times the 80 terms that
  // an input meets: truncation h^2 80. Rounding: 1e3 u / h. At h = 1e-5 the sum is below 5e-8.
  constexpr double kStep = 1e-5, kTolerance = 5e-8;
  std::uint32_t stream = 400;
  for (const Case& c : all_cases()) {
    if (c.shape.size() > 400) continue;
    Tokens<double> tokens(c.shape, stream, 0.3);
    const Tensor<double> grad_o = test::random_tensor<double>(c.shape, stream + 7);
    const test::SwlaReference reference(c.config, c.shape);
    const Gradients<double> real = backward(tokens.as_real(), c.config, grad_o);
    const Gradients<double> spikes = backward(tokens.as_spikes(), c.config, grad_o);
    CAPTURE(stream);
    CAPTURE(c.shape.text());
    stream += 11;

    struct Checked {
      Tensor<double>& input;
      const Tensor<double>&real, &spikes;
    };
    for (const Checked& x : {Checked{tokens.q, real.q, spikes.q}, Checked{tokens.k, real.k, spikes.k},
                             Checked{tokens.v, real.v, spikes.v}}) {
      double worst = 0.0, largest = 0.0;
      // Every element of a small case, a few of a large one.
      for (std::ptrdiff_t i = 0; i < x.input.size(); i += 1 + x.input.size() / 30) {
        const double value = x.input[i];
        x.input[i] = value + kStep;
        const double above = test::weighted_sum(reference(tokens.q, tokens.k, tokens.v), grad_o);
        x.input[i] = value - kStep;
        const double below = test::weighted_sum(reference(tokens.q, tokens.k, tokens.v), grad_o);
        x.input[i] = value;
        const double expected = (above - below) / (2.0 * kStep);
        worst = std::max({worst, std::abs(x.real[i] - expected), std::abs(x.spikes[i] - expected)});
        largest = std::max(largest, std::abs(expected));
      }
      CHECK(worst <= kTolerance);
      CHECK(((largest > 0.0) || c.shape.size() < 8));
    }
  }
}

TEST_CASE("gradients of swla in float are those in double") {
  std::uint32_t stream = 800;
  for (const Case& c : all_cases()) {
    const Tokens<float> tokens(c.shape, stream, 0.2);
    const Tokens<double> exact(c.shape, stream, 0.2);
    const auto grad_o = test::random_tensor<float>(c.shape, stream + 7);
    const Gradients<float> real = backward(tokens.as_real(), c.config, grad_o);
    const Gradients<float> spikes = backward(tokens.as_spikes(), c.config, grad_o);
    const Gradients<double> expected = backward(exact.as_real(), c.config, test::convert<double>(grad_o));
    stream += 11;

    for (const Gradients<float>* g : {&real, &spikes}) {
      CHECK(largest_difference(g->q, expected.q) <= kFloatTolerance);
      CHECK(largest_difference(g->k, expected.k) <= kFloatTolerance);
      CHECK(largest_difference(g->v, expected.v) <= kFloatTolerance);
    }
  }
}

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

TEST_CASE("swla says what is wrong with its configuration") {
  const Shape shape{2, 1, 4, 4, 12};
  const Tokens<float> tokens(shape, 130, 0.2);
  const auto refused = [&](const MixerConfig& config, const char* text) {
    CHECK_THROWS_WITH_AS(forward(tokens.as_spikes(), config), doctest::Contains(text), ShapeError);
  };
  refused(config_of(5, {1, 0, 0}), "12 channels do not divide into 5 heads");
  MixerConfig config = config_of(4, {1, 0, 0});
  config.rope = MixerRope::model;
  refused(config, "a head has 3");
  config.heads = 2;
  config.rope = MixerRope::head;
  refused(config, "multiples of 4, got 6");
  config.feature = MixerFeature::spike;
  refused(config, "rope needs the feature \"shift\"");
  config = config_of(2, {0, 0, 0});
  config.decay = MixerDecay::head;
  refused(config, "a decay needs a causal attention");
  config.causal = true;
  config.window_size[0] = 4;
  refused(config, "without limit in time (0), got 4");
  refused(config_of(2, {1, 4, 4}, {0, 4, 0}), "less than its size (4), got 4");
}

}  // namespace synfire
