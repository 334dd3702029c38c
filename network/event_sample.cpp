#include "network/event_sample.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "network/event_rows.hpp"
#include "network/sparse/lanes8.hpp"
#include "synapses/nonzeros.hpp"

namespace synfire::network {

namespace {

constexpr std::int32_t kWatchTicks = 256;
/// Synaptic events of a tick that are worth waking other threads for: some 15 us of one thread.
constexpr std::ptrdiff_t kSharedFrom = 1 << 17;

/// The longest delay of what comes into a population.
std::ptrdiff_t longest_delay(const Population& population) {
  std::ptrdiff_t longest = 0;
  for (const Projection& projection : population.inputs) {
    if (const auto* delayed = std::get_if<DelayedWeights<std::int32_t>>(&projection.weights)) {
      for (const auto& segment : delayed->segments) longest = std::max<std::ptrdiff_t>(longest, segment.delay);
    }
  }
  return longest;
}

std::ptrdiff_t place_of(const Projection& projection, std::int32_t neuron) {
  return projection.place.empty() ? neuron : projection.place[static_cast<std::size_t>(neuron)];
}

}  // namespace

EventSample::EventSample(const EventProgram& program, const std::vector<EventNeurons>& neurons)
    : program_(program), neurons_(neurons), states_(program.populations.size()), counts_(program.populations.size()) {
  for (std::size_t p = 0; p < states_.size(); ++p) {
    const Population& population = program.populations[p];
    const auto size = static_cast<std::size_t>(population.size());
    const std::ptrdiff_t blocks = population.size() / population.block();
    State& state = states_[p];
    state.sums.resize(size);
    state.touched.resize(blocks);
    state.look_at.resize(static_cast<std::size_t>(blocks));
    state.arrivals = TickQueue<Arrival>(longest_delay(population), 1, kMaxWaiting);
  }
}

void EventSample::reset(std::int32_t num_ticks) {
  num_ticks_ = num_ticks;
  for (std::size_t p = 0; p < states_.size(); ++p) {
    const Population& population = program_.populations[p];
    State& state = states_[p];
    std::visit([&](const auto& model) { model.start(state.neurons); }, neurons_[p]);
    state.events.clear();  // the last events of the first tick
    std::fill(state.sums.begin(), state.sums.end(), 0);
    state.touched.clear();
    std::fill(state.look_at.begin(), state.look_at.end(), kNever);
    state.arrivals.clear();
    state.waiting = 0;
    const auto ticks = static_cast<std::size_t>(num_ticks + population.extra_ticks);
    if (state.looks.size() < ticks) state.looks.resize(ticks);
    for (auto& looks : state.looks) looks.clear();
    if (mode_ == EventMode::events && population.kind == Population::Kind::neurons) {
      std::visit(
          [&](const auto& model) {
            for (std::int32_t block = 0; block < state.touched.size(); ++block) look_ahead(model, -1, p, block);
          },
          neurons_[p]);
    }
  }
}

void EventSample::run(EventMode mode, std::int32_t num_ticks, const float* input, std::ptrdiff_t tick_stride,
                      float* output, std::ptrdiff_t output_stride, std::vector<EventSpike>* spikes) {
  mode_ = mode;
  reset(num_ticks);
  const std::int32_t last_tick = num_ticks + program_.populations.back().extra_ticks;
  for (std::int32_t tick = 0; tick < last_tick; ++tick) {
    states_[0].events.clear();
    if (tick < num_ticks) read_input(input + tick * tick_stride);
    for (std::size_t p = 1; p < states_.size(); ++p) {
      const Population& population = program_.populations[p];
      states_[p].events.swap(states_[p].last_events);
      states_[p].events.clear();
      if (tick >= num_ticks + population.extra_ticks) continue;
      deliver(tick, p);
      switch (population.kind) {
        case Population::Kind::neurons:
          fire_neurons(tick, p);
          break;
        case Population::Kind::any:
          fire_any(p);
          break;
        case Population::Kind::readout:
          read_out(tick, p, output + tick * output_stride);
          break;
        case Population::Kind::input:
          break;
      }
      counts_[p].events_out += states_[p].events.size();
      if (spikes == nullptr) continue;
      for (const Event& event : states_[p].events) {
        spikes->push_back({tick, static_cast<std::int32_t>(p), event.neuron});
      }
    }
    const std::int32_t since = tick % kWatchTicks + 1;
    if (watcher_ != nullptr && (since == kWatchTicks || tick + 1 == last_tick)) (*watcher_)(since);
  }
}

void EventSample::read_input(const float* frame) {
  State& state = states_[0];
  synapses::each_mask(frame, program_.populations[0].size(), [&](std::ptrdiff_t first, unsigned mask) {
    for (; mask != 0; mask &= mask - 1) {
      const std::ptrdiff_t n = first + std::countr_zero(mask);
      const float value = frame[n];
      if (!(value > 0.0F && value <= static_cast<float>(program_.max_count)) ||
          static_cast<float>(static_cast<std::int32_t>(value)) != value) {
        throw ShapeError(
            fmt::format("[events] the input must be whole counts from 0 to {}, got {}", program_.max_count, value));
      }
      state.events.push_back({static_cast<std::int32_t>(n), static_cast<std::int32_t>(value)});
    }
  });
  counts_[0].events_out += state.events.size();
}

void EventSample::deliver(std::int32_t tick, std::size_t p) {
  const Population& population = program_.populations[p];
  State& state = states_[p];
  for (std::size_t k = 0; k < population.inputs.size(); ++k) {
    const Projection& projection = population.inputs[k];
    std::visit([&](const auto& weights) { deliver(weights, projection, tick, p, static_cast<std::int32_t>(k)); },
               projection.weights);
  }
  // What was sent before and arrives now. New arrivals of this tick have been added just above.
  if (state.arrivals.empty()) return;
  if (state.arrivals.tick() < tick) state.arrivals.advance_to(tick);
  state.arrivals.visit_arrivals(0, [&](std::span<const Arrival> arrivals) {
    for (const Arrival& arrival : arrivals) {
      const Projection& projection = population.inputs[static_cast<std::size_t>(arrival.projection)];
      const auto& w = std::get<DelayedWeights<std::int32_t>>(projection.weights);
      const auto& segment = w.segments[static_cast<std::size_t>(arrival.segment)];
      for (auto s = static_cast<std::size_t>(segment.first); s < static_cast<std::size_t>(segment.last); ++s) {
        state.sums[static_cast<std::size_t>(w.target[s])] += arrival.value * w.values[s];
      }
      count_synapses(p, projection, arrival.value, segment.last - segment.first);
    }
    state.touched.add(0);
    state.waiting -= arrivals.size();
  });
}

void EventSample::deliver(const DenseWeights<std::int32_t>& w, const Projection& projection, std::int32_t,
                          std::size_t p, std::int32_t) {
  State& state = states_[p];
  rows_.clear();
  for (const Event& event : events_for(projection)) {
    const std::ptrdiff_t i = place_of(projection, event.neuron);
    if (i < 0) continue;
    const std::int32_t* const row = w.values.data() + i * w.out;
    if (event.value == 1) {
      rows_.push_back(row);
    } else {
      add_multiple(row, event.value, w.out, state.sums.data());
      count_synapses(p, projection, event.value, w.out);
      state.touched.add(0);
    }
  }
  if (rows_.empty()) return;
  const auto add = [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    add_rows(rows_, first, last - first, state.sums.data() + first);
  };
  if (shares_ > 1 && std::ssize(rows_) * w.out >= kSharedFrom) {
    parallel_for(w.out, (w.out + shares_ - 1) / shares_, add);
  } else {
    add(0, w.out);
  }
  count_synapses(p, projection, 1, std::ssize(rows_) * w.out);
  state.touched.add(0);
}

void EventSample::deliver(const ConvWeights<std::int32_t>& w, const Projection& projection, std::int32_t, std::size_t p,
                          std::int32_t) {
  State& state = states_[p];
  const std::vector<Event>& events = events_for(projection);
  const std::ptrdiff_t kernel_size = w.kernel * w.kernel * w.out;
  for (std::size_t k = 0; k < events.size();) {
    const std::int32_t value = events[k].value;
    const std::ptrdiff_t i = place_of(projection, events[k].neuron);
    if (i < 0) {
      ++k;
      continue;
    }
    // The events of a pixel, one behind the other, reach the same neurons.
    const std::ptrdiff_t pixel = static_cast<std::uint32_t>(i) / static_cast<std::uint32_t>(w.in_channels);
    const std::ptrdiff_t first_channel = pixel * w.in_channels;
    rows_.clear();
    for (std::ptrdiff_t next = i; events[k].value == value;) {
      rows_.push_back(w.values.data() + (next - first_channel) * kernel_size);
      if (++k == events.size()) break;
      next = place_of(projection, events[k].neuron);
      if (next < first_channel || next >= first_channel + w.in_channels) break;
    }
    const std::ptrdiff_t in_row = static_cast<std::uint32_t>(pixel) / static_cast<std::uint32_t>(w.in_w);
    const std::ptrdiff_t y = in_row + w.padding, x = pixel - in_row * w.in_w + w.padding;
    const auto first = [&](std::ptrdiff_t at) { return at < w.kernel ? 0 : (at - w.kernel + w.stride) / w.stride; };
    const std::ptrdiff_t last_row = std::min(w.out_h - 1, y / w.stride);
    const std::ptrdiff_t first_column = first(x), last_column = std::min(w.out_w - 1, x / w.stride);
    // With a stride of 1, neighbouring targets take neighbouring weights.
    const std::ptrdiff_t together = w.stride == 1 ? last_column - first_column + 1 : 1;
    for (std::ptrdiff_t row = first(y); row <= last_row; ++row) {
      const std::ptrdiff_t ky = y - row * w.stride;
      for (std::ptrdiff_t column = first_column; column <= last_column; column += together) {
        const std::ptrdiff_t from_right = w.kernel - 1 - (x - column * w.stride), target = row * w.out_w + column;
        const std::ptrdiff_t offset = (ky * w.kernel + from_right) * w.out;
        std::int32_t* const sums = state.sums.data() + target * w.out;
        if (value == 1) {
          add_short_rows(rows_, offset, together * w.out, sums);
        } else {
          for (const std::int32_t* weights : rows_) add_multiple(weights + offset, value, together * w.out, sums);
        }
        for (std::ptrdiff_t n = 0; n < together; ++n) state.touched.add(target + n);
        count_synapses(p, projection, value, std::ssize(rows_) * together * w.out);
      }
    }
  }
}

void EventSample::deliver(const DelayedWeights<std::int32_t>& w, const Projection& projection, std::int32_t tick,
                          std::size_t p, std::int32_t index) {
  State& state = states_[p];
  const std::int32_t end = num_ticks_ + program_.populations[p].extra_ticks;
  if (state.arrivals.tick() < tick) state.arrivals.advance_to(tick);
  for (const Event& event : events_for(projection)) {
    const std::ptrdiff_t i = place_of(projection, event.neuron);
    if (i < 0) continue;
    for (std::int32_t s = w.first_segment[static_cast<std::size_t>(i)];
         s < w.first_segment[static_cast<std::size_t>(i) + 1]; ++s) {
      const std::int32_t delay = w.segments[static_cast<std::size_t>(s)].delay;
      if (tick + delay >= end) break;
      state.arrivals.push(delay, 0, {index, s, event.value});
      push(p);
    }
  }
}

void EventSample::deliver(const DirectWeights<std::int32_t>& w, const Projection& projection, std::int32_t,
                          std::size_t p, std::int32_t) {
  State& state = states_[p];
  const std::ptrdiff_t block = program_.populations[p].block();
  for (const Event& event : events_for(projection)) {
    const std::ptrdiff_t to = place_of(projection, event.neuron);
    if (to < 0) continue;
    state.sums[static_cast<std::size_t>(to)] += event.value * w.value;
    state.touched.add(static_cast<std::uint32_t>(to) / static_cast<std::uint32_t>(block));
    count_synapses(p, projection, event.value, 1);
  }
}

void EventSample::fire_neurons(std::int32_t tick, std::size_t p) {
  State& state = states_[p];
  if (mode_ == EventMode::clocked) {
    for (std::ptrdiff_t block = 0; block < state.touched.size(); ++block) state.touched.add(block);
  } else {
    state.waiting -= state.looks[static_cast<std::size_t>(tick)].size();
    for (const Look& look : state.looks[static_cast<std::size_t>(tick)]) {
      if (state.look_at[static_cast<std::size_t>(look.block)] == tick) {
        state.touched.add(look.block);
      } else {
        ++counts_[p].queue_stale;
      }
    }
  }
  std::visit(
      [&](const auto& model) {
        state.touched.take([&](std::int32_t block) {
          update(model, tick, p, block);
          if (mode_ == EventMode::events) look_ahead(model, tick, p, block);
        });
      },
      neurons_[p]);
}

template <class Model>
void EventSample::update(const Model& model, std::int32_t tick, std::size_t p, std::int32_t block) {
  State& state = states_[p];
  if (trace_ != nullptr && p == traced_population_ && block == traced_neuron_ / program_.populations[p].block()) {
    const auto n = static_cast<std::size_t>(traced_neuron_);
    trace_->push_back(model.charged(tick, n, state.neurons, state.sums[n]));
  }
  model.tick(tick, block, state.neurons, state.sums.data(), counts_[p], [&](std::ptrdiff_t n) {
    state.events.push_back({static_cast<std::int32_t>(n), 1});
  });
}

template <class Model>
void EventSample::look_ahead(const Model& model, std::int32_t tick, std::size_t p, std::int32_t block) {
  State& state = states_[p];
  const std::int32_t horizon = num_ticks_ + program_.populations[p].extra_ticks - 1 - tick;
  const std::int32_t wait = horizon < 1 ? kNever : model.could_fire_in(tick, block, horizon, state.neurons, counts_[p]);
  std::int32_t& look_at = state.look_at[static_cast<std::size_t>(block)];
  if (wait == kNever) {
    look_at = kNever;
    return;
  }
  if (look_at == tick + wait) return;
  look_at = tick + wait;
  state.looks[static_cast<std::size_t>(look_at)].push_back({block});
  push(p);
}

void EventSample::fire_any(std::size_t p) {
  State& state = states_[p];
  const std::ptrdiff_t size = program_.populations[p].block();
  std::int32_t* const sums = state.sums.data();
  state.touched.take([&](std::int32_t block) {
    std::ptrdiff_t n = block * size;
    const std::ptrdiff_t end = n + size;
    for (; n + 8 <= end; n += 8) {
      std::uint32_t fires = lane_bits(load_sums(sums + n) != 0);
      for (; fires != 0; fires &= fires - 1) {
        state.events.push_back({static_cast<std::int32_t>(n) + std::countr_zero(fires), 1});
      }
    }
    for (; n < end; ++n) {
      if (sums[n] != 0) state.events.push_back({static_cast<std::int32_t>(n), 1});
    }
    std::fill(sums + block * size, sums + end, 0);
    counts_[p].neuron_updates += static_cast<std::uint64_t>(size);
  });
}

void EventSample::read_out(std::int32_t tick, std::size_t p, float* out) {
  State& state = states_[p];
  std::visit([&](const auto& model) { model.read(tick, state.neurons, state.sums.data(), out, counts_[p]); },
             neurons_[p]);
}

}  // namespace synfire::network
