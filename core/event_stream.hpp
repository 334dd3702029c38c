#pragma once

#include <cstddef>
#include <cstdint>

#include "core/event_column.hpp"

namespace synfire {

/// One event of an event camera: the brightness of pixel (x, y) rose (`on` = 1) or fell (`on` = 0) at `t_us`.
/// The origin is the upper left corner, y points down.
struct Event {
  std::int64_t t_us = 0;
  std::uint16_t x = 0;
  std::uint16_t y = 0;
  std::uint8_t on = 0;

  bool operator==(const Event&) const = default;
};

/// A recording: a structure of arrays in the order of the file, usually of time. The four columns have equal length;
/// x < width and y < height for every event.
struct EventStream {
  int width = 0;
  int height = 0;
  EventColumn<std::int64_t> t_us;
  EventColumn<std::uint16_t> x;
  EventColumn<std::uint16_t> y;
  EventColumn<std::uint8_t> on;

  std::size_t size() const { return t_us.size(); }
  bool empty() const { return t_us.empty(); }
  Event operator[](std::size_t i) const { return {t_us[i], x[i], y[i], on[i]}; }
  void push_back(const Event& event) {
    t_us.push_back(event.t_us);
    x.push_back(event.x);
    y.push_back(event.y);
    on.push_back(event.on);
  }
  void reserve(std::size_t count) {
    t_us.reserve(count);
    x.reserve(count);
    y.reserve(count);
    on.reserve(count);
  }
  /// New events are zero.
  void resize(std::size_t count) {
    t_us.resize(count, 0);
    x.resize(count, 0);
    y.resize(count, 0);
    on.resize(count, 0);
  }
  /// New events are unset, to be written by the caller.
  void resize_for_overwrite(std::size_t count) {
    t_us.resize(count);
    x.resize(count);
    y.resize(count);
    on.resize(count);
  }

  bool operator==(const EventStream&) const = default;
};

}  // namespace synfire
