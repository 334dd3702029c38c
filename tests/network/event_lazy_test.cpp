#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/parallel.hpp"
#include "network/event_parity.hpp"
#include "network/event_runtime.hpp"
#include "tests/network/event_passes.hpp"
#include "tests/network/small_networks.hpp"

namespace synfire {

namespace {

using network::EventArithmetic;
using network::EventMode;
using test::network_of;
using test::num_spikes;
using test::Pass;
using test::random_counts;

Pass run(const network::Network<float>& net, const Tensor<float>& input, EventMode mode = EventMode::events) {
  return test::run(net, input, mode, EventArithmetic::lazy);
}

network::Network<float> random_network(std::uint64_t seed) {
  network::Network<float> net = network_of(test::random_layers(seed), {12}, seed);
  test::shake(net, seed);
  test::set_drives_at_threshold(net, seed);
  return net;
}

Tensor<float> random_input(std::uint64_t seed, std::ptrdiff_t batch = 1) {
  return random_counts({60, batch, 12}, 0.02 + 0.1 * static_cast<double>(seed % 3), 77, 2);
}

}  // namespace

TEST_CASE("600 random networks fire the same spikes event by event and clocked, in closed form") {
  std::size_t spikes = 0, by_themselves = 0, differ_from_steps = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    CAPTURE(seed);
    const network::Network<float> net = random_network(seed);
    const Tensor<float> input = random_input(seed);
    const Pass events = run(net, input), clocked = run(net, input, EventMode::clocked);
    CHECK(events.spikes == clocked.spikes);
    CHECK(events.output == clocked.output);
    spikes += num_spikes(events);
    by_themselves += num_spikes(run(net, Tensor<float>(Shape{60, 1, 12}))) > 0 ? 1 : 0;
    differ_from_steps +=
        events.spikes == test::run(net, input, EventMode::events, EventArithmetic::stepped).spikes ? 0 : 1;
  }
  CHECK(spikes > 100'000);
  CHECK(by_themselves > 100);
  MESSAGE(differ_from_steps << " of 600 differ from steps, " << spikes << " spikes");
}

}  // namespace synfire
