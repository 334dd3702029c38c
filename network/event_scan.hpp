#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/parallel.hpp"
#include "network/op_count.hpp"
#include "synapses/checks.hpp"
#include "synapses/nonzeros.hpp"

/// Walks over the events of a signal. Private to the room: not installed.
namespace synfire::network {

/// An event that is stored is its index.
inline constexpr std::uint64_t kEventBytes = 4;

/// Calls `body(index, whether it is 1 or -1)` for every element that is not zero.
template <class T, class Body>
inline void each_event(const T* x, std::ptrdiff_t count, const Body& body) {
  synapses::each_mask(x, count, [&](std::ptrdiff_t first, unsigned mask) {
    for (; mask != 0; mask &= mask - 1) {
      const std::ptrdiff_t i = first + std::countr_zero(mask);
      if constexpr (std::is_same_v<T, std::uint8_t>) {
        body(i, std::true_type{});
      } else {
        body(i, x[i] == T(1) || x[i] == T(-1));
      }
    }
  });
}

template <class Scalar>
std::ptrdiff_t num_events(const Signal<Scalar>& x) {
  constexpr int kChunks = 64;
  std::array<std::ptrdiff_t, kChunks> counts{};
  synapses::with_elements(x, [&](const auto* elements) {
    parallel_chunks(x.shape.size(), kChunks, [&](int chunk, std::ptrdiff_t begin, std::ptrdiff_t end) {
      counts[static_cast<std::size_t>(chunk)] = synapses::count_nonzeros(elements + begin, end - begin);
    });
  });
  std::ptrdiff_t total = 0;
  for (const std::ptrdiff_t count : counts) total += count;
  return total;
}

/// Adds eff_*, nb_*, events_in and input_elems of a signal [T, B, ...] whose event at tick t and input i of a frame
/// asks for `fan_out(t, i)` products.
template <class Scalar, class FanOutOf>
EventCount count_calls(const Signal<Scalar>& x, const FanOutOf& fan_out, LayerLedger& record) {
  struct Call {
    EventCount events, products;
  };
  const std::ptrdiff_t ticks = x.shape[0], batch = x.shape[1], frame = x.shape.size_from(2);
  std::vector<Call> calls(static_cast<std::size_t>(ticks));
  synapses::with_elements(x, [&](const auto* elements) {
    parallel_for(ticks, 1, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (std::ptrdiff_t t = begin; t < end; ++t) {
        Call call;
        for (std::ptrdiff_t b = 0; b < batch; ++b) {
          each_event(elements + (t * batch + b) * frame, frame, [&](std::ptrdiff_t i, auto unit) {
            const std::uint64_t products = fan_out(t, i);
            ++(unit ? call.events.unit : call.events.graded);
            (unit ? call.products.unit : call.products.graded) += products;
          });
        }
        calls[static_cast<std::size_t>(t)] = call;
      }
    });
  });
  EventCount events;
  for (const Call& call : calls) {
    events.unit += call.events.unit;
    events.graded += call.events.graded;
    record.eff_unit += call.products.unit;
    record.eff_graded += call.products.graded;
    (call.events.graded == 0 ? record.nb_acs : record.nb_macs) += call.products.unit + call.products.graded;
  }
  record.events_in += events.unit + events.graded;
  record.input_elems += static_cast<std::uint64_t>(x.shape.size());
  return events;
}

}  // namespace synfire::network
