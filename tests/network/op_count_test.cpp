#include "network/op_count.hpp"

#include <doctest/doctest.h>

#include "core/random.hpp"
#include "synapses/checks.hpp"
#include "synapses/linear.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

synapses::Conv2dGeometry geometry(int in, int out, int kernel, int stride, int padding) {
  return {in, out, kernel, kernel, stride, padding};
}

Tensor<float> ones(const Shape& shape) {
  Tensor<float> tensor(shape);
  for (float& value : tensor.span()) value = 1.0F;
  return tensor;
}

/// `share` of the elements are not 0; of those, `graded` are neither 1 nor -1.
Tensor<float> sparse_tensor(const Shape& shape, std::uint32_t seed, double share, double graded) {
  Tensor<float> tensor(shape);
  const RandomStream random(99, seed, 0);
  for (std::ptrdiff_t i = 0; i < tensor.size(); ++i) {
    const auto at = static_cast<std::uint64_t>(3 * i);
    if (random.uniform(at) >= share) continue;
    const float sign = random.uniform(at + 1) < 0.5 ? -1.0F : 1.0F;
    tensor[i] = random.uniform(at + 2) < graded ? sign * 0.5F : sign;
  }
  return tensor;
}

Signal<float> signal_of(const Tensor<float>& x) { return {x.shape(), x.data(), nullptr, Device::cpu}; }

std::vector<std::uint32_t> fan_out_of(int stride) {
  const Tensor<float> w = ones(Shape{1, 1, 3, 3});
  return conv2d_fan_out<float>(geometry(1, 1, 3, stride, 1), w.view(), Shape{4, 4, 1}).effective;
}

/// Convolutions of ones, written out: products within bounds with both factors not 0, and all of them.
struct Products {
  std::uint64_t dense = 0, unit = 0, graded = 0;
};
Products convolve_ones(const Tensor<float>& x, const synapses::Conv2dGeometry& g, const Tensor<float>& w) {
  const Shape& s = x.shape();
  Products result;
  for (std::ptrdiff_t f = 0; f < s[0] * s[1]; ++f) {
    for (std::ptrdiff_t i = 0; i < g.out_extent(static_cast<int>(s[2]), g.kernel_h); ++i) {
      for (std::ptrdiff_t j = 0; j < g.out_extent(static_cast<int>(s[3]), g.kernel_w); ++j) {
        for (std::ptrdiff_t o = 0; o < g.out_channels; ++o) {
          for (std::ptrdiff_t c = 0; c < g.in_channels; ++c) {
            for (std::ptrdiff_t a = 0; a < g.kernel_h; ++a) {
              for (std::ptrdiff_t b = 0; b < g.kernel_w; ++b) {
                const std::ptrdiff_t y = i * g.stride + a - g.padding, z = j * g.stride + b - g.padding;
                if (y < 0 || y >= s[2] || z < 0 || z >= s[3]) continue;
                const float value = x[((f * s[2] + y) * s[3] + z) * s[4] + c];
                const float weight = w[((o * g.in_channels + c) * g.kernel_h + a) * g.kernel_w + b];
                ++result.dense;
                if (value == 0.0F || weight == 0.0F) continue;
                ++(value == 1.0F || value == -1.0F ? result.unit : result.graded);
              }
            }
          }
        }
      }
    }
  }
  return result;
}

}  // namespace

// The numbers of these cases are NeuroBench's, as it prints them: docs/energy.md.
TEST_CASE("an event of a padded convolution reaches fewer outputs at the border") {
  CHECK(fan_out_of(1) == std::vector<std::uint32_t>{4, 6, 6, 4, 6, 9, 9, 6, 6, 9, 9, 6, 4, 6, 6, 4});
  CHECK(fan_out_of(2) == std::vector<std::uint32_t>{1, 2, 1, 1, 2, 4, 2, 2, 1, 2, 1, 1, 1, 2, 1, 1});
}

TEST_CASE("padding is no operation") {
  const auto dense = [](int in, int out, int stride, const Shape& image) {
    const Tensor<float> w = ones(Shape{out, in, 3, 3});
    return conv2d_fan_out<float>(geometry(in, out, 3, stride, 1), w.view(), image).dense;
  };

  CHECK(dense(1, 1, 1, Shape{4, 4, 1}) == 100);
  CHECK(dense(1, 1, 2, Shape{4, 4, 1}) == 25);
  CHECK(dense(2, 32, 1, Shape{128, 128, 2}) == 9'339'136);
}

TEST_CASE("a convolution is asked for what two convolutions of ones come to") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const RandomStream random(5, seed, 0);
    const auto pick = [&](std::uint64_t at, int low, int high) {
      return low + static_cast<int>(random.below(at, static_cast<std::uint32_t>(high - low + 1)));
    };
    const auto g = geometry(pick(0, 1, 3), pick(1, 1, 5), pick(2, 1, 5), pick(3, 1, 3), pick(4, 0, 2));
    const Shape shape{pick(5, 1, 3), pick(6, 1, 3), g.kernel_h + pick(7, 0, 20), g.kernel_w + pick(8, 0, 6),
                      g.in_channels};
    const Tensor<float> x = sparse_tensor(shape, 100 + seed, random.uniform(9), seed % 3 == 0 ? 0.3 : 0.0);
    const Tensor<float> w = sparse_tensor(Shape{g.out_channels, g.in_channels, g.kernel_h, g.kernel_w}, seed, 0.7, 0.5);
    LayerLedger record;

    count_conv2d(signal_of(x), g, conv2d_fan_out<float>(g, w.view(), shape.drop_front(2)), false, record);

    const Products expected = convolve_ones(x, g, w);
    CHECK(record.dense_synops == expected.dense);
    CHECK(record.eff_unit == expected.unit);
    CHECK(record.eff_graded == expected.graded);
    CHECK(record.nb_acs + record.nb_macs == expected.unit + expected.graded);
    CHECK(record.exec_acs + record.exec_macs >= expected.unit + expected.graded);
    const auto bands = static_cast<std::uint64_t>((g.out_extent(static_cast<int>(shape[2]), g.kernel_h) + 15) / 16);
    CHECK(record.path_dense + record.path_scatter == static_cast<std::uint64_t>(shape[0] * shape[1]) * bands);
  }
}

TEST_CASE("without zero weights a convolution that scatters executes what it is asked for") {
  const auto g = geometry(2, 3, 3, 2, 1);
  const Tensor<float> x = sparse_tensor(Shape{3, 2, 37, 9, 2}, 1, 0.2, 0.3);
  const Tensor<float> w = ones(Shape{3, 2, 3, 3});
  LayerLedger record;

  count_conv2d(signal_of(x), g, conv2d_fan_out<float>(g, w.view(), Shape{37, 9, 2}), true, record);

  CHECK(record.path_dense == 0);
  CHECK(record.path_scatter == 3 * 2 * 2);
  CHECK(record.exec_acs == record.eff_unit);
  CHECK(record.exec_macs == record.eff_graded);
  CHECK(record.w_rd == 4 * (record.eff_unit + record.eff_graded));
  CHECK(record.add == 3 * 2 * 19 * 5 * 3);
}

TEST_CASE("a dense frame of a convolution costs every product, padding included") {
  const auto g = geometry(2, 3, 3, 1, 1);
  const Tensor<float> x = ones(Shape{1, 1, 4, 4, 2}), w = ones(Shape{3, 2, 3, 3});
  LayerLedger record;

  count_conv2d(signal_of(x), g, conv2d_fan_out<float>(g, w.view(), Shape{4, 4, 2}), false, record);

  CHECK(record.path_dense == 1);
  CHECK(record.exec_macs == 16 * 9 * 2 * 3);
  CHECK(record.exec_acs == 0);
  CHECK(record.eff_unit == 100 * 2 * 3);
  CHECK(record.w_rd == 4 * 9 * 2 * 3);
  CHECK(record.io_rd == 4 * 4 * 4 * 2);
  CHECK(record.addr_ops == 0);
}

TEST_CASE("a graded input moves its whole call to the MACs, and only that call") {
  // Two ticks of two samples; 3 inputs, 2 outputs.
  Tensor<float> x(Shape{2, 2, 3}), w = ones(Shape{2, 3});
  x[0] = 0.5F;   // tick 0, sample 0
  x[3] = 1.0F;   // tick 0, sample 1
  x[6] = -1.0F;  // tick 1, sample 0
  LayerLedger record;

  count_linear(signal_of(x), linear_fan_out<float>(w.view()), false, record);

  CHECK(record.eff_unit == 4);
  CHECK(record.eff_graded == 2);
  CHECK(record.nb_macs == 4);
  CHECK(record.nb_acs == 2);
  CHECK(record.exec_acs == 4);
  CHECK(record.exec_macs == 2);
}

TEST_CASE("a linear layer is counted on the way that it takes") {
  const Tensor<float> w = ones(Shape{4, 10});
  const auto count = [&](int events) {
    Tensor<float> x(Shape{1, 1, 10});
    for (int i = 0; i < events; ++i) x[i] = 1.0F;
    LayerLedger record;
    count_linear(signal_of(x), linear_fan_out<float>(w.view()), true, record);
    return record;
  };

  const LayerLedger few = count(2), many = count(3);

  CHECK(few.path_scatter == 1);
  CHECK(few.exec_acs == 8);
  CHECK(few.addr_ops == 2 * 2 + 8);
  CHECK(few.io_rd == 8);
  CHECK(many.path_dense == 1);
  CHECK(many.exec_acs == 0);
  CHECK(many.exec_macs == 40);
  CHECK(many.w_rd == 160);
  CHECK(many.io_rd == 40);
  CHECK(many.eff_unit == 12);
  CHECK(many.add == 4);
}

TEST_CASE("spikes and the same numbers as real values are asked for the same") {
  const Tensor<float> w = sparse_tensor(Shape{5, 40}, 3, 0.6, 0.5);
  Tensor<float> real(Shape{3, 2, 40});
  Tensor<std::uint8_t> spikes(real.shape());
  const RandomStream random(1, 2, 3);
  for (std::ptrdiff_t i = 0; i < real.size(); ++i) {
    spikes[i] = random.uniform(static_cast<std::uint64_t>(i)) < 0.2 ? 1 : 0;
    real[i] = spikes[i];
  }
  LayerLedger of_real, of_spikes;

  count_linear(signal_of(real), linear_fan_out<float>(w.view()), false, of_real);
  count_linear<float>({real.shape(), nullptr, spikes.data(), Device::cpu}, linear_fan_out<float>(w.view()), false,
                      of_spikes);

  CHECK(of_spikes.eff_unit > 0);
  CHECK(of_real == of_spikes);
}

TEST_CASE(
    "spikes and the same numbers as real values are asked for the same by a convolution, whatever its rows' length") {
  for (const std::ptrdiff_t width : {3, 11, 40}) {
    CAPTURE(width);
    const auto g = geometry(3, 4, 3, 1, 1);
    const Tensor<float> w = sparse_tensor(Shape{4, 3, 3, 3}, 5, width == 11 ? 0.6 : 1.0, 0.5);
    Tensor<float> real(Shape{2, 2, 9, width, 3});
    Tensor<std::uint8_t> spikes(real.shape());
    const RandomStream random(1, 7, 3);
    for (std::ptrdiff_t i = 0; i < real.size(); ++i) {
      spikes[i] = random.uniform(static_cast<std::uint64_t>(i)) < 0.2 ? 1 : 0;
      real[i] = spikes[i];
    }
    const FanOut fan_out = conv2d_fan_out<float>(g, w.view(), Shape{9, width, 3});
    LayerLedger of_real, of_spikes;

    count_conv2d(signal_of(real), g, fan_out, false, of_real);
    count_conv2d<float>({real.shape(), nullptr, spikes.data(), Device::cpu}, g, fan_out, false, of_spikes);

    CHECK(of_spikes.path_dense == 0);
    CHECK(of_spikes.eff_unit > 0);
    CHECK(of_real == of_spikes);
  }
}

TEST_CASE("a spike that would arrive after the last tick is executed, not asked for") {
  // One input, three outputs with delays 0, 1 and 4 and one zero weight; 4 ticks and 2 more.
  const synapses::DelayConfig config{.kernel_count = 1, .max_delay = 4, .extra_ticks = 2};
  Tensor<float> weight(Shape{4, 1, 1}), position(Shape{4, 1, 1});
  const Tensor<float> width = ones(Shape{4, 1, 1});
  const float positions[] = {2.0F, 1.0F, -2.0F, 0.0F};  // delay = 2 - position
  for (std::ptrdiff_t o = 0; o < 4; ++o) position[o] = positions[o];
  weight[0] = weight[1] = weight[2] = 1.0F;
  const synapses::DelayParameters<float> p{weight.view(), position.view(), width.view(), {}, true};
  Tensor<float> x(Shape{4, 1, 1});
  x[1] = 1.0F;  // all arrive: 1, 2, 5
  x[3] = 1.0F;  // 3, 4, and 7 is too late
  LayerLedger record;

  count_delayed_linear(signal_of(x), config, p, delay_fan_out(config, p), record);

  CHECK(record.dense_synops == 5 * 1 * 4 * 6);
  CHECK(record.eff_unit == 5);
  CHECK(record.path_dense + record.path_scatter == 6);
  CHECK(record.sizes.zero_weights == 1);
  CHECK((record.path_scatter == 6 ? record.exec_acs == 2 * 4 : record.exec_macs == 6 * 4));
}

TEST_CASE("learned delays are asked for every tap of their bumps") {
  // Against the taps themselves: an impulse at every input, one after the other, as far as it lies within the ticks.
  const synapses::DelayConfig config{.kernel_count = 2, .max_delay = 6, .extra_ticks = 3};
  const std::ptrdiff_t in = 3, out = 4, ticks = 5;
  const Tensor<float> weight = sparse_tensor(Shape{out, in, 2}, 7, 0.7, 0.5);
  const auto position = test::random_tensor<float>(Shape{out, in, 2}, 8, -3.0, 3.0);
  const auto width = test::random_tensor<float>(Shape{out, in, 2}, 9, 0.1, 0.6);
  Tensor<float> mask = ones(Shape{out, in});
  mask[4] = 0.0F;
  for (const bool rounded : {false, true}) {
    const synapses::DelayParameters<float> p{weight.view(), position.view(), width.view(), mask.view(), rounded};
    std::uint64_t expected = 0;
    LayerLedger record;
    for (std::ptrdiff_t i = 0; i < in; ++i) {
      Tensor<float> x(Shape{ticks, 1, in}), y(Shape{ticks + 3, 1, out});
      x[2 * in + i] = 1.0F;
      Tensor<std::byte> scratch(Shape{static_cast<std::ptrdiff_t>(
          synapses::delayed_linear_scratch_bytes<float>(config, synapses::delay_reach(config, p), x.shape(), out))});
      synapses::delayed_linear_forward<float>(signal_of(x), config, p, y.view(), scratch.span());
      for (const float value : y.span()) expected += value != 0.0F ? 1 : 0;
      count_delayed_linear(signal_of(x), config, p, delay_fan_out(config, p), record);
    }

    CHECK(expected > 0);
    CHECK(record.eff_unit == expected);
  }
}

TEST_CASE("spikes that come back arrive one tick later, so those of the last tick do not") {
  Tensor<float> w = ones(Shape{3, 3});
  w[1] = 0.0F;  // from neuron 1 to neuron 0
  Tensor<std::uint8_t> spikes(Shape{2, 1, 3});
  spikes[0] = spikes[1] = spikes[5] = 1;  // neurons 0 and 1 at tick 0, neuron 2 at tick 1
  LayerLedger with, without;

  count_feedback<float>({spikes.shape(), nullptr, spikes.data(), Device::cpu}, feedback_fan_out<float>(w.view(), true),
                        with);
  count_feedback<float>({spikes.shape(), nullptr, spikes.data(), Device::cpu}, feedback_fan_out<float>(w.view(), false),
                        without);

  CHECK(with.dense_synops == 18);
  CHECK(with.eff_unit == 3 + 2);
  CHECK(with.exec_acs == 9);
  CHECK(without.eff_unit == 2 + 1);
  CHECK(without.sizes.zero_weights == 4);
}
