// Networks that have a name stand for the layers that a configuration would spell out.
#include <doctest/doctest.h>

#include "core/error.hpp"
#include "network/summary.hpp"
#include "tests/network/small_networks.hpp"

using namespace synfire;
using namespace synfire::network;

namespace {

std::string problem(const std::string& toml) {
  try {
    test::spec_of(toml);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("dvs_gesture_net is the network for DVS128 Gesture, with 110 neurons that vote for 11 classes") {
  const NetworkSpec spec = test::spec_of("[network]\nbuilder = \"dvs_gesture_net\"\n");
  const Summary summary = summarize(spec, Shape{128, 128, 2});

  CHECK(summary.nodes.back().output == Shape{11});
  const std::int64_t convolutions = 9 * 128 * (2 + 4 * 128) + 5 * 2 * 128;
  CHECK(summary.parameters == convolutions + (4 * 4 * 128 * 512 + 512) + (512 * 110 + 110));
  const auto& lif = std::get<LifSpec>(spec.nodes[2].operation).config;
  CHECK(lif.tau_mem_ms == 2.0);
  CHECK(lif.surrogate.kind == neurons::SurrogateKind::atan);

  const NetworkSpec small = test::spec_of(
      "[network]\ndt_ms = 5.0\nbuilder = \"dvs_gesture_net\"\nchannels = 4\nblocks = 2\nhidden = 8\nclasses = 3\n"
      "vote = 2\n[network.neuron]\ntau = 4.0\nlearn_tau = true\n");
  CHECK(small.nodes.size() == 2 * 4 + 8);
  CHECK(std::get<LifSpec>(small.nodes[2].operation).config.tau_mem_ms == 20.0);
  CHECK(summarize(small, Shape{8, 8, 1}).nodes.back().output == Shape{3});
}

TEST_CASE("snn_delays has the 214,016 parameters of the network for SHD") {
  const NetworkSpec spec = test::spec_of("[network]\ndt_ms = 10.0\nbuilder = \"snn_delays\"\nclasses = 20\n");

  CHECK(summarize(spec, Shape{140}).parameters == 214'016);
  CHECK(std::get<DelayedLinearSpec>(spec.nodes[0].operation).width == 12.0);
  CHECK(std::get<LifSpec>(spec.nodes[2].operation).config.tau_mem_ms == doctest::Approx(10.05));
  CHECK_FALSE(std::get<LifSpec>(spec.nodes[2].operation).config.decay_input);
  CHECK(
      says(problem("[network]\nbuilder = \"snn_delays\"\nclasses = 20\nmax_delay_ticks = 7\n"), "must be even, got 7"));
}

TEST_CASE("a builder that is not there is told with the nearest one, and a network is built in one way only") {
  CHECK(says(problem("[network]\nbuilder = \"spikmanba\"\n"), "spikmamba"));
  CHECK(says(problem("[network]\nbuilder = \"dvs_gesture_net\"\n[[network.layers]]\ntype = \"lif\"\n"),
             "network.layers: a network is built by name or from layers, not both"));
  CHECK(says(problem("[network]\nbuilder = \"dvs_gesture_net\"\nchanels = 3\n"), "channels"));
}
