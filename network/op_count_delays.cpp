// How synapses with delays are counted.
#include <algorithm>

#include "core/parallel.hpp"
#include "network/event_scan.hpp"
#include "network/op_count.hpp"
#include "synapses/delay_taps.hpp"

namespace synfire::network {

namespace {

using synapses::DelayConfig;
using synapses::DelayParameters;

std::uint64_t u64(std::ptrdiff_t count) { return static_cast<std::uint64_t>(count); }

template <class Scalar>
void set_weights(const DelayParameters<Scalar>& p, DelayFanOut& fan_out) {
  const std::ptrdiff_t kernels = p.weight.shape[2];
  fan_out.weights = u64(p.weight.size());
  for (std::ptrdiff_t k = 0; k < p.weight.size(); ++k) {
    const bool pruned = !p.mask.empty() && p.mask[k / kernels] == Scalar(0);
    fan_out.zero_weights += pruned || p.weight[k] == Scalar(0) ? 1U : 0U;
  }
  fan_out.weight_bytes = fan_out.weights * sizeof(Scalar);
}

void set_weights(const DelayFanOut& fan_out, std::uint64_t once_macs, LayerLedger& record) {
  record.sizes.weights = fan_out.weights;
  record.sizes.zero_weights = fan_out.zero_weights;
  record.sizes.weight_bytes = fan_out.weight_bytes;
  record.sizes.once_macs = once_macs;
}

/// Every event adds all its taps.
template <class Scalar>
void count_scatter(const Signal<Scalar>& x, const DelayFanOut& fan_out, LayerLedger& record) {
  LayerLedger all;  // eff_* of it: taps, whether they arrive or not
  const EventCount events = count_calls(
      x, [&](std::ptrdiff_t) { return fan_out.taps.data(); }, all);
  record.exec_acs += all.eff_unit;
  record.exec_macs += all.eff_graded;
  record.w_rd += (all.eff_unit + all.eff_graded) * sizeof(Scalar);
  record.addr_ops += 2 * (events.unit + events.graded) + all.eff_unit + all.eff_graded;
  record.io_rd += (events.unit + events.graded) * kEventBytes;
}

}  // namespace

template <class Scalar>
DelayFanOut delay_fan_out(const DelayConfig& config, const DelayParameters<Scalar>& p) {
  const std::ptrdiff_t out = p.weight.shape[0], in = p.weight.shape[1], kernels = p.weight.shape[2];
  DelayFanOut result;
  result.inputs = in;
  result.delays = config.max_delay + 1;
  result.effective.resize(static_cast<std::size_t>(in * (result.delays + 1)));
  result.taps.resize(static_cast<std::size_t>(in));
  set_weights(p, result);
  std::vector<std::uint64_t> synapses(static_cast<std::size_t>(in));
  parallel_for(in, 8, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    synapses::ShapeCache shapes(config, p.rounded);
    std::vector<double> kernel(static_cast<std::size_t>(result.delays));
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      const auto upto = [&](std::ptrdiff_t d) -> std::uint32_t& {
        return result.effective[static_cast<std::size_t>(d * in + i)];
      };
      std::uint32_t taps = 0;
      std::uint64_t there = 0;
      for (std::ptrdiff_t o = 0; o < out; ++o) {
        if (!p.mask.empty() && p.mask[o * in + i] == Scalar(0)) continue;
        std::fill(kernel.begin(), kernel.end(), 0.0);
        for (std::ptrdiff_t m = 0; m < kernels; ++m) {
          const std::ptrdiff_t shared = synapses::shared_index(config, o, i, m, in);
          const synapses::Bump bump(shapes.of(static_cast<double>(p.width[shared])),
                                    synapses::centre_of(config, static_cast<double>(p.position[shared]), p.rounded));
          const auto w = static_cast<double>(p.weight[(o * in + i) * kernels + m]);
          ++there;
          bump.each([&](int d, double share) {
            ++taps;
            kernel[static_cast<std::size_t>(d)] += w * share;
          });
        }
        for (std::ptrdiff_t d = 0; d < result.delays; ++d) {
          upto(d + 1) += kernel[static_cast<std::size_t>(d)] != 0.0 ? 1U : 0U;
        }
      }
      for (std::ptrdiff_t d = 0; d < result.delays; ++d) upto(d + 1) += upto(d);
      result.taps[static_cast<std::size_t>(i)] = taps;
      synapses[static_cast<std::size_t>(i)] = there;
    }
  });
  for (const std::uint64_t of_input : synapses) result.synapses += of_input;
  return result;
}

template <class Scalar>
void count_delayed_linear(const Signal<Scalar>& x, const DelayConfig& config, const DelayParameters<Scalar>& p,
                          const DelayFanOut& fan_out, LayerLedger& record) {
  const std::ptrdiff_t out = p.weight.shape[0], in = p.weight.shape[1];
  const std::ptrdiff_t out_ticks = x.shape[0] + config.extra_ticks;
  const std::uint64_t frames = u64(out_ticks * x.shape[1]);
  set_weights(fan_out, fan_out.weights, record);
  record.dense_synops += frames * u64(fan_out.delays * in * out);
  const EventCount events = count_calls(
      x, [&](std::ptrdiff_t t) { return fan_out.arriving(out_ticks - t); }, record);

  const synapses::DelayedLinearPath path =
      synapses::delayed_linear_path(x.shape, static_cast<std::ptrdiff_t>(events.unit + events.graded), config, p, out);
  if (path.by_events) {
    count_scatter(x, fan_out, record);
    record.path_scatter += frames;
    return;
  }
  const std::uint64_t numbers = fan_out.synapses * u64(path.rank > 0 ? path.rank : path.reach);
  const std::uint64_t products = numbers + u64(in * path.rank * fan_out.delays);
  record.exec_macs += frames * products;
  record.w_rd += frames * products * sizeof(Scalar);
  record.io_rd += u64(x.shape.size()) * (x.is_spikes() ? 1U : sizeof(Scalar));
  record.path_dense += frames;
}

template <class Scalar>
void count_delayed_feedback(const Signal<Scalar>& spikes, const DelayFanOut& fan_out, LayerLedger& record) {
  const std::ptrdiff_t ticks = spikes.shape[0];
  set_weights(fan_out, 0, record);
  record.dense_synops += u64(ticks * spikes.shape[1]) * u64(fan_out.delays * fan_out.inputs * spikes.shape.channels());
  count_calls(
      spikes, [&](std::ptrdiff_t t) { return fan_out.arriving(ticks - 1 - t); }, record);
  count_scatter(spikes, fan_out, record);
  record.path_scatter += u64(ticks * spikes.shape[1]);
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                             \
  template DelayFanOut delay_fan_out(const DelayConfig&, const DelayParameters<Scalar>&);                       \
  template void count_delayed_linear(const Signal<Scalar>&, const DelayConfig&, const DelayParameters<Scalar>&, \
                                     const DelayFanOut&, LayerLedger&);                                         \
  template void count_delayed_feedback(const Signal<Scalar>&, const DelayFanOut&, LayerLedger&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::network
