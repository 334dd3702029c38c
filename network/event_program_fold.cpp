// Linear nodes, folded into weights and a drive.
#include <algorithm>
#include <cmath>

#include "network/event_expression.hpp"

namespace synfire::network {

namespace {

constexpr double kSumOffset = 1e-7;  // of a rounded delay's weight: synapses/delayed_linear.hpp

}  // namespace

std::ptrdiff_t PoolPlace::operator()(std::ptrdiff_t n) const {
  const std::ptrdiff_t width = in[1], channels = in[2], stride = geometry.stride;
  const std::ptrdiff_t y = n / channels / width, x = n / channels % width;
  const std::ptrdiff_t row = y / stride - rows_back, column = x / stride - columns_back;
  const bool exists = row >= 0 && row < out[0] && column >= 0 && column < out[1];
  const bool inside = exists && y - row * stride < geometry.kernel && x - column * stride < geometry.kernel;
  return inside ? (row * out[1] + column) * channels + n % channels : -1;
}

DenseWeights<double> dense_weights(const Tensor<float>& weight) {
  DenseWeights<double> w{weight.shape()[1], weight.shape()[0], {}};
  w.values.resize(static_cast<std::size_t>(w.in * w.out));
  for (std::ptrdiff_t i = 0; i < w.in; ++i) {
    for (std::ptrdiff_t o = 0; o < w.out; ++o) {
      w.values[static_cast<std::size_t>(i * w.out + o)] = static_cast<double>(weight[o * w.in + i]);
    }
  }
  return w;
}

ConvWeights<double> conv_weights(const Conv2dSpec& spec, const Tensor<float>& weight, const Shape& in,
                                 const Shape& out) {
  ConvWeights<double> w{in[0], in[1], in[2], out[0], out[1], out[2], spec.kernel, spec.stride, spec.padding, {}};
  const std::ptrdiff_t taps = w.in_channels * w.kernel * w.kernel;
  w.values.resize(static_cast<std::size_t>(taps * w.out));
  for (std::ptrdiff_t o = 0; o < w.out; ++o) {
    for (std::ptrdiff_t k = 0; k < taps; ++k) {
      const std::ptrdiff_t kx = k % w.kernel, mirrored = k - kx + w.kernel - 1 - kx;
      w.values[static_cast<std::size_t>(mirrored * w.out + o)] = static_cast<double>(weight[o * taps + k]);
    }
  }
  return w;
}

DelayedWeights<double> delayed_weights(const synapses::DelayConfig& delay, const Tensor<float>& weight,
                                       const Tensor<float>& position,
                                       const std::function<bool(std::ptrdiff_t out, std::ptrdiff_t in)>& is_there) {
  const std::ptrdiff_t out = weight.shape()[0], in = weight.shape()[1], kernels = weight.shape()[2];
  struct Synapse {
    std::int32_t delay, target;
    double value;
  };
  DelayedWeights<double> w{in, out, {0}, {}, {}, {}};
  for (std::ptrdiff_t i = 0; i < in; ++i) {
    std::vector<Synapse> synapses;
    for (std::ptrdiff_t o = 0; o < out; ++o) {
      if (!is_there(o, i)) continue;
      for (std::ptrdiff_t m = 0; m < kernels; ++m) {
        const std::ptrdiff_t row = delay.per == synapses::DelayPer::input ? 0 : o;
        const std::ptrdiff_t column = delay.per == synapses::DelayPer::output ? 0 : i;
        const float at = position[(row * position.shape()[1] + column) * kernels + m];
        const double value = static_cast<double>(weight[(o * in + i) * kernels + m]) / (1.0 + kSumOffset);
        synapses.push_back({static_cast<std::int32_t>(delay.middle() - std::lrint(std::nearbyint(at))),
                            static_cast<std::int32_t>(o), value});
      }
    }
    std::stable_sort(synapses.begin(), synapses.end(),
                     [](const Synapse& a, const Synapse& b) { return a.delay < b.delay; });
    for (const Synapse& synapse : synapses) {
      const auto at = static_cast<std::int32_t>(w.target.size());
      const bool begun = static_cast<std::int32_t>(w.segments.size()) > w.first_segment.back();
      if (!begun || w.segments.back().delay != synapse.delay) w.segments.push_back({synapse.delay, at, at});
      w.target.push_back(synapse.target);
      w.values.push_back(synapse.value);
      w.segments.back().last = at + 1;
    }
    w.first_segment.push_back(static_cast<std::int32_t>(w.segments.size()));
  }
  return w;
}

EventExpression to_current(const EventExpression& from) {
  return from.is_current ? from : weighted(from, DirectWeights<double>{1.0});
}

EventExpression weighted(const EventExpression& signals, const EventWeights<double>& weights) {
  EventExpression result;
  result.is_current = true;
  for (const EventSignal& signal : signals.signals) result.currents.push_back({signal, weights});
  return result;
}

void add_bias(const Tensor<float>& bias, const Shape& shape, EventExpression& current) {
  current.drive.resize(static_cast<std::size_t>(shape.size()));
  for (std::size_t k = 0; k < current.drive.size(); ++k) {
    current.drive[k] += static_cast<double>(bias[static_cast<std::ptrdiff_t>(k) % bias.size()]);
  }
}

bool scale_channels(const std::vector<double>& scale, const std::vector<double>& shift, const Shape& shape,
                    EventExpression& current) {
  current.drive.resize(static_cast<std::size_t>(shape.size()));
  for (std::size_t k = 0; k < current.drive.size(); ++k) {
    const std::size_t c = k % scale.size();
    current.drive[k] = current.drive[k] * scale[c] + shift[c];
  }
  bool all_have_weights = true;
  for (EventCurrent& part : current.currents) {
    std::visit(
        [&](auto& weights) {
          if constexpr (std::is_same_v<std::decay_t<decltype(weights)>, DirectWeights<double>>) {
            all_have_weights = false;
          } else {
            each_weight(weights,
                        [&](double& value, std::ptrdiff_t out) { value *= scale[static_cast<std::size_t>(out)]; });
          }
        },
        part.weights);
  }
  return all_have_weights;
}

void add_expression(const EventExpression& other, EventExpression& sum) {
  sum.signals.insert(sum.signals.end(), other.signals.begin(), other.signals.end());
  sum.currents.insert(sum.currents.end(), other.currents.begin(), other.currents.end());
  if (other.drive.empty()) return;
  sum.drive.resize(other.drive.size());
  for (std::size_t n = 0; n < other.drive.size(); ++n) sum.drive[n] += other.drive[n];
}

}  // namespace synfire::network
