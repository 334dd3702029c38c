#include "synapses/checks.hpp"
#include "synapses/mixers/swla_tasks.hpp"

namespace synfire::synapses {

namespace {

template <class Scalar>
class Backward {
 public:
  Backward(const SwlaPass<Scalar>& pass, View<const Scalar> den, View<const Scalar> grad_o,
           const MixerGradients<Scalar>& grads, Scalar* z)
      : pass_(pass), den_(den), grad_o_{grad_o.shape, grad_o.data, nullptr, grad_o.device}, grads_(grads), z_(z) {}

  void run(const SwlaTask& task, HeadSums<Scalar>& sums) const {
    const TokenBox box = pass_.windows.box(task.in_time, task.in_space);
    sums.begin(task.b, task.head, false);
    const bool sparse = pass_.is_sparse(sums, box);
    const Scalar gamma = pass_.gamma(task.head);
    const std::ptrdiff_t num_sums = pass_.num_sums(box);

    sums.begin(task.b, task.head, sparse);
    for (std::ptrdiff_t k = 0; k < num_sums; ++k) {
      if (gamma != Scalar(1)) sums.scale(gamma);
      to_queries(sums, pass_.sum_box(box, k));
    }
    sums.begin(task.b, task.head, sparse);
    for (std::ptrdiff_t k = num_sums - 1; k >= 0; --k) {
      if (gamma != Scalar(1)) sums.scale(gamma);
      to_keys_and_values(sums, pass_.sum_box(box, k));
    }
  }

 private:
  /// D of the tile.
  void load_scaled_gradients(HeadSums<Scalar>& sums) const {
    sums.load_values(grad_o_, [&](std::ptrdiff_t i) { return Scalar(1) / den_[sums.head_index(i)]; });
  }

  /// The sums hold S and m. Leaves dL/dq, and z for the way back through keys and values.
  void to_queries(HeadSums<Scalar>& sums, const TokenBox& tokens) const {
    sums.begin_sum();
    sums.each_tile(tokens, [&] {
      sums.load_values(pass_.in.v, [](std::ptrdiff_t) { return Scalar(1); });
      sums.add(pass_.in.k, [](std::ptrdiff_t) { return Scalar(1); });
    });
    sums.end_sum();
    sums.begin_read_back();
    sums.each_tile(tokens, [&] {
      load_scaled_gradients(sums);
      sums.read_back();
      sums.load_features(pass_.in.q);
      for (std::ptrdiff_t i = 0; i < sums.count(); ++i) {
        Scalar dot(0);
        for (std::ptrdiff_t r = 0; r < sums.channels(); ++r) dot += sums.features(i)[r] * sums.out(i)[r];
        const std::ptrdiff_t head = sums.head_index(i);
        z_[head] = pass_.divides_by_sum() ? -dot / den_[head] : Scalar(0);
      }
      sums.turn_out_back();
      write(sums, grads_.q, [&](std::ptrdiff_t i, std::ptrdiff_t r) {
        return (sums.out(i)[r] + z_[sums.head_index(i)] * sums.m()[r]) * sums.slope(pass_.in.q, i, r);
      });
    });
  }

  /// The sums hold dS and dm.
  void to_keys_and_values(HeadSums<Scalar>& sums, const TokenBox& tokens) const {
    sums.begin_sum();
    sums.each_tile(tokens, [&] {
      load_scaled_gradients(sums);
      sums.add(pass_.in.q, [&](std::ptrdiff_t i) { return z_[sums.head_index(i)]; });
    });
    sums.end_sum();
    sums.begin_read();
    sums.begin_read_back();
    sums.each_tile(tokens, [&] {
      sums.load_values(pass_.in.v, [](std::ptrdiff_t) { return Scalar(1); });
      sums.read_back();
      sums.turn_out_back();
      write(sums, grads_.k, [&](std::ptrdiff_t i, std::ptrdiff_t r) {
        return (sums.out(i)[r] + sums.m()[r]) * sums.slope(pass_.in.k, i, r);
      });
      sums.read(pass_.in.k);
      write(sums, grads_.v, [&](std::ptrdiff_t i, std::ptrdiff_t r) { return sums.out(i)[r]; });
    });
  }

  template <class Value>
  static void write(const HeadSums<Scalar>& sums, const View<Scalar>& grad, const Value& value) {
    if (grad.empty()) return;
    for (std::ptrdiff_t i = 0; i < sums.count(); ++i) {
      Scalar* const to = grad.data + sums.channel_index(i);
      for (std::ptrdiff_t r = 0; r < sums.channels(); ++r) to[r] = value(i, r);
    }
  }

  const SwlaPass<Scalar>& pass_;
  View<const Scalar> den_;
  Signal<Scalar> grad_o_;
  const MixerGradients<Scalar>& grads_;
  Scalar* z_;  // [tokens, heads]
};

}  // namespace

template <class Scalar>
void swla_backward(const MixerInput<Scalar>& in, const MixerConfig& config, const RopeTable<Scalar>& rope,
                   View<const Scalar> den, View<const Scalar> grad_o, const MixerGradients<Scalar>& grads,
                   std::span<std::byte> scratch) {
  constexpr const char* kName = "swla_backward";
  check_mixer_input(kName, in, config);
  require_shape(kName, "den", den.shape, mixer_head_shape(config, in.q.shape));
  require_shape(kName, "grad_o", grad_o.shape, in.q.shape);
  for (const View<Scalar>* grad : {&grads.q, &grads.k, &grads.v}) {
    if (!grad->empty()) require_shape(kName, "a gradient", grad->shape, in.q.shape);
  }
  require_scratch(kName, scratch, swla_scratch_bytes<Scalar>(config, in.q.shape, true));

  const SwlaPass<Scalar> pass(in, config, rope);
  ScratchCursor cursor(scratch);
  auto* const z = cursor.take<Scalar>(pass.grid.tokens() * config.heads);
  auto* const rest = cursor.take<std::byte>(0);
  const Backward<Scalar> backward(pass, den, grad_o, grads, z);
  pass.each_task(rest, pass.chunk_bytes(), false,
                 [&](const SwlaTask& task, HeadSums<Scalar>& sums) { backward.run(task, sums); });
}

template void swla_backward(const MixerInput<float>&, const MixerConfig&, const RopeTable<float>&, View<const float>,
                            View<const float>, const MixerGradients<float>&, std::span<std::byte>);
template void swla_backward(const MixerInput<double>&, const MixerConfig&, const RopeTable<double>&, View<const double>,
                            View<const double>, const MixerGradients<double>&, std::span<std::byte>);

}  // namespace synfire::synapses
