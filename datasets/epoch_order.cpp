#include "datasets/epoch_order.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"

namespace synfire::datasets {

namespace {

constexpr std::uint32_t kOrderStream = 0xDA7A0004U;

}  // namespace

EpochOrder::EpochOrder(std::int64_t num_samples, int batch_size, SplitUse use)
    : batch_size_(batch_size), use_(use), order_(static_cast<std::size_t>(num_samples)) {
  if (batch_size <= 0) throw ShapeError("[EpochOrder] the batch size must be positive");
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
}

std::int64_t EpochOrder::num_batches() const {
  const std::int64_t full = std::ssize(order_) / batch_size_, rest = std::ssize(order_) % batch_size_;
  const bool rest_counts = rest > 1 || (rest == 1 && (use_ == SplitUse::evaluation || full == 0));
  return full + (rest_counts ? 1 : 0);
}

void EpochOrder::start(std::uint64_t seed, int epoch) {
  if (use_ == SplitUse::evaluation) return;
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  const RandomStream random(seed, kOrderStream, static_cast<std::uint32_t>(epoch));
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i, i)]);
}

std::span<const std::int64_t> EpochOrder::batch(std::int64_t number) const {
  const auto begin = static_cast<std::size_t>(number * batch_size_);
  return std::span(order_).subspan(begin, std::min(static_cast<std::size_t>(batch_size_), order_.size() - begin));
}

}  // namespace synfire::datasets
