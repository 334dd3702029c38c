#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/config.hpp"
#include "learning/learning_config.hpp"
#include "network/delays.hpp"
#include "network/network.hpp"

using namespace synfire;

namespace {

struct Description {
  network::NetworkSpec network;
  learning::LearningConfig learning;
};

Description read(const std::filesystem::path& file) {
  const Config config = Config::load(file);
  Description result;
  result.network = network::read_network_spec(config.root().table("network"));
  result.learning = learning::read_learning_config(config.root().table("learning"), result.network);
  config.root().table("network").finish();
  config.root().table("learning").finish();
  return result;
}

std::filesystem::path configs() { return std::filesystem::path(SYNFIRE_SOURCE_DIR) / "configs"; }

std::size_t num_parameters(const network::Network<float>& network) {
  std::size_t count = 0;
  for (const auto& tensor : network.tensors)
    count += tensor.trained ? static_cast<std::size_t>(tensor.value.size()) : 0;
  return count;
}

}  // namespace

TEST_CASE("every configuration of the repository describes a network and how it learns") {
  int num_configs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(configs())) {
    if (!entry.is_regular_file()) continue;                             // configs/energy has tables, no experiments
    if (Config::load(entry.path()).root().has("simulation")) continue;  // neurons that do not learn: tests/apps
    CAPTURE(entry.path().string());
    CHECK_NOTHROW(read(entry.path()));
    ++num_configs;
  }
  CHECK(num_configs >= 11);
}

TEST_CASE("shd_delays and ssc_delays are the published networks and recipes") {
  struct Row {
    const char* name;
    std::size_t parameters;
    int epochs, batch_size, max_delay;
    double width;
  };
  // Parameters as [Hammouamri2024] has them: a weight and a delay a connection and kernel, scale and shift a channel.
  const Row rows[] = {{"shd_delays.toml", 214'016, 150, 256, 24, 12.0},
                      {"ssc_delays.toml", 2'458'624, 60, 128, 30, 15.0}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Description description = read(configs() / row.name);
    CHECK(num_parameters(network::build<float>(description.network, {140}, 1)) == row.parameters);
    CHECK(description.learning.epochs == row.epochs);
    CHECK(description.learning.batch_size == row.batch_size);
    CHECK(description.learning.delays.narrowing_epochs == row.epochs / 4);
    CHECK(description.learning.delays.final_width == 0.23);
    const auto& first = std::get<network::DelayedLinearSpec>(description.network.nodes[0].operation);
    CHECK(first.delay.max_delay == row.max_delay);
    CHECK(first.delay.extra_ticks == row.max_delay / 2);
    CHECK(first.width == row.width);
    const auto &weights = description.learning.groups.front(), &positions = description.learning.groups.back();
    CHECK(weights.optimizer.kind == learning::OptimizerKind::adam);
    CHECK(weights.optimizer.weight_decay == 1e-5);
    CHECK(weights.schedule.kind == learning::ScheduleKind::one_cycle);
    CHECK(weights.schedule.learning_rate == 5e-3);
    CHECK(weights.schedule.pace == learning::SchedulePace::epoch);
    CHECK(positions.kinds.front() == network::TensorKind::position);
    CHECK(positions.optimizer.weight_decay == 0.0);
    CHECK(positions.schedule.kind == learning::ScheduleKind::cosine);
    CHECK(positions.schedule.learning_rate == 0.1);
  }
}

TEST_CASE("the three configurations of FSDD differ in their delays alone") {
  const Description learned = read(configs() / "fsdd_delays.toml"), fixed = read(configs() / "fsdd_fixed_delays.toml"),
                    none = read(configs() / "fsdd_no_delays.toml");
  CHECK(network::has_learned_delays(learned.network));
  CHECK_FALSE(network::has_learned_delays(fixed.network));
  CHECK_FALSE(network::has_learned_delays(none.network));
  for (const Description* other : {&fixed, &none}) {
    CHECK(other->learning.epochs == learned.learning.epochs);
    CHECK(other->learning.batch_size == learned.learning.batch_size);
    REQUIRE(other->network.nodes.size() == learned.network.nodes.size());
    for (std::size_t i = 0; i < learned.network.nodes.size(); ++i)
      CHECK(other->network.nodes[i].name == learned.network.nodes[i].name);
  }
  for (const auto& node : network::delays_of(network::build<float>(none.network, {140}, 1))) CHECK(node.max_delay == 0);
}
