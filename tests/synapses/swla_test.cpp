#include "tests/synapses/swla_cases.hpp"

namespace synfire {

using namespace swla_cases;

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
