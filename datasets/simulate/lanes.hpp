#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace synfire::datasets {

// Vectors of GCC and Clang: an operation on one is the same operation on each of its numbers, whatever the machine has.
using Float8 = float __attribute__((vector_size(32)));
using Int8 = std::int32_t __attribute__((vector_size(32)));

/// Sixteen channels that are computed side by side, as two vectors; or eight complex numbers, real parts first.
inline constexpr std::size_t kHalf = 8;
inline constexpr std::size_t kLanes = 2 * kHalf;
struct Lanes {
  std::array<Float8, 2> half{};

  float get(std::size_t lane) const { return half[lane / kHalf][lane % kHalf]; }
  void set(std::size_t lane, float value) { half[lane / kHalf][lane % kHalf] = value; }
  void fill(float value) { half.fill(Float8{} + value); }
};

/// By reference, because how a vector is returned depends on the machine.
inline void clamp_at_zero(Float8& x) { x = x > 0.0F ? x : Float8{}; }

inline bool any_of(const Int8& mask) {
  using Long4 = std::int64_t __attribute__((vector_size(32)));
  const auto wide = reinterpret_cast<Long4>(mask);
  return (wide[0] | wide[1] | wide[2] | wide[3]) != 0;
}

/// Uniform numbers of 16 bits for sixteen channels, (m + 1/2) / 65536: the halves of the words of RandomStream's
/// elements channel * 2^32 + sample / 8, low half first.
class LaneUniform {
 public:
  LaneUniform(std::uint64_t seed, std::uint32_t stream, std::uint32_t step, std::uint32_t first_channel)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)},
        stream_(stream),
        step_(step),
        first_channel_(first_channel) {}

  /// The samples one after the other, from 0 on.
  void next(Lanes& uniform) {
    if (sample_ % 8 == 0) draw(sample_ / 8);
    const std::uint32_t shift = sample_ % 2 * 16;
    for (std::size_t h = 0; h < 2; ++h) {
      const UInt8 bits = words_[h][sample_ % 8 / 2] >> shift & 0xFFFFU;
      // Through a signed type, because not every machine converts the other.
      uniform.half[h] = (__builtin_convertvector(__builtin_convertvector(bits, Int8), Float8) + 0.5F) * 0x1.0p-16F;
    }
    ++sample_;
  }

 private:
  using UInt8 = std::uint32_t __attribute__((vector_size(32)));

  /// The two words of a 64-bit product, from products of 16 bits that a vector of 32 has room for.
  static void multiply(const UInt8& x, std::uint32_t factor, UInt8& high, UInt8& low) {
    const UInt8 xl = x & 0xFFFFU, xh = x >> 16U;
    const std::uint32_t fl = factor & 0xFFFFU, fh = factor >> 16U;
    const UInt8 first = xh * fl + (xl * fl >> 16U);
    const UInt8 second = xl * fh + (first & 0xFFFFU);
    high = xh * fh + (first >> 16U) + (second >> 16U);
    low = x * factor;
  }

  /// Philox::block for the channels; the two halves in turns, so that one is computed while the other is waited for.
  void draw(std::uint32_t octet) {
    std::array<UInt8, 2> c0, c1, c2, c3;
    for (std::uint32_t h = 0; h < 2; ++h) {
      c0[h] = UInt8{} + octet;
      c1[h] = UInt8{0, 1, 2, 3, 4, 5, 6, 7} + (first_channel_ + h * std::uint32_t{kHalf});
      c2[h] = UInt8{} + stream_;
      c3[h] = UInt8{} + step_;
    }
    std::uint32_t key0 = key_[0], key1 = key_[1];
    for (int round = 0; round < 10; ++round) {
      for (std::size_t h = 0; h < 2; ++h) {
        UInt8 high0, low0, high1, low1;
        multiply(c0[h], 0xD2511F53U, high0, low0);
        multiply(c2[h], 0xCD9E8D57U, high1, low1);
        c0[h] = high1 ^ c1[h] ^ key0;
        c1[h] = low1;
        c2[h] = high0 ^ c3[h] ^ key1;
        c3[h] = low0;
      }
      key0 += 0x9E3779B9U;
      key1 += 0xBB67AE85U;
    }
    for (std::size_t h = 0; h < 2; ++h) words_[h] = {c0[h], c1[h], c2[h], c3[h]};
  }

  std::array<std::uint32_t, 2> key_;
  std::uint32_t stream_;
  std::uint32_t step_;
  std::uint32_t first_channel_;
  std::uint32_t sample_ = 0;
  std::array<std::array<UInt8, 4>, 2> words_{};
};

}  // namespace synfire::datasets
