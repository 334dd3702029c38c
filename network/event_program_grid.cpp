// Weights and drives on the grid of the population that they lead to.
#include <algorithm>
#include <cmath>

#include "network/event_expression.hpp"

namespace synfire::network {

namespace {

/// What neurons send.
struct Source {
  std::ptrdiff_t size;
  double most;  ///< the largest value of an event
};

/// More than one after an average pool.
double neurons_at_an_input(const Source& source, const EventSignal& from, std::ptrdiff_t inputs) {
  if (from.place.empty()) return 1.0;
  std::vector<std::int32_t> count(static_cast<std::size_t>(inputs));
  std::int32_t most = 1;
  for (const std::int32_t place : from.place) {
    if (place >= 0) most = std::max(most, ++count[static_cast<std::size_t>(place)]);
  }
  return static_cast<double>(std::min<std::ptrdiff_t>(most, source.size));
}

// Each adds to `sum` how far the current of an output can come from 0, if every event counts `factor`.

/// Per channel for a kernel, since the sums of its pixels differ at the edges only.
void add_absolute(const ConvWeights<double>& w, const Source& source, const EventSignal& from, double factor,
                  std::vector<double>& sum) {
  const double times = neurons_at_an_input(source, from, w.in_h * w.in_w * w.in_channels);
  std::vector<double> channel(static_cast<std::size_t>(w.out));
  for (std::size_t k = 0; k < w.values.size(); ++k) {
    channel[k % channel.size()] += factor * times * std::abs(w.values[k]);
  }
  for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += channel[n % channel.size()];
}

void add_absolute(const DirectWeights<double>& w, const Source& source, const EventSignal& from, double factor,
                  std::vector<double>& sum) {
  for (std::ptrdiff_t n = 0; n < source.size; ++n) {
    const std::ptrdiff_t to = from.place.empty() ? n : from.place[static_cast<std::size_t>(n)];
    if (to >= 0) sum[static_cast<std::size_t>(to)] += factor * std::abs(w.value);
  }
}

template <class Weights>
void add_absolute(const Weights& w, const Source& source, const EventSignal& from, double factor,
                  std::vector<double>& sum) {
  const double times = neurons_at_an_input(source, from, w.in);
  each_weight(w, [&](double value, std::ptrdiff_t out) {
    sum[static_cast<std::size_t>(out)] += factor * times * std::abs(value);
  });
}

int shift_for(const EventExpression& current, const EventProgram& program, const Population& population) {
  std::vector<double> sum(static_cast<std::size_t>(population.size()));
  for (std::size_t n = 0; n < current.drive.size(); ++n) sum[n] = std::abs(current.drive[n]);
  for (const EventCurrent& part : current.currents) {
    const auto at = static_cast<std::size_t>(part.from.source);
    const bool is_own = at == program.populations.size();
    const Population& source = is_own ? population : program.populations[at];
    const double most = source.kind == Population::Kind::input ? program.max_count : 1;
    std::visit(
        [&](const auto& w) {
          add_absolute(w, {source.size(), most}, part.from, most * std::abs(part.from.factor), sum);
        },
        part.weights);
  }
  const double largest = sum.empty() ? 0.0 : *std::max_element(sum.begin(), sum.end());
  if (!(largest > 0.0)) return 0;
  return std::clamp(30 - std::ilogb(largest), -30, 30);
}

/// From a weight to a whole number.
struct Grid {
  bool counts = true;  ///< false: all that matters is that something comes
  int shift = 0;
  double factor = 1.0;

  std::int32_t whole(double value) const {
    return counts ? static_cast<std::int32_t>(std::llrint(std::ldexp(value * factor, shift))) : std::int32_t{1};
  }
  std::vector<std::int32_t> whole(const std::vector<double>& values) const {
    std::vector<std::int32_t> result;
    result.reserve(values.size());
    for (const double value : values) result.push_back(whole(value));
    return result;
  }

  EventWeights<std::int32_t> operator()(const DirectWeights<double>& w) const {
    return DirectWeights<std::int32_t>{whole(w.value)};
  }
  EventWeights<std::int32_t> operator()(const DenseWeights<double>& w) const {
    return DenseWeights<std::int32_t>{w.in, w.out, whole(w.values)};
  }
  EventWeights<std::int32_t> operator()(const ConvWeights<double>& w) const {
    return ConvWeights<std::int32_t>{w.in_h, w.in_w,   w.in_channels, w.out_h,   w.out_w,
                                     w.out,  w.kernel, w.stride,      w.padding, whole(w.values)};
  }
  EventWeights<std::int32_t> operator()(const DelayedWeights<double>& w) const {
    DelayedWeights<std::int32_t> result{w.in, w.out, w.first_segment, {}, w.target, whole(w.values)};
    for (const auto& s : w.segments) result.segments.push_back({s.delay, s.first, s.last});
    return result;
  }
};

}  // namespace

void put_on_grid(const EventExpression& current, const EventProgram& program, Population& population) {
  Grid grid{.counts = population.kind != Population::Kind::any};
  if (grid.counts) grid.shift = shift_for(current, program, population);
  population.shift = grid.shift;
  for (const double drive : current.drive) population.drive.push_back(grid.whole(drive));
  for (const EventCurrent& part : current.currents) {
    grid.factor = part.from.factor;
    population.inputs.push_back(
        {part.from.source, part.from.place, part.from_last_tick, std::visit(grid, part.weights)});
  }
}

}  // namespace synfire::network
