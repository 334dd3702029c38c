#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/signal.hpp"
#include "synapses/mixers/mixer_tasks.hpp"
#include "synapses/mixers/rope.hpp"
#include "synapses/mixers/tile_product.hpp"
#include "synapses/mixers/windows.hpp"
#include "synapses/nonzeros.hpp"
#include "synapses/scratch.hpp"

/// The state of linear attention, S = sum_j f_j v_j^T and m = sum_j w_j f_j, for one head of one window. Private to the
/// room: not installed.
namespace synfire::synapses {

/// Tokens that are in the nearest cache at a time.
inline constexpr std::ptrdiff_t kTileTokens = 32;

/// One worker's state and the tile of tokens that it looks at. The forward pass sums keys and values and is read by
/// queries; the backward pass sums queries and gradients and is read by keys.
template <class Scalar>
class HeadSums {
 public:
  HeadSums(const TokenGrid& grid, const MixerConfig& config, const RopeTable<Scalar>& rope)
      : grid_(grid), config_(config), rope_(rope), d_(grid.channels / config.heads), width_(padded<Scalar>(d_)) {}

  static std::size_t bytes(const TokenGrid& grid, const MixerConfig& config) {
    const std::ptrdiff_t d = grid.channels / config.heads, width = padded<Scalar>(d);
    return 3 * scratch_bytes<Scalar>(kTileTokens * width) + 2 * scratch_bytes<Scalar>(d * width) +
           2 * scratch_bytes<Scalar>(width) + scratch_bytes<Token>(kTileTokens) +
           2 * scratch_bytes<Scalar>(kTileTokens) + scratch_bytes<std::uint32_t>(d + kListSlack);
  }
  void take(ScratchCursor& cursor) {
    features_ = {cursor.take<Scalar>(kTileTokens * width_), width_};
    values_ = {cursor.take<Scalar>(kTileTokens * width_), width_};
    out_ = {cursor.take<Scalar>(kTileTokens * width_), width_};
    s_ = {cursor.take<Scalar>(d_ * width_), width_};
    turned_ = {cursor.take<Scalar>(d_ * width_), width_};
    m_ = cursor.take<Scalar>(width_);
    row_sum_ = cursor.take<Scalar>(width_);
    tokens_ = cursor.take<Token>(kTileTokens);
    weights_ = cursor.take<Scalar>(kTileTokens);
    dots_ = cursor.take<Scalar>(kTileTokens);
    places_ = cursor.take<std::uint32_t>(d_ + kListSlack);
  }

  /// Chooses a head of a sample, with sums of 0.
  /// \param sparse  add a row for each spike instead of multiplying
  void begin(std::ptrdiff_t b, int head, bool sparse) {
    b_ = b;
    head_ = head;
    sparse_ = sparse;
    std::fill(s_.data, s_.data + d_ * width_, Scalar(0));
    std::fill(m_, m_ + width_, Scalar(0));
  }
  void load_state(const Scalar* s, const Scalar* m) {
    for (std::ptrdiff_t r = 0; r < d_; ++r) std::copy(s + r * d_, s + (r + 1) * d_, s_.row(r));
    std::copy(m, m + d_, m_);
  }
  void store_state(Scalar* s, Scalar* m) const {
    for (std::ptrdiff_t r = 0; r < d_; ++r) std::copy(s_.row(r), s_.row(r) + d_, s + r * d_);
    std::copy(m_, m_ + d_, m);
  }
  void scale(Scalar gamma) {
    for (std::ptrdiff_t i = 0; i < d_ * width_; ++i) s_.data[i] *= gamma;
    for (std::ptrdiff_t r = 0; r < d_; ++r) m_[r] *= gamma;
  }

  /// Calls `body()` for each tile of a box; the methods below are about the tokens of that tile.
  template <class Body>
  void each_tile(const TokenBox& box, const Body& body) {
    const std::ptrdiff_t all = box.count();
    for (std::ptrdiff_t first = 0; first < all; first += kTileTokens) {
      count_ = std::min(kTileTokens, all - first);
      list_tokens(grid_, b_, box, first, count_, tokens_);
      body();
    }
  }
  std::ptrdiff_t count() const { return count_; }
  std::ptrdiff_t head_index(std::ptrdiff_t i) const { return tokens_[i].index * config_.heads + head_; }
  /// First channel of the head in token i.
  std::ptrdiff_t channel_index(std::ptrdiff_t i) const { return tokens_[i].index * grid_.channels + head_ * d_; }
  std::ptrdiff_t channels() const { return d_; }

  const Scalar* m() const { return m_; }
  const Scalar* features(std::ptrdiff_t i) const { return features_.row(i); }
  const Scalar* out(std::ptrdiff_t i) const { return out_.row(i); }
  /// phi_i . m of the last read().
  Scalar dot(std::ptrdiff_t i) const { return dots_[i]; }

  /// Takes the values of the tile, each token's times factor(i).
  template <class Factor>
  void load_values(const Signal<Scalar>& v, const Factor& factor) {
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      const Scalar f = factor(i);
      Scalar* const row = values_.row(i);
      const std::ptrdiff_t from = channel_index(i);
      if (v.is_spikes()) {
        for (std::ptrdiff_t r = 0; r < d_; ++r) row[r] = f * static_cast<Scalar>(v.spikes[from + r]);
      } else {
        for (std::ptrdiff_t r = 0; r < d_; ++r) row[r] = f * v.real[from + r];
      }
      std::fill(row + d_, row + width_, Scalar(0));
    }
  }

  /// Between begin_sum and end_sum: S and m grow by the tile, m with the weights weight(i).
  void begin_sum() {
    std::fill(row_sum_, row_sum_ + width_, Scalar(0));
    weight_sum_ = Scalar(0);
  }
  template <class Weight>
  void add(const Signal<Scalar>& x, const Weight& weight) {
    for (std::ptrdiff_t i = 0; i < count_; ++i) weights_[i] = weight(i);
    if (sparse_) return add_spikes(x);
    load_plain(x);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      const Scalar* const row = features_.row(i);
      for (std::ptrdiff_t r = 0; r < d_; ++r) m_[r] += weights_[i] * row[r];
    }
    turn(features_, false);
    add_product<Scalar>(d_, count_, {features_.data, 1, width_}, values_, s_);
  }
  void end_sum() {
    if (!sparse_ || config_.feature != MixerFeature::shift) return;
    for (std::ptrdiff_t r = 0; r < d_; ++r) {
      add_row(row_sum_, width_, s_.row(r));
      m_[r] += weight_sum_;
    }
  }

  /// After begin_read: out(i) = S^T f_i, dot(i) = phi_i . m.
  void begin_read() {
    if (!sparse_) return;
    std::fill(row_sum_, row_sum_ + width_, Scalar(0));
    weight_sum_ = Scalar(0);
    if (config_.feature != MixerFeature::shift) return;
    for (std::ptrdiff_t r = 0; r < d_; ++r) {
      add_row(s_.row(r), width_, row_sum_);
      weight_sum_ += m_[r];
    }
  }
  void read(const Signal<Scalar>& x) {
    if (sparse_) return read_spikes(x);
    load_plain(x);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      dots_[i] = Scalar(0);
      for (std::ptrdiff_t r = 0; r < d_; ++r) dots_[i] += features_.row(i)[r] * m_[r];
    }
    turn(features_, false);
    std::fill(out_.data, out_.data + count_ * width_, Scalar(0));
    add_product<Scalar>(count_, d_, {features_.data, width_, 1}, s_, out_);
  }

  /// After begin_read_back: out(i) = S values_i.
  void begin_read_back() { transpose_tile(s_, d_, d_, turned_); }
  void read_back() {
    std::fill(out_.data, out_.data + count_ * width_, Scalar(0));
    add_product<Scalar>(count_, d_, {values_.data, width_, 1}, turned_, out_);
  }
  /// The rotated features of x in features(i).
  void load_features(const Signal<Scalar>& x) {
    load_plain(x);
    turn(features_, false);
  }
  /// dphi / dx
  Scalar slope(const Signal<Scalar>& x, std::ptrdiff_t i, std::ptrdiff_t r) const {
    return config_.feature == MixerFeature::elu1 ? elu1_slope(element(x, channel_index(i) + r)) : Scalar(1);
  }
  void turn_out_back() { turn(out_, true); }

 private:
  static Scalar element(const Signal<Scalar>& x, std::ptrdiff_t at) {
    return x.is_spikes() ? static_cast<Scalar>(x.spikes[at]) : x.real[at];
  }
  void load_plain(const Signal<Scalar>& x) {
    const Scalar shift = config_.feature == MixerFeature::shift ? Scalar(1) : Scalar(0);
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      Scalar* const row = features_.row(i);
      const std::ptrdiff_t from = channel_index(i);
      if (config_.feature == MixerFeature::elu1) {
        for (std::ptrdiff_t r = 0; r < d_; ++r) row[r] = elu1(element(x, from + r));
      } else if (x.is_spikes()) {
        for (std::ptrdiff_t r = 0; r < d_; ++r) row[r] = shift + static_cast<Scalar>(x.spikes[from + r]);
      } else {
        for (std::ptrdiff_t r = 0; r < d_; ++r) row[r] = shift + x.real[from + r];
      }
    }
  }
  void turn(const PackedRows<Scalar>& rows, bool backwards) {
    if (rope_.empty()) return;
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      rope_.turn(head_, tokens_[i].position.data(), backwards, rows.row(i));
    }
  }
  void add_spikes(const Signal<Scalar>& x) {
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      const std::ptrdiff_t spikes = find_nonzeros(x.spikes + channel_index(i), d_, places_);
      for (std::ptrdiff_t k = 0; k < spikes; ++k) {
        add_row(values_.row(i), width_, s_.row(places_[k]));
        m_[places_[k]] += weights_[i];
      }
      add_row(values_.row(i), width_, row_sum_);
      weight_sum_ += weights_[i];
    }
  }
  void read_spikes(const Signal<Scalar>& x) {
    for (std::ptrdiff_t i = 0; i < count_; ++i) {
      const std::ptrdiff_t spikes = find_nonzeros(x.spikes + channel_index(i), d_, places_);
      std::copy(row_sum_, row_sum_ + width_, out_.row(i));
      dots_[i] = weight_sum_;
      for (std::ptrdiff_t k = 0; k < spikes; ++k) {
        add_row(s_.row(places_[k]), width_, out_.row(i));
        dots_[i] += m_[places_[k]];
      }
    }
  }

  const TokenGrid& grid_;
  const MixerConfig& config_;
  const RopeTable<Scalar>& rope_;
  std::ptrdiff_t d_, width_;  // channels of a head, and those with padding
  std::ptrdiff_t b_ = 0, count_ = 0;
  int head_ = 0;
  bool sparse_ = false;
  PackedRows<Scalar> features_{}, values_{}, out_{};  // [tile, width]
  PackedRows<Scalar> s_{}, turned_{};                 // [d, width]: S and, to be read back, its transpose
  Scalar *m_ = nullptr, *row_sum_ = nullptr;          // [width]
  Scalar weight_sum_{};
  Token* tokens_ = nullptr;                      // [tile]
  Scalar *weights_ = nullptr, *dots_ = nullptr;  // [tile]
  std::uint32_t* places_ = nullptr;              // [d] and slack
};

}  // namespace synfire::synapses
