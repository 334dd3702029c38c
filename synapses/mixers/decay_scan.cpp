#include "synapses/mixers/decay_scan.hpp"

#include <bit>

#include "synapses/checks.hpp"
#include "synapses/mixers/mixer_tasks.hpp"

namespace synfire::synapses {

namespace {

/// One worker's chunk of tokens and the state of its head.
template <class Scalar>
class ScanHead {
 public:
  ScanHead(const MixerInput<Scalar>& in, const MixerConfig& config, const TokenGrid& grid, std::ptrdiff_t chunk)
      : in_(in), config_(config), grid_(grid), chunk_(chunk), d_(grid.channels / config.heads) {
    by_gate_ = config.kind == MixerKind::gla;
    normalised_ = config.kind == MixerKind::linear;
    values_ = d_ + (normalised_ ? 1 : 0);
    c_ = by_gate_ ? static_cast<Scalar>(config.scale_of(static_cast<double>(d_))) : Scalar(1);
  }

  std::size_t bytes() const {
    return 6 * rows_bytes<Scalar>(chunk_, d_) + 3 * rows_bytes<Scalar>(chunk_, values_) +
           rows_bytes<Scalar>(d_, values_) + 2 * rows_bytes<Scalar>(values_, std::max(d_, chunk_)) +
           2 * rows_bytes<Scalar>(chunk_, chunk_) + scratch_bytes<Token>(chunk_) + 2 * scratch_bytes<Scalar>(d_) +
           kCacheLine;
  }
  void take(ScratchCursor& cursor) {
    for (PackedRows<Scalar>* rows : {&q_, &k_, &alpha_, &entry_, &exit_, &of_key_}) {
      *rows = take_rows<Scalar>(cursor, chunk_, d_);
    }
    for (PackedRows<Scalar>* rows : {&v_, &grad_, &out_}) *rows = take_rows<Scalar>(cursor, chunk_, values_);
    s_ = take_rows<Scalar>(cursor, d_, values_);
    turned_ = take_rows<Scalar>(cursor, values_, d_);
    columns_ = take_rows<Scalar>(cursor, values_, std::max(d_, chunk_));
    scores_ = take_rows<Scalar>(cursor, chunk_, chunk_);
    slopes_ = take_rows<Scalar>(cursor, chunk_, chunk_);
    tokens_ = cursor.take<Token>(chunk_);
    row_ = cursor.take<Scalar>(d_);
    gate_sum_ = cursor.take<Scalar>(d_);
  }

  void forward(const HeadTask& task, const View<Scalar>& o, const View<Scalar>& den) {
    begin(task);
    TokenRows rows{grid_, task, tokens_, config_.heads};
    for (std::ptrdiff_t first = 0; first < length_; first += chunk_) {
      load(rows, first);
      score(q_, scores_);
      clear(out_, rows.count);
      scale_rows(q_, entry_, of_key_);
      add_product(rows.count, d_, as_is(of_key_), s_, out_);
      add_product(rows.count, rows.count, as_is(scores_), v_, out_);
      for (std::ptrdiff_t i = 0; i < rows.count; ++i) {
        const Scalar* const out = out_.row(i);
        Scalar factor = c_;
        if (normalised_) {
          const Scalar divisor = out[d_] + static_cast<Scalar>(config_.eps);
          den[rows.head(i)] = divisor;
          factor = Scalar(1) / divisor;
        }
        rows.write(o, i, [&](std::ptrdiff_t r) { return factor * out[r]; });
      }
      advance_state();
    }
  }

  void backward(const HeadTask& task, const View<const Scalar>& o, const View<const Scalar>& den,
                const View<const Scalar>& grad_o, const MixerGradients<Scalar>& grads) {
    begin(task);
    TokenRows rows{grid_, task, tokens_, config_.heads};
    for (std::ptrdiff_t first = 0; first < length_; first += chunk_) {
      load(rows, first);
      load_gradient(rows, o, den, grad_o);
      to_queries(rows, grads);
      advance_state();
    }
    clear(s_, d_);
    std::fill(gate_sum_, gate_sum_ + d_, Scalar(0));
    for (std::ptrdiff_t first = (length_ - 1) / chunk_ * chunk_; first >= 0; first -= chunk_) {
      load(rows, first);
      load_gradient(rows, o, den, grad_o);
      to_keys_and_values(rows, grads);
      // dS = e^b dS' + sum (q e^b) do^T
      scale_rows(q_, entry_, of_key_);
      for (std::ptrdiff_t r = 0; r < d_; ++r) scale(s_.row(r), values_, entry_.row(rows.count - 1)[r]);
      add_product(d_, rows.count, transposed(of_key_), grad_, s_);
    }
  }

 private:
  void begin(const HeadTask& task) {
    length_ = task.box.count();
    lambda_ = config_.kind == MixerKind::lightning
                  ? static_cast<Scalar>(std::exp(-lightning_slope(task.head, config_.heads)))
                  : Scalar(1);
    clear(s_, d_);
  }
  static void scale(Scalar* row, std::ptrdiff_t count, Scalar factor) {
    for (std::ptrdiff_t r = 0; r < count; ++r) row[r] *= factor;
  }
  Scalar feature(Scalar x) const {
    if (config_.kind != MixerKind::linear) return x;
    return config_.feature == MixerFeature::elu1 ? elu1(x) : config_.feature == MixerFeature::shift ? x + Scalar(1) : x;
  }
  Scalar feature_slope(Scalar x) const {
    return config_.kind == MixerKind::linear && config_.feature == MixerFeature::elu1 ? elu1_slope(x) : Scalar(1);
  }

  /// The tokens from `first` on, with what decays over the chunk: entry_i = alpha_0 .. alpha_i, exit_i what comes after
  /// i.
  void load(TokenRows& rows, std::ptrdiff_t first) {
    rows.list(first, std::min(chunk_, length_ - first));
    count_ = rows.count;
    scores_.width = slopes_.width = padded<Scalar>(count_);
    rows.load(in_.q, q_, [&](Scalar x) { return feature(x); });
    rows.load(in_.k, k_, [&](Scalar x) { return feature(x); });
    rows.load(in_.v, v_);
    if (normalised_) {
      for (std::ptrdiff_t i = 0; i < count_; ++i) v_.row(i)[d_] = Scalar(1);
    }
    if (by_gate_) {
      rows.load(real_signal(in_.gate), alpha_, [](Scalar g) { return std::exp(g); });
    } else {
      std::fill(alpha_.data, alpha_.data + count_ * alpha_.width, lambda_);
    }
    std::fill(exit_.row(count_ - 1), exit_.row(count_ - 1) + exit_.width, Scalar(1));
    std::copy(alpha_.row(0), alpha_.row(0) + alpha_.width, entry_.row(0));
    for (std::ptrdiff_t i = 1; i < count_; ++i) {
      for (std::ptrdiff_t r = 0; r < d_; ++r) {
        entry_.row(i)[r] = entry_.row(i - 1)[r] * alpha_.row(i)[r];
        exit_.row(count_ - 1 - i)[r] = exit_.row(count_ - i)[r] * alpha_.row(count_ - i)[r];
      }
    }
  }
  void load_gradient(const TokenRows& rows, const View<const Scalar>& o, const View<const Scalar>& den,
                     const View<const Scalar>& grad_o) {
    rows.load(real_signal(grad_o), grad_);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      Scalar* const row = grad_.row(i);
      Scalar factor = c_, dot(0);
      if (normalised_) {
        factor = Scalar(1) / den[rows.head(i)];
        for (std::ptrdiff_t r = 0; r < d_; ++r) dot += row[r] * o[rows.channel(i) + r];
      }
      scale(row, d_, factor);
      if (normalised_) row[d_] = -dot * factor;
    }
  }

  /// to = from . factors, elementwise.
  void scale_rows(const PackedRows<Scalar>& from, const PackedRows<Scalar>& factors,
                  const PackedRows<Scalar>& to) const {
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      for (std::ptrdiff_t r = 0; r < d_; ++r) to.row(i)[r] = from.row(i)[r] * factors.row(i)[r];
    }
  }
  /// lambda^(i - j) below and on the diagonal, 0 above, times what is there.
  void fade(const PackedRows<Scalar>& pairs) const {
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      Scalar factor(1);
      for (std::ptrdiff_t j = i; j >= 0; --j) {
        pairs.row(i)[j] *= factor;
        factor *= lambda_;
      }
      std::fill(pairs.row(i) + i + 1, pairs.row(i) + pairs.width, Scalar(0));
    }
  }
  /// scores[i, j] = sum_r q_i k_j (alpha_i .. alpha_(j+1)) for j <= i, else 0.
  void score(const PackedRows<Scalar>& q, const PackedRows<Scalar>& scores) {
    clear(scores, count_);
    if (!by_gate_) {
      transpose_tile(k_, count_, d_, columns_of(count_));
      multiply_columns(q, d_, scores);
      return fade(scores);
    }
    for (std::ptrdiff_t j = 0; j < count_; ++j) {
      std::copy(k_.row(j), k_.row(j) + d_, row_);
      for (std::ptrdiff_t i = j; i < count_; ++i) {
        if (i > j) fade_row(row_, alpha_.row(i));
        Scalar sum(0);
        for (std::ptrdiff_t r = 0; r < d_; ++r) sum += q.row(i)[r] * row_[r];
        scores.row(i)[j] = sum;
      }
    }
  }
  PackedRows<Scalar> columns_of(std::ptrdiff_t tokens) const { return {columns_.data, padded<Scalar>(tokens)}; }
  void multiply_columns(const PackedRows<Scalar>& rows, std::ptrdiff_t inner, const PackedRows<Scalar>& to) const {
    add_product(count_, inner, as_is(rows), columns_of(count_), to);
  }
  void fade_row(Scalar* row, const Scalar* alpha) const {
    for (std::ptrdiff_t r = 0; r < d_; ++r) row[r] *= alpha[r];
  }
  /// slopes[i, j] = do_i . v_j for j <= i, else 0; faded if the decay is one number.
  void slope() {
    transpose_tile(v_, count_, values_, columns_of(count_));
    clear(slopes_, count_);
    multiply_columns(grad_, values_, slopes_);
    if (!by_gate_) return fade(slopes_);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      std::fill(slopes_.row(i) + i + 1, slopes_.row(i) + slopes_.width, Scalar(0));
    }
  }
  void advance_state() {
    scale_rows(k_, exit_, of_key_);
    for (std::ptrdiff_t r = 0; r < d_; ++r) scale(s_.row(r), values_, entry_.row(count_ - 1)[r]);
    add_product(d_, count_, transposed(of_key_), v_, s_);
  }

  /// s_ holds S at the chunk's entry.
  void to_queries(const TokenRows& rows, const MixerGradients<Scalar>& grads) {
    slope();
    transpose_tile(s_, d_, values_, turned_);
    clear(of_key_, count_);
    add_product(count_, values_, as_is(grad_), turned_, of_key_);
    scale_rows(of_key_, entry_, of_key_);
    if (!by_gate_) {
      add_product(count_, count_, as_is(slopes_), k_, of_key_);
    } else {
      for (std::ptrdiff_t j = 0; j < count_; ++j) {
        std::copy(k_.row(j), k_.row(j) + d_, row_);
        for (std::ptrdiff_t i = j; i < count_; ++i) {
          if (i > j) fade_row(row_, alpha_.row(i));
          for (std::ptrdiff_t r = 0; r < d_; ++r) of_key_.row(i)[r] += slopes_.row(i)[j] * row_[r];
        }
      }
    }
    write(rows, in_.q, grads.q);
    if (!by_gate_) return;
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      rows.write(grads.gate, i, [&](std::ptrdiff_t r) { return q_.row(i)[r] * of_key_.row(i)[r]; });
    }
  }
  /// s_ holds dS at the chunk's end.
  void to_keys_and_values(const TokenRows& rows, const MixerGradients<Scalar>& grads) {
    score(q_, scores_);
    slope();
    clear(out_, count_);
    scale_rows(k_, exit_, of_key_);
    add_product(count_, d_, as_is(of_key_), s_, out_);
    add_product(count_, count_, transposed(scores_), grad_, out_);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      rows.write(grads.v, i, [&](std::ptrdiff_t r) { return out_.row(i)[r]; });
    }
    transpose_tile(s_, d_, values_, turned_);
    clear(of_key_, count_);
    add_product(count_, values_, as_is(v_), turned_, of_key_);
    scale_rows(of_key_, exit_, of_key_);
    if (!by_gate_) {
      add_product(count_, count_, transposed(slopes_), q_, of_key_);
    } else {
      for (std::ptrdiff_t i = 0; i < count_; ++i) {
        std::copy(q_.row(i), q_.row(i) + d_, row_);
        for (std::ptrdiff_t j = i; j >= 0; --j) {
          if (j < i) fade_row(row_, alpha_.row(j + 1));
          for (std::ptrdiff_t r = 0; r < d_; ++r) of_key_.row(j)[r] += slopes_.row(i)[j] * row_[r];
        }
      }
    }
    write(rows, in_.k, grads.k);
    if (!by_gate_ || grads.gate.data == nullptr) return;
    for (std::ptrdiff_t i = count_ - 1; i >= 0; --i) {
      Scalar* const gate = grads.gate.data + rows.channel(i);
      for (std::ptrdiff_t r = 0; r < d_; ++r) {
        gate_sum_[r] += gate[r] - k_.row(i)[r] * of_key_.row(i)[r];
        gate[r] = gate_sum_[r];
      }
    }
  }
  /// Gradients of features become those of x.
  void write(const TokenRows& rows, const Signal<Scalar>& x, const View<Scalar>& grad) const {
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      const std::ptrdiff_t from = rows.channel(i);
      rows.write(grad, i, [&](std::ptrdiff_t r) {
        const Scalar value = x.is_spikes() ? static_cast<Scalar>(x.spikes[from + r]) : x.real[from + r];
        return of_key_.row(i)[r] * feature_slope(value);
      });
    }
  }

  const MixerInput<Scalar>& in_;
  const MixerConfig& config_;
  const TokenGrid& grid_;
  std::ptrdiff_t chunk_, d_, values_ = 0;  // tokens at a time; channels of a head; and of v, with the normaliser's
  std::ptrdiff_t length_ = 0, count_ = 0;  // tokens of the window and of the chunk
  bool by_gate_ = false, normalised_ = false;
  Scalar c_{}, lambda_{};
  PackedRows<Scalar> q_{}, k_{}, alpha_{}, entry_{}, exit_{}, of_key_{};  // [chunk, d]
  PackedRows<Scalar> v_{}, grad_{}, out_{};                               // [chunk, values]
  PackedRows<Scalar> s_{}, turned_{}, columns_{};                         // [d, values], and transposes
  PackedRows<Scalar> scores_{}, slopes_{};                                // [chunk, chunk]
  Token* tokens_ = nullptr;
  Scalar *row_ = nullptr, *gate_sum_ = nullptr;  // [d]
};

template <class Scalar>
void check_scan(const char* operation, const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk,
                const Shape& o, std::span<std::byte> scratch) {
  check_mixer_input(operation, in, config);
  require_shape(operation, "o", o, in.q.shape);
  if (chunk < 1) throw ShapeError(fmt::format("[{}] chunk must be positive, got {}", operation, chunk));
  require_scratch(operation, scratch, decay_scan_scratch_bytes<Scalar>(config, in.q.shape, chunk));
}

}  // namespace

template <class Scalar>
void decay_scan_forward(const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk, View<Scalar> o,
                        View<Scalar> den, std::span<std::byte> scratch) {
  check_scan("decay_scan_forward", in, config, chunk, o.shape, scratch);
  const TokenGrid grid(in.q.shape);
  const ScanHead<Scalar> made(in, config, grid, chunk);
  each_head(grid, config, scratch.data(), made.bytes(), [&](const HeadTask& task, ScratchCursor& cursor) {
    ScanHead<Scalar> head = made;
    head.take(cursor);
    head.forward(task, o, den);
  });
}

template <class Scalar>
void decay_scan_backward(const MixerInput<Scalar>& in, const MixerConfig& config, std::ptrdiff_t chunk,
                         View<const Scalar> o, View<const Scalar> den, View<const Scalar> grad_o,
                         const MixerGradients<Scalar>& grads, std::span<std::byte> scratch) {
  check_scan("decay_scan_backward", in, config, chunk, grad_o.shape, scratch);
  const TokenGrid grid(in.q.shape);
  const ScanHead<Scalar> made(in, config, grid, chunk);
  each_head(grid, config, scratch.data(), made.bytes(), [&](const HeadTask& task, ScratchCursor& cursor) {
    ScanHead<Scalar> head = made;
    head.take(cursor);
    head.backward(task, o, den, grad_o, grads);
  });
}

template <class Scalar>
std::size_t decay_scan_scratch_bytes(const MixerConfig& config, const Shape& shape, std::ptrdiff_t chunk) {
  const TokenGrid grid(shape);
  return worker_count(grid, config) * ScanHead<Scalar>({}, config, grid, chunk).bytes() + kCacheLine;
}

double lightning_slope(int head, int heads) {
  const int power = static_cast<int>(std::bit_floor(static_cast<unsigned>(heads)));
  if (head < power) return std::exp2(-8.0 * (head + 1) / power);
  return std::exp2(-8.0 * (2 * (head - power) + 1) / (2.0 * power));
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                                    \
  template void decay_scan_forward(const MixerInput<Scalar>&, const MixerConfig&, std::ptrdiff_t, View<Scalar>,        \
                                   View<Scalar>, std::span<std::byte>);                                                \
  template void decay_scan_backward(const MixerInput<Scalar>&, const MixerConfig&, std::ptrdiff_t, View<const Scalar>, \
                                    View<const Scalar>, View<const Scalar>, const MixerGradients<Scalar>&,             \
                                    std::span<std::byte>);                                                             \
  template std::size_t decay_scan_scratch_bytes<Scalar>(const MixerConfig&, const Shape&, std::ptrdiff_t);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
