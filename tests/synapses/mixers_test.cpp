// What holds for every mixer of the table, and the worked numbers of some.
#include <array>
#include <functional>

#include "core/error.hpp"
#include "synapses/mixers/decay_scan.hpp"
#include "tests/synapses/mixer_run.hpp"

namespace synfire {

namespace {

using synapses::MixerConfig;
using synapses::MixerFeature;
using synapses::MixerForm;
using synapses::MixerKind;
using test::MixerTensors;

MixerConfig config_of(MixerKind kind, int heads, std::array<int, 3> size = {0, 0, 0}) {
  MixerConfig config;
  config.kind = kind;
  config.heads = heads;
  config.window_size = size;
  config.causal = true;
  if (kind == MixerKind::linear) config.feature = MixerFeature::elu1;
  if (kind == MixerKind::ssa) config.feature = MixerFeature::spike;
  return config;
}

/// Inputs as the kind wants them: gates of decays below 0, rates in (0, 1) for keys of length 1 at most.
template <class Scalar>
MixerTensors<Scalar> tensors_for(const MixerConfig& config, const Shape& shape, std::uint32_t stream) {
  MixerTensors<Scalar> x{test::random_tensor<Scalar>(shape, stream),
                         test::random_tensor<Scalar>(shape, stream + 1),
                         test::random_tensor<Scalar>(shape, stream + 2),
                         {}};
  const Shape gate = synapses::mixer_gate_shape(config, shape);
  if (gate.rank() == 0) return x;
  x.gate = test::random_tensor<Scalar>(gate, stream + 3);
  for (std::ptrdiff_t i = 0; i < x.gate.size(); ++i) {
    const Scalar unit = Scalar(0.5) * (x.gate[i] + Scalar(1));
    x.gate[i] = config.kind == MixerKind::delta ? unit : -unit;
  }
  const auto length = static_cast<Scalar>(std::sqrt(static_cast<double>(shape.channels() / config.heads)));
  for (std::ptrdiff_t i = 0; config.kind == MixerKind::delta && i < x.k.size(); ++i) x.k[i] /= length;
  return x;
}

std::vector<MixerConfig> configs(int heads) {
  std::vector<MixerConfig> result;
  for (const synapses::Mixer<double>& mixer : synapses::mixers<double>()) {
    result.push_back(config_of(mixer.kind, heads));
    if (mixer.kind == MixerKind::linear || mixer.kind == MixerKind::window) {
      result.push_back(result.back());
      result.back().causal = false;
      result.back().window_size = {2, 2, 2};
    }
  }
  return result;
}

void set(Tensor<double>& x, const std::vector<double>& values) { std::copy(values.begin(), values.end(), x.data()); }

void check_near(const Tensor<double>& got, const std::vector<double>& expected, double tolerance = 1e-9) {
  REQUIRE(got.size() == std::ssize(expected));
  for (std::ptrdiff_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - expected[static_cast<std::size_t>(i)]) <= tolerance);
  }
}

/// Three tokens of one head with two channels: the worked example of linear attention's family.
MixerTensors<double> worked() {
  const Shape shape{3, 1, 2};
  MixerTensors<double> x{Tensor<double>(shape), Tensor<double>(shape), Tensor<double>(shape), {}};
  set(x.q, {1, 0, 1, 1, 0, 2});
  set(x.k, {1, 0, 0, 1, 0.6, 0.8});
  set(x.v, {1, 2, 3, -1, 0.5, 1});
  return x;
}

}  // namespace

TEST_CASE("the table of mixers is in the order of their kinds") {
  std::size_t k = 0;
  for (const synapses::Mixer<float>& mixer : synapses::mixers<float>()) {
    CHECK(static_cast<std::size_t>(mixer.kind) == k++);
    CHECK(std::find(mixer.forms.begin(), mixer.forms.end(), mixer.usual) != mixer.forms.end());
  }
}

TEST_CASE("worked numbers of linear attention, gla and the delta rule in every form") {
  MixerTensors<double> x = worked();
  const Tensor<double> ones = test::filled<double>(Shape{3, 1, 2}, 1.0);
  for (const MixerForm form : {MixerForm::recurrent, MixerForm::chunked, MixerForm::parallel}) {
    MixerConfig linear = config_of(MixerKind::linear, 1);
    linear.eps = 0.0;
    check_near(test::run_mixer(x, linear, form).o, {1, 2, 2, 0.5, 1.552631579, 0.526315789});
    linear.eps = 1e-6;
    check_near(test::run_mixer(x, linear, form).o, {0.9999998, 1.9999996, 2, 0.5, 1.552631579, 0.526315789}, 5e-7);

    MixerConfig gla = config_of(MixerKind::gla, 1);
    gla.scale = 1.0;
    MixerTensors<double> gated = worked();
    gated.gate = Tensor<double>(Shape{3, 1, 2});
    const auto gates = [&](double a, double b) {
      const double g = std::log(a), h = std::log(b);
      set(gated.gate, {g, h, g, h, g, h});
    };
    gates(0.5, 0.5);  // lightning with lambda 1/2
    check_near(test::run_mixer(gated, gla, form).o, {1, 2, 3.5, 0, 3.8, 0.6});
    const MixerTensors<double> fixed = test::run_mixer_backward(gated, gla, form, ones);
    check_near(fixed.q, {3, 0, 1.5, 2, 1.65, 2.2});
    check_near(fixed.k, {4.5, 3, 2, 4, 0, 3});
    check_near(fixed.v, {1.5, 1.5, 2, 2, 1.6, 1.6});
    for (std::ptrdiff_t t = 0; t < 3; ++t) {
      CHECK(std::abs(fixed.gate[2 * t] + fixed.gate[2 * t + 1] -
                     std::array{0.0, 1.5, 2.0}[static_cast<std::size_t>(t)]) <= 1e-12);
    }
    gates(0.5, 0.25);
    check_near(test::run_mixer(gated, gla, form).o, {1, 2, 3.5, 0, 2.3, 1.1});
    const MixerTensors<double> g = test::run_mixer_backward(gated, gla, form, ones);
    check_near(g.k, {4.5, 1.125, 2, 3, 0, 3});
    check_near(g.v, {1.5, 1.5, 1.5, 1.5, 1.6, 1.6});
    check_near(g.gate, {0, 0, 1.5, 0, 0, 1});

    MixerConfig delta = config_of(MixerKind::delta, 1);
    delta.scale = 1.0;
    MixerTensors<double> written = worked();
    written.gate = Tensor<double>(Shape{3, 1, 1});
    set(written.gate, {1, 0.5, 0.5});
    check_near(test::run_mixer(written, delta, form).o, {1, 2, 2.5, 1.5, 1.96, -0.84});
  }
}

TEST_CASE("slopes of lightning attention") {
  for (int head = 0; head < 8; ++head) CHECK(synapses::lightning_slope(head, 8) == std::exp2(-1.0 - head));
  CHECK(synapses::lightning_slope(7, 12) == std::exp2(-8.0));
  const std::array more{0.707106781, 0.353553391, 0.176776695, 0.088388348};
  for (int head = 0; head < 4; ++head) {
    CHECK(std::abs(synapses::lightning_slope(8 + head, 12) - more[static_cast<std::size_t>(head)]) <= 1e-9);
  }
}

TEST_CASE("worked numbers of spiking self-attention by both orders of multiplication") {
  const Shape shape{1, 1, 1, 2, 2};
  MixerTensors<double> x{Tensor<double>(shape), Tensor<double>(shape), Tensor<double>(shape), {}};
  set(x.q, {1, 0, 1, 1});
  set(x.k, {1, 1, 0, 1});
  set(x.v, {1, 0, 1, 1});
  MixerConfig config = config_of(MixerKind::ssa, 1, {1, 0, 0});
  for (const double scale : {0.125, 1.0}) {
    config.scale = scale;
    for (const MixerForm form : {MixerForm::recurrent, MixerForm::parallel}) {
      check_near(test::run_mixer(x, config, form).o, {scale, 0, 3 * scale, scale}, 0.0);
    }
  }
}

TEST_CASE("all forms of a mixer give the same outputs and gradients") {
  std::uint32_t stream = 2000;
  for (const Shape& shape : {Shape{67, 2, 12}, Shape{5, 2, 3, 5, 8}, Shape{1, 1, 1, 1, 4}, Shape{33, 1, 2, 1, 40}}) {
    for (const MixerConfig& config : configs(shape.channels() == 12 ? 3 : 1)) {
      const MixerTensors<float> x = tensors_for<float>(config, shape, stream);
      const MixerTensors<double> exact{test::convert<double>(x.q), test::convert<double>(x.k),
                                       test::convert<double>(x.v),
                                       x.gate.size() > 0 ? test::convert<double>(x.gate) : Tensor<double>()};
      const auto grad = test::random_tensor<float>(shape, stream + 5);
      stream += 9;
      const synapses::Mixer<float>& mixer = synapses::mixer_of<float>(config.kind);
      CAPTURE(std::string(mixer.name));
      CAPTURE(shape.text());
      const MixerForm first = mixer.forms.front();
      const Tensor<double> o = test::run_mixer(exact, config, first).o;
      const MixerTensors<double> g = test::run_mixer_backward(exact, config, first, test::convert<double>(grad));
      for (const MixerForm form : mixer.forms) {
        CAPTURE(static_cast<int>(form));
        CHECK(test::relative_error(test::run_mixer(exact, config, form).o, o) <= 1e-12);
        const MixerTensors<double> same = test::run_mixer_backward(exact, config, form, test::convert<double>(grad));
        CHECK(test::relative_error(same.q, g.q) <= 1e-11);
        CHECK(test::relative_error(same.k, g.k) <= 1e-11);
        CHECK(test::relative_error(same.v, g.v) <= 1e-11);
        CHECK(test::relative_error(test::run_mixer(x, config, form).o, o) <= 1e-5);
        const MixerTensors<float> of_float = test::run_mixer_backward(x, config, form, grad);
        CHECK(test::relative_error(of_float.q, g.q) <= 1e-5);
        CHECK(test::relative_error(of_float.k, g.k) <= 1e-5);
        CHECK(test::relative_error(of_float.v, g.v) <= 1e-5);
        if (x.gate.size() > 0) CHECK(test::relative_error(of_float.gate, g.gate) <= 1e-5);
      }
    }
  }
}

TEST_CASE("gradients of every mixer are central differences of it") {
  // Two values with a thousand roundings each over 2 h, and h^2 times third derivatives of order 10.
  constexpr double kStep = 1e-5, kTolerance = 2e-8;
  std::uint32_t stream = 3000;
  for (const Shape& shape : {Shape{9, 1, 6}, Shape{2, 1, 3, 3, 4}}) {
    for (const MixerConfig& config : configs(2)) {
      MixerTensors<double> x = tensors_for<double>(config, shape, stream);
      const Tensor<double> grad = test::random_tensor<double>(shape, stream + 5);
      stream += 9;
      const MixerForm form = synapses::mixer_of<double>(config.kind).usual;
      const MixerTensors<double> g = test::run_mixer_backward(x, config, form, grad);
      const auto check = [&](Tensor<double>& input, const Tensor<double>& analytic) {
        double worst = 0.0, largest = 0.0;
        for (std::ptrdiff_t i = 0; i < input.size(); ++i) {
          const double value = input[i];
          input[i] = value + kStep;
          const double above = test::weighted_sum(test::run_mixer(x, config, form).o, grad);
          input[i] = value - kStep;
          const double below = test::weighted_sum(test::run_mixer(x, config, form).o, grad);
          input[i] = value;
          worst = std::max(worst, std::abs((above - below) / (2.0 * kStep) - analytic[i]));
          largest = std::max(largest, std::abs(analytic[i]));
        }
        CHECK(worst <= kTolerance);
        CHECK(largest > 1e-3);
      };
      CAPTURE(std::string(synapses::mixer_of<double>(config.kind).name));
      check(x.q, g.q);
      check(x.k, g.k);
      check(x.v, g.v);
      if (x.gate.size() > 0) check(x.gate, g.gate);
    }
  }
}

TEST_CASE("mixers that run along the tokens do not see later ones, and no mixer sees other samples, bit for bit") {
  const Shape shape{40, 2, 8};
  for (const MixerConfig& config : configs(2)) {
    if (!config.causal) continue;
    const MixerForm form = synapses::mixer_of<float>(config.kind).usual;
    MixerTensors<float> x = tensors_for<float>(config, shape, 4000);
    const Tensor<float> before = test::run_mixer(x, config, form).o;
    for (std::ptrdiff_t t = 0; t < 40; ++t) {
      for (std::ptrdiff_t c = 0; c < 8; ++c) {
        if (t >= 25) x.k[(2 * t) * 8 + c] += 0.25F;  // sample 0, later tokens
        x.v[(2 * t + 1) * 8 + c] += 1.0F;            // sample 1
      }
    }
    const Tensor<float> after = test::run_mixer(x, config, form).o;
    bool early_same = true, late_same = true, other_same = true;
    for (std::ptrdiff_t t = 0; t < 40; ++t) {
      for (std::ptrdiff_t c = 0; c < 8; ++c) {
        const std::ptrdiff_t first = (2 * t) * 8 + c, second = first + 8;
        (t < 25 ? early_same : late_same) &= before[first] == after[first];
        other_same &= before[second] == after[second];
      }
    }
    CAPTURE(std::string(synapses::mixer_of<float>(config.kind).name));
    CHECK(early_same);
    CHECK(!late_same);
    CHECK(!other_same);
    CHECK(test::same_bits_for_any_threads([&] { return test::run_mixer(x, config, form).o; }));
  }
}

TEST_CASE("gates that forget everything or nothing are finite and right") {
  const Shape shape{64, 1, 4};
  const MixerConfig config = config_of(MixerKind::gla, 1);
  MixerTensors<float> x = tensors_for<float>(config, shape, 5000);
  for (const float gate : {-10.0F, -1000.0F, 0.0F}) {
    for (std::ptrdiff_t i = 0; i < x.gate.size(); ++i) x.gate[i] = gate;
    const Tensor<float> recurrent = test::run_mixer(x, config, MixerForm::recurrent).o;
    const Tensor<double> expected = test::convert<double>(recurrent);
    CHECK(test::relative_error(test::run_mixer(x, config, MixerForm::chunked).o, expected) <= 1e-5);
    CHECK(test::relative_error(test::run_mixer(x, config, MixerForm::parallel).o, expected) <= 1e-5);
  }
}

TEST_CASE("a softmax of large products is finite, and rows of weights sum to 1") {
  const Shape shape{70, 1, 4};
  const MixerConfig config = config_of(MixerKind::window, 1);
  MixerTensors<float> x = tensors_for<float>(config, shape, 6000);
  for (std::ptrdiff_t i = 0; i < x.q.size(); ++i) {
    x.q[i] *= 1000.0F;
    x.v[i] = 2.0F;
  }
  const Tensor<float> o = test::run_mixer(x, config, MixerForm::parallel).o;
  for (std::ptrdiff_t i = 0; i < o.size(); ++i) CHECK(std::abs(o[i] - 2.0F) <= 2e-6F);
}

TEST_CASE("the delta rule with rate 1 and a unit key returns the value just written, and rate 0 writes nothing") {
  const Shape shape{3, 1, 2};
  MixerTensors<double> x{Tensor<double>(shape), Tensor<double>(shape), test::random_tensor<double>(shape, 7000),
                         Tensor<double>(Shape{3, 1, 1})};
  set(x.k, {0.6, 0.8, 1, 0, 0, 1});
  set(x.q, {0.6, 0.8, 1, 0, 1, 0});
  set(x.gate, {1, 1, 0});
  MixerConfig config = config_of(MixerKind::delta, 1);
  config.scale = 1.0;
  const Tensor<double> o = test::run_mixer(x, config, MixerForm::chunked).o;
  for (std::ptrdiff_t c = 0; c < 2; ++c) {
    CHECK(std::abs(o[c] - x.v[c]) <= 1e-15);
    CHECK(std::abs(o[2 + c] - x.v[2 + c]) <= 1e-15);
    CHECK(std::abs(o[4 + c] - o[2 + c]) <= 1e-15);
  }
}

TEST_CASE("a mixer refuses what does not belong to its kind") {
  const Shape shape{4, 1, 8};
  const auto refused = [&](const MixerConfig& config, const char* text) {
    CHECK_THROWS_WITH_AS(synapses::check_mixer(config, shape), doctest::Contains(text), ShapeError);
  };
  MixerConfig config = config_of(MixerKind::gla, 2);
  config.causal = false;
  refused(config, "they need causal");
  config = config_of(MixerKind::window, 2);
  config.rope = synapses::MixerRope::head;
  refused(config, "belong to the kind \"swla\"");
  config = config_of(MixerKind::ssa, 2);
  config.feature = MixerFeature::shift;
  refused(config, "needs the feature \"spike\"");
  MixerTensors<double> x = tensors_for<double>(config_of(MixerKind::gla, 2), shape, 8000);
  x.gate = Tensor<double>(Shape{4, 1, 4});
  CHECK_THROWS_WITH_AS(test::run_mixer(x, config_of(MixerKind::gla, 2), MixerForm::chunked), doctest::Contains("gate"),
                       ShapeError);
}

}  // namespace synfire
