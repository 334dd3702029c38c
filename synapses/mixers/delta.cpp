#include "synapses/mixers/delta.hpp"

#include "synapses/checks.hpp"
#include "synapses/mixers/mixer_tasks.hpp"

namespace synfire::synapses {

namespace {

/// One worker's chunk of tokens and the state of its head.
template <class Scalar>
class DeltaHead {
 public:
  DeltaHead(const MixerInput<Scalar>& in, const MixerConfig& config, const TokenGrid& grid, std::ptrdiff_t chunk,
            bool backward)
      : in_(in),
        config_(config),
        grid_(grid),
        chunk_(chunk),
        d_(grid.channels / config.heads),
        num_states_(backward ? (longest_window(grid, config) + chunk - 1) / chunk : 0),
        c_(static_cast<Scalar>(config.scale_of(static_cast<double>(d_)))) {}

  std::size_t bytes() const {
    return 9 * rows_bytes<Scalar>(chunk_, d_) + 3 * rows_bytes<Scalar>(d_, d_) +
           rows_bytes<Scalar>(d_, std::max(d_, chunk_)) + 3 * rows_bytes<Scalar>(chunk_, chunk_) +
           rows_bytes<Scalar>(num_states_ * d_, d_) + scratch_bytes<Token>(chunk_) + scratch_bytes<Scalar>(chunk_) +
           kCacheLine;
  }
  void take(ScratchCursor& cursor) {
    for (PackedRows<Scalar>* rows : {&q_, &k_, &v_, &missed_, &written_, &grad_, &grad_written_, &grad_k_, &out_}) {
      *rows = take_rows<Scalar>(cursor, chunk_, d_);
    }
    for (PackedRows<Scalar>* rows : {&s_, &grad_s_, &turned_}) *rows = take_rows<Scalar>(cursor, d_, d_);
    columns_ = take_rows<Scalar>(cursor, d_, std::max(d_, chunk_));
    for (PackedRows<Scalar>* rows : {&keys_, &scores_, &slopes_}) *rows = take_rows<Scalar>(cursor, chunk_, chunk_);
    states_ = take_rows<Scalar>(cursor, num_states_ * d_, d_);
    tokens_ = cursor.take<Token>(chunk_);
    beta_ = cursor.take<Scalar>(chunk_);
  }

  void forward(const HeadTask& task, const View<Scalar>& o) {
    TokenRows rows{grid_, task, tokens_, config_.heads};
    clear(s_, d_);
    for (std::ptrdiff_t first = 0; first < task.box.count(); first += chunk_) {
      load(rows, first, task.box.count());
      find_written();
      pairs(q_, k_, scores_, true);
      clear(out_, count_);
      add_product(count_, d_, as_is(q_), s_, out_);
      add_product(count_, count_, as_is(scores_), written_, out_);
      for (std::ptrdiff_t i = 0; i < count_; ++i) {
        rows.write(o, i, [&](std::ptrdiff_t r) { return c_ * out_.row(i)[r]; });
      }
      add_product(d_, count_, transposed(k_), written_, s_);
    }
  }

  void backward(const HeadTask& task, const View<const Scalar>& grad_o, const MixerGradients<Scalar>& grads) {
    TokenRows rows{grid_, task, tokens_, config_.heads};
    const std::ptrdiff_t length = task.box.count(), state = d_ * s_.width;
    clear(s_, d_);
    for (std::ptrdiff_t first = 0; first < length; first += chunk_) {
      std::copy(s_.data, s_.data + state, states_.data + first / chunk_ * state);
      load(rows, first, length);
      find_written();
      add_product(d_, count_, transposed(k_), written_, s_);
    }
    clear(grad_s_, d_);
    for (std::ptrdiff_t first = (length - 1) / chunk_ * chunk_; first >= 0; first -= chunk_) {
      const Scalar* const from = states_.data + first / chunk_ * state;
      std::copy(from, from + state, s_.data);
      load(rows, first, length);
      find_written();
      rows.load(real_signal(grad_o), grad_, [&](Scalar g) { return c_ * g; });
      back_chunk(rows, grads);
    }
  }

 private:
  void load(TokenRows& rows, std::ptrdiff_t first, std::ptrdiff_t length) {
    rows.list(first, std::min(chunk_, length - first));
    count_ = rows.count;
    keys_.width = scores_.width = slopes_.width = padded<Scalar>(count_);
    rows.load(in_.q, q_);
    rows.load(in_.k, k_);
    rows.load(in_.v, v_);
    for (std::ptrdiff_t i = 0; i < count_; ++i) beta_[i] = in_.gate[rows.head(i)];
  }
  /// to[i, j] = a_i . b_j for j <= i (or j < i), else 0.
  void pairs(const PackedRows<Scalar>& a, const PackedRows<Scalar>& b, const PackedRows<Scalar>& to, bool diagonal) {
    const PackedRows<Scalar> columns{columns_.data, padded<Scalar>(count_)};
    transpose_tile(b, count_, d_, columns);
    clear(to, count_);
    add_product(count_, d_, as_is(a), columns, to);
    for (std::ptrdiff_t i = 0; i < count_; ++i)
      std::fill(to.row(i) + i + (diagonal ? 1 : 0), to.row(i) + to.width, Scalar(0));
  }
  /// missed = V - K S; written = U; keys[i, j] = k_i . k_j below the diagonal.
  void find_written() {
    clear(missed_, count_);
    add_product(count_, d_, as_is(k_), s_, missed_);
    pairs(k_, k_, keys_, false);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      Scalar* const row = written_.row(i);
      for (std::ptrdiff_t r = 0; r < missed_.width; ++r) {
        missed_.row(i)[r] = v_.row(i)[r] - missed_.row(i)[r];
        row[r] = beta_[i] * missed_.row(i)[r];
      }
      for (std::ptrdiff_t j = 0; j < i; ++j) add_row(-beta_[i] * keys_.row(i)[j], written_.row(j), written_.width, row);
    }
  }
  /// to += sign * rows S^T
  void add_turned(const PackedRows<Scalar>& rows, const PackedRows<Scalar>& s, const PackedRows<Scalar>& to) {
    transpose_tile(s, d_, d_, turned_);
    add_product(count_, d_, as_is(rows), turned_, to);
  }

  /// s_ holds S at the chunk's entry, grad_s_ dS at its end; afterwards that at its entry.
  void back_chunk(const TokenRows& rows, const MixerGradients<Scalar>& grads) {
    pairs(grad_, written_, slopes_, true);
    clear(out_, count_);
    add_turned(grad_, s_, out_);
    add_product(count_, count_, as_is(slopes_), k_, out_);
    write(rows, grads.q, out_);

    pairs(q_, k_, scores_, true);
    clear(grad_written_, count_);
    add_product(count_, count_, transposed(scores_), grad_, grad_written_);
    add_product(count_, d_, as_is(k_), grad_s_, grad_written_);
    clear(grad_k_, count_);
    add_product(count_, count_, transposed(slopes_), q_, grad_k_);
    add_turned(written_, grad_s_, grad_k_);
    add_product(d_, count_, transposed(q_), grad_, grad_s_);

    // (I + L)^T dR = dU, from the last row; dR in place of dU.
    for (std::ptrdiff_t i = count_ - 1; i >= 0; --i) {
      for (std::ptrdiff_t j = i + 1; j < count_; ++j) {
        add_row(-beta_[j] * keys_.row(j)[i], grad_written_.row(j), grad_written_.width, grad_written_.row(i));
      }
    }
    // dL = -dR U^T below the diagonal, in slopes_.
    pairs(grad_written_, written_, slopes_, false);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      Scalar of_beta(0);
      for (std::ptrdiff_t r = 0; r < d_; ++r) of_beta += grad_written_.row(i)[r] * missed_.row(i)[r];
      for (std::ptrdiff_t j = 0; j < i; ++j) {
        const Scalar grad = -slopes_.row(i)[j];
        of_beta += grad * keys_.row(i)[j];
        add_row(grad * beta_[i], k_.row(j), k_.width, grad_k_.row(i));
        add_row(grad * beta_[i], k_.row(i), k_.width, grad_k_.row(j));
      }
      if (grads.gate.data != nullptr) grads.gate[rows.head(i)] = of_beta;
      for (std::ptrdiff_t r = 0; r < grad_written_.width; ++r) grad_written_.row(i)[r] *= beta_[i];
    }
    write(rows, grads.v, grad_written_);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      for (std::ptrdiff_t r = 0; r < grad_written_.width; ++r) grad_written_.row(i)[r] *= Scalar(-1);
    }
    add_turned(grad_written_, s_, grad_k_);
    add_product(d_, count_, transposed(k_), grad_written_, grad_s_);
    write(rows, grads.k, grad_k_);
  }
  void write(const TokenRows& rows, const View<Scalar>& grad, const PackedRows<Scalar>& from) const {
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      rows.write(grad, i, [&](std::ptrdiff_t r) { return from.row(i)[r]; });
    }
  }

  const MixerInput<Scalar>& in_;
  const MixerConfig& config_;
  const TokenGrid& grid_;
  std::ptrdiff_t chunk_, d_, num_states_, count_ = 0;
  Scalar c_;
  PackedRows<Scalar> q_{}, k_{}, v_{}, missed_{}, written_{};  // [chunk, d]
  PackedRows<Scalar> grad_{}, grad_written_{}, grad_k_{}, out_{};
  PackedRows<Scalar> s_{}, grad_s_{}, turned_{}, columns_{};  // [d, d]; columns also [d, chunk]
  PackedRows<Scalar> keys_{}, scores_{}, slopes_{};           // [chunk, chunk]
  PackedRows<Scalar> states_{};                               // [chunks, d, d]: S at the beginning of each
  Token* tokens_ = nullptr;
  Scalar* beta_ = nullptr;  // [chunk]
};

template <class Scalar>
void check_delta(const char* operation, const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk,
                 const Shape& o, bool backward, std::span<std::byte> scratch) {
  check_mixer_input(operation, in, config);
  require_shape(operation, "o", o, in.q.shape);
  if (chunk < 1) throw ShapeError(fmt::format("[{}] chunk must be positive, got {}", operation, chunk));
  require_scratch(operation, scratch, delta_scratch_bytes<Scalar>(config, in.q.shape, chunk, backward));
}

}  // namespace

template <class Scalar>
void delta_forward(const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk, View<Scalar> o,
                   std::span<std::byte> scratch) {
  check_delta("delta_forward", in, config, chunk, o.shape, false, scratch);
  const TokenGrid grid(in.q.shape);
  const DeltaHead<Scalar> made(in, config, grid, chunk, false);
  each_head(grid, config, scratch.data(), made.bytes(), [&](const HeadTask& task, ScratchCursor& cursor) {
    DeltaHead<Scalar> head = made;
    head.take(cursor);
    head.forward(task, o);
  });
}

template <class Scalar>
void delta_backward(const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk,
                    View<const Scalar> grad_o, const MixerGradients<Scalar>& grads, std::span<std::byte> scratch) {
  check_delta("delta_backward", in, config, chunk, grad_o.shape, true, scratch);
  const TokenGrid grid(in.q.shape);
  const DeltaHead<Scalar> made(in, config, grid, chunk, true);
  each_head(grid, config, scratch.data(), made.bytes(), [&](const HeadTask& task, ScratchCursor& cursor) {
    DeltaHead<Scalar> head = made;
    head.take(cursor);
    head.backward(task, grad_o, grads);
  });
}

template <class Scalar>
std::size_t delta_scratch_bytes(const MixerConfig& config, const Shape& shape, std::ptrdiff_t chunk, bool backward) {
  const TokenGrid grid(shape);
  return worker_count(grid, config) * DeltaHead<Scalar>({}, config, grid, chunk, backward).bytes() + kCacheLine;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                               \
  template void delta_forward(const MixerInput<Scalar>&, const MixerConfig&, std::ptrdiff_t, View<Scalar>,        \
                              std::span<std::byte>);                                                              \
  template void delta_backward(const MixerInput<Scalar>&, const MixerConfig&, std::ptrdiff_t, View<const Scalar>, \
                               const MixerGradients<Scalar>&, std::span<std::byte>);                              \
  template std::size_t delta_scratch_bytes<Scalar>(const MixerConfig&, const Shape&, std::ptrdiff_t, bool);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
