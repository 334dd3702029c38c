#include "synapses/mixers/pair_mixer.hpp"

#include <limits>

#include "synapses/checks.hpp"
#include "synapses/mixers/mixer_tasks.hpp"

namespace synfire::synapses {

namespace {

constexpr std::ptrdiff_t kTile = 32;

/// One worker's tile of queries and tile of keys.
template <class Scalar>
class PairHead {
 public:
  PairHead(const MixerInput<Scalar>& in, const MixerConfig& config, const TokenGrid& grid)
      : in_(in),
        config_(config),
        grid_(grid),
        d_(grid.channels / config.heads),
        softmax_(config.kind == MixerKind::window),
        scale_(static_cast<Scalar>(config.scale_of(static_cast<double>(d_)))) {}

  std::size_t bytes() const {
    return 7 * rows_bytes<Scalar>(kTile, d_) + 2 * rows_bytes<Scalar>(d_, kTile) +
           2 * rows_bytes<Scalar>(kTile, kTile) + 2 * scratch_bytes<Token>(kTile) + 4 * scratch_bytes<Scalar>(kTile) +
           kCacheLine;
  }
  void take(ScratchCursor& cursor) {
    for (PackedRows<Scalar>* rows : {&q_, &k_, &v_, &grad_, &out_, &grad_k_, &grad_v_}) {
      *rows = take_rows<Scalar>(cursor, kTile, d_);
    }
    for (PackedRows<Scalar>* rows : {&k_columns_, &v_columns_}) *rows = take_rows<Scalar>(cursor, d_, kTile);
    for (PackedRows<Scalar>* rows : {&weights_, &slopes_}) *rows = take_rows<Scalar>(cursor, kTile, kTile);
    query_tokens_ = cursor.take<Token>(kTile);
    key_tokens_ = cursor.take<Token>(kTile);
    for (Scalar** numbers : {&largest_, &sum_, &log_sum_, &dot_}) *numbers = cursor.take<Scalar>(kTile);
  }

  void forward(const HeadTask& task, const View<Scalar>& o, const View<Scalar>& den) {
    TokenRows queries{grid_, task, query_tokens_, config_.heads}, keys{grid_, task, key_tokens_, config_.heads};
    each_tile(queries, [&] {
      load_queries(queries);
      clear(out_, kTile);
      std::fill(largest_, largest_ + kTile, -std::numeric_limits<Scalar>::infinity());
      std::fill(sum_, sum_ + kTile, Scalar(0));
      each_tile(keys, [&] {
        if (is_hidden(queries, keys)) return;
        load_keys(keys);
        multiply(queries, keys);
        if (softmax_) grow_softmax(queries, keys);
        add_product(queries.count, keys.count, as_is(weights_), v_, out_);
      });
      for (std::ptrdiff_t i = 0; i < queries.count; ++i) {
        const Scalar factor = softmax_ ? Scalar(1) / sum_[i] : Scalar(1);
        if (softmax_) den[queries.head(i)] = largest_[i] + std::log(sum_[i]);
        queries.write(o, i, [&](std::ptrdiff_t r) { return factor * out_.row(i)[r]; });
      }
    });
  }

  void backward(const HeadTask& task, const View<const Scalar>& o, const View<const Scalar>& den,
                const View<const Scalar>& grad_o, const MixerGradients<Scalar>& grads) {
    TokenRows queries{grid_, task, query_tokens_, config_.heads}, keys{grid_, task, key_tokens_, config_.heads};
    each_tile(queries, [&] {
      load_queries(queries);
      load_gradients(queries, o, den, grad_o);
      clear(out_, kTile);
      each_tile(keys, [&] {
        if (is_hidden(queries, keys)) return;
        load_keys(keys);
        find_slopes(queries, keys);
        add_product(queries.count, keys.count, as_is(slopes_), k_, out_);
      });
      for (std::ptrdiff_t i = 0; i < queries.count; ++i) {
        queries.write(grads.q, i, [&](std::ptrdiff_t r) { return scale_ * out_.row(i)[r]; });
      }
    });
    each_tile(keys, [&] {
      load_keys(keys);
      clear(grad_k_, kTile);
      clear(grad_v_, kTile);
      each_tile(queries, [&] {
        if (is_hidden(queries, keys)) return;
        load_queries(queries);
        load_gradients(queries, o, den, grad_o);
        find_slopes(queries, keys);
        add_product(keys.count, queries.count, transposed(slopes_), q_, grad_k_);
        add_product(keys.count, queries.count, transposed(weights_), grad_, grad_v_);
      });
      for (std::ptrdiff_t j = 0; j < keys.count; ++j) {
        keys.write(grads.k, j, [&](std::ptrdiff_t r) { return grad_k_.row(j)[r]; });
        keys.write(grads.v, j, [&](std::ptrdiff_t r) { return grad_v_.row(j)[r]; });
      }
    });
  }

 private:
  template <class Body>
  static void each_tile(TokenRows& rows, const Body& body) {
    const std::ptrdiff_t all = rows.task.box.count();
    for (std::ptrdiff_t first = 0; first < all; first += kTile) {
      rows.list(first, std::min(kTile, all - first));
      body();
    }
  }
  /// Every key comes after every query.
  bool is_hidden(const TokenRows& queries, const TokenRows& keys) const {
    return config_.causal && keys.tokens[0].position[0] > queries.tokens[queries.count - 1].position[0];
  }
  void load_queries(const TokenRows& queries) {
    queries.load(in_.q, q_, [&](Scalar x) { return scale_ * x; });
  }
  void load_keys(const TokenRows& keys) {
    keys.load(in_.k, k_);
    keys.load(in_.v, v_);
    transpose_tile(k_, keys.count, d_, k_columns_);
    transpose_tile(v_, keys.count, d_, v_columns_);
  }
  void load_gradients(const TokenRows& queries, const View<const Scalar>& o, const View<const Scalar>& den,
                      const View<const Scalar>& grad_o) {
    queries.load(real_signal(grad_o), grad_);
    for (std::ptrdiff_t i = 0; i < queries.count && softmax_; ++i) {
      log_sum_[i] = den[queries.head(i)];
      dot_[i] = Scalar(0);
      for (std::ptrdiff_t r = 0; r < d_; ++r) dot_[i] += grad_.row(i)[r] * o[queries.channel(i) + r];
    }
  }
  /// weights = s_ij, and outside: -infinity for a softmax, else 0.
  void multiply(const TokenRows& queries, const TokenRows& keys) {
    clear(weights_, queries.count);
    add_product(queries.count, d_, as_is(q_), k_columns_, weights_);
    const Scalar outside = softmax_ ? -std::numeric_limits<Scalar>::infinity() : Scalar(0);
    for (std::ptrdiff_t i = 0; i < queries.count; ++i) {
      std::fill(weights_.row(i) + keys.count, weights_.row(i) + weights_.width, outside);
      for (std::ptrdiff_t j = 0; config_.causal && j < keys.count; ++j) {
        if (keys.tokens[j].position[0] > queries.tokens[i].position[0]) weights_.row(i)[j] = outside;
      }
    }
  }
  /// Weights relative to the largest s of the row so far; what was summed before follows it.
  void grow_softmax(const TokenRows& queries, const TokenRows& keys) {
    for (std::ptrdiff_t i = 0; i < queries.count; ++i) {
      Scalar* const row = weights_.row(i);
      const Scalar largest = std::max(largest_[i], *std::max_element(row, row + keys.count));
      // A row that sees nothing of this tile has seen its own tick before, so that `largest` is finite.
      const Scalar factor = std::exp(largest_[i] - largest);
      largest_[i] = largest;
      sum_[i] *= factor;
      for (std::ptrdiff_t r = 0; r < d_; ++r) out_.row(i)[r] *= factor;
      for (std::ptrdiff_t j = 0; j < keys.count; ++j) {
        row[j] = std::exp(row[j] - largest);
        sum_[i] += row[j];
      }
    }
  }
  /// weights = p_ij, slopes = ds_ij.
  void find_slopes(const TokenRows& queries, const TokenRows& keys) {
    multiply(queries, keys);
    clear(slopes_, queries.count);
    add_product(queries.count, d_, as_is(grad_), v_columns_, slopes_);
    for (std::ptrdiff_t i = 0; i < queries.count; ++i) {
      for (std::ptrdiff_t j = 0; j < keys.count; ++j) {
        Scalar &weight = weights_.row(i)[j], &slope = slopes_.row(i)[j];
        if (softmax_) {
          weight = std::exp(weight - log_sum_[i]);
          slope = weight * (slope - dot_[i]);
        } else if (config_.causal && keys.tokens[j].position[0] > queries.tokens[i].position[0]) {
          slope = Scalar(0);
        }
      }
    }
  }

  const MixerInput<Scalar>& in_;
  const MixerConfig& config_;
  const TokenGrid& grid_;
  std::ptrdiff_t d_;
  bool softmax_;
  Scalar scale_;
  PackedRows<Scalar> q_{}, k_{}, v_{}, grad_{}, out_{}, grad_k_{}, grad_v_{};  // [tile, d]
  PackedRows<Scalar> k_columns_{}, v_columns_{};                               // [d, tile]
  PackedRows<Scalar> weights_{}, slopes_{};                                    // [tile, tile]
  Token *query_tokens_ = nullptr, *key_tokens_ = nullptr;
  Scalar *largest_ = nullptr, *sum_ = nullptr, *log_sum_ = nullptr, *dot_ = nullptr;  // [tile], of queries
};

template <class Scalar>
void check_pairs(const char* operation, const MixerInput<Scalar>& in, const MixerConfig& config, const Shape& o,
                 std::span<std::byte> scratch) {
  check_mixer_input(operation, in, config);
  require_shape(operation, "o", o, in.q.shape);
  require_scratch(operation, scratch, pair_mixer_scratch_bytes<Scalar>(config, in.q.shape));
}

}  // namespace

template <class Scalar>
void pair_mixer_forward(const MixerInput<Scalar>& in, const MixerConfig& config, View<Scalar> o, View<Scalar> den,
                        std::span<std::byte> scratch) {
  check_pairs("pair_mixer_forward", in, config, o.shape, scratch);
  const TokenGrid grid(in.q.shape);
  const PairHead<Scalar> made(in, config, grid);
  each_head(grid, config, scratch.data(), made.bytes(), [&](const HeadTask& task, ScratchCursor& cursor) {
    PairHead<Scalar> head = made;
    head.take(cursor);
    head.forward(task, o, den);
  });
}

template <class Scalar>
void pair_mixer_backward(const MixerInput<Scalar>& in, const MixerConfig& config, View<const Scalar> o,
                         View<const Scalar> den, View<const Scalar> grad_o, const MixerGradients<Scalar>& grads,
                         std::span<std::byte> scratch) {
  check_pairs("pair_mixer_backward", in, config, grad_o.shape, scratch);
  const TokenGrid grid(in.q.shape);
  const PairHead<Scalar> made(in, config, grid);
  each_head(grid, config, scratch.data(), made.bytes(), [&](const HeadTask& task, ScratchCursor& cursor) {
    PairHead<Scalar> head = made;
    head.take(cursor);
    head.backward(task, o, den, grad_o, grads);
  });
}

template <class Scalar>
std::size_t pair_mixer_scratch_bytes(const MixerConfig& config, const Shape& shape) {
  const TokenGrid grid(shape);
  return worker_count(grid, config) * PairHead<Scalar>({}, config, grid).bytes() + kCacheLine;
}

#define SYNFIRE_INSTANTIATE(Scalar)                                                                           \
  template void pair_mixer_forward(const MixerInput<Scalar>&, const MixerConfig&, View<Scalar>, View<Scalar>, \
                                   std::span<std::byte>);                                                     \
  template void pair_mixer_backward(const MixerInput<Scalar>&, const MixerConfig&, View<const Scalar>,        \
                                    View<const Scalar>, View<const Scalar>, const MixerGradients<Scalar>&,    \
                                    std::span<std::byte>);                                                    \
  template std::size_t pair_mixer_scratch_bytes<Scalar>(const MixerConfig&, const Shape&);
SYNFIRE_INSTANTIATE(float)
SYNFIRE_INSTANTIATE(double)
#undef SYNFIRE_INSTANTIATE

}  // namespace synfire::synapses
