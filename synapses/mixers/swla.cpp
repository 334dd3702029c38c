#include "synapses/mixers/swla.hpp"

#include "synapses/checks.hpp"
#include "synapses/mixers/swla_tasks.hpp"

namespace synfire::synapses {

namespace {

/// S and m of one head in a state that is carried.
template <class Scalar>
struct CarriedHead {
  CarriedHead(const SwlaState<Scalar>& state, const SwlaPass<Scalar>& pass, const SwlaTask& task) {
    const std::ptrdiff_t d = pass.grid.channels / pass.config.heads;
    const std::ptrdiff_t i = (task.b * pass.windows.in_space() + task.in_space) * pass.config.heads + task.head;
    s = state.s.data + i * d * d;
    m = state.m.data + i * d;
    n = state.n.data + i;
  }
  Scalar *s, *m, *n;
};

/// \param state  carried into the first and out of the last window in time, or null
template <class Scalar>
void run_forward(const SwlaPass<Scalar>& pass, View<Scalar> o, View<Scalar> den, SwlaState<Scalar>* state,
                 std::span<std::byte> scratch) {
  pass.each_task(scratch.data(), pass.chunk_bytes(), state != nullptr,
                 [&](const SwlaTask& task, HeadSums<Scalar>& sums) {
                   const TokenBox box = pass.windows.box(task.in_time, task.in_space);
                   sums.begin(task.b, task.head, false);
                   sums.begin(task.b, task.head, pass.is_sparse(sums, box));
                   Scalar n(0);
                   if (state != nullptr && task.in_time == 0 && pass.windows.t.begins_inside(state->tick)) {
                     const CarriedHead<Scalar> carried(*state, pass, task);
                     sums.load_state(carried.s, carried.m);
                     n = *carried.n;
                   }
                   const Scalar gamma = pass.gamma(task.head);
                   for (std::ptrdiff_t k = 0; k < pass.num_sums(box); ++k) {
                     const TokenBox tokens = pass.sum_box(box, k);
                     if (gamma != Scalar(1)) sums.scale(gamma);
                     n = gamma * n + static_cast<Scalar>(tokens.count());
                     sums.begin_sum();
                     sums.each_tile(tokens, [&] {
                       sums.load_values(pass.in.v, [](std::ptrdiff_t) { return Scalar(1); });
                       sums.add(pass.in.k, [](std::ptrdiff_t) { return Scalar(1); });
                     });
                     sums.end_sum();
                     sums.begin_read();
                     sums.each_tile(tokens, [&] {
                       sums.read(pass.in.q);
                       for (std::ptrdiff_t i = 0; i < sums.count(); ++i) {
                         const Scalar divisor = pass.denominator(sums.dot(i), n), factor = Scalar(1) / divisor;
                         den[sums.head_index(i)] = divisor;
                         Scalar* const to = o.data + sums.channel_index(i);
                         for (std::ptrdiff_t r = 0; r < sums.channels(); ++r) to[r] = sums.out(i)[r] * factor;
                       }
                     });
                   }
                   if (state != nullptr && task.in_time == pass.windows.t.count() - 1) {
                     const CarriedHead<Scalar> carried(*state, pass, task);
                     sums.store_state(carried.s, carried.m);
                     *carried.n = n;
                   }
                 });
}

template <class Scalar>
void check_forward(const char* operation, const MixerInput<Scalar>& in, const MixerConfig& config,
                   const View<Scalar>& o, const View<Scalar>& den, std::span<std::byte> scratch) {
  check_mixer_input(operation, in, config);
  require_shape(operation, "o", o.shape, in.q.shape);
  require_shape(operation, "den", den.shape, mixer_head_shape(config, in.q.shape));
  require_scratch(operation, scratch, swla_scratch_bytes<Scalar>(config, in.q.shape, false));
}

}  // namespace

template <class Scalar>
void swla_forward(const MixerInput<Scalar>& in, const MixerConfig& config, const RopeTable<Scalar>& rope,
                  View<Scalar> o, View<Scalar> den, std::span<std::byte> scratch) {
  check_forward("swla_forward", in, config, o, den, scratch);
  run_forward<Scalar>({in, config, rope}, o, den, nullptr, scratch);
}

std::ptrdiff_t windows_in_space(const MixerConfig& config, const Shape& shape) {
  return Windows(TokenGrid(shape), config).in_space();
}

template <class Scalar>
void swla_stream_forward(const MixerInput<Scalar>& in, const MixerConfig& config, const RopeTable<Scalar>& rope,
                         View<Scalar> o, View<Scalar> den, SwlaState<Scalar>& state, std::span<std::byte> scratch) {
  constexpr const char* kName = "swla_stream_forward";
  check_forward(kName, in, config, o, den, scratch);
  if (!config.causal) throw ShapeError("[swla_stream_forward] only a causal attention can go on with a stream");
  const Shape& shape = in.q.shape;
  const std::ptrdiff_t windows = windows_in_space(config, shape), d = shape.channels() / config.heads;
  require_shape(kName, "s", state.s.shape, Shape{shape[1], windows, config.heads, d, d});
  require_shape(kName, "m", state.m.shape, Shape{shape[1], windows, config.heads, d});
  require_shape(kName, "n", state.n.shape, Shape{shape[1], windows, config.heads});
  run_forward<Scalar>({in, config, rope, state.tick}, o, den, &state, scratch);
  state.tick += shape[0];
}

template <class Scalar>
std::size_t swla_scratch_bytes(const MixerConfig& config, const Shape& shape, bool backward) {
  const TokenGrid grid(shape);
  std::size_t bytes = kSwlaChunks * (HeadSums<Scalar>::bytes(grid, config) + kCacheLine);
  if (backward) bytes += scratch_bytes<Scalar>(grid.tokens() * config.heads) + kCacheLine;
  return bytes;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                 \
  template void swla_forward(const MixerInput<Scalar>&, const MixerConfig&, const RopeTable<Scalar>&, View<Scalar>, \
                             View<Scalar>, std::span<std::byte>);                                                   \
  template void swla_stream_forward(const MixerInput<Scalar>&, const MixerConfig&, const RopeTable<Scalar>&,        \
                                    View<Scalar>, View<Scalar>, SwlaState<Scalar>&, std::span<std::byte>);          \
  template std::size_t swla_scratch_bytes<Scalar>(const MixerConfig&, const Shape&, bool);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
