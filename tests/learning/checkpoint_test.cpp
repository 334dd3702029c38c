#include "learning/checkpoint.hpp"

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "core/hdf5_file.hpp"
#include "core/random.hpp"
#include "tests/learning/training_fixture.hpp"

using namespace synfire;

namespace {

const std::string kConfigText = "[learning]\nepochs = 6\n";

learning::Progress some_progress() {
  learning::Progress progress;
  progress.seed = 0xFEDCBA9876543210U;
  progress.epoch = 2;
  progress.batches_done = 3;
  progress.num_batches = 8;
  progress.step = 19;
  progress.loss_sum = 1.25;
  progress.num_correct = 17;
  progress.num_samples = 24;
  progress.firing_rates = {0.5, 0.125};
  progress.best_epoch = 1;
  progress.best_accuracy = 0.875;
  progress.best_loss = 0.5;
  progress.history = {{0, 8, 0.01, 1.5, 0.5, 1.25, 0.75, 0.5}, {1, 16, 0.02, 1.0, 0.75, 0.5, 0.875, 1.0}};
  return progress;
}

/// Weights and offsets have one each.
std::vector<learning::Optimizer<float>> two_optimizers(network::Network<float>& network) {
  std::vector<learning::Optimizer<float>> optimizers;
  for (const auto kind : {network::TensorKind::weight, network::TensorKind::offset})
    optimizers.emplace_back(learning::OptimizerConfig{}, network, std::vector{kind});
  return optimizers;
}

std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("a checkpoint gives back parameters, buffers, optimiser state, progress and configuration") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "last.h5";
  auto network = test::small_network(1), other = test::small_network(2);
  std::vector<learning::Optimizer<float>> optimizers = two_optimizers(network), restored = two_optimizers(other);
  float fill = 0.5F;
  for (auto& tensor : network.tensors) tensor.value[0] = fill += 1.0F;
  for (auto& optimizer : optimizers) {
    for (auto& state : optimizer.state()) state.value[0] = fill += 1.0F;
  }
  optimizers[0].set_num_steps(19);
  optimizers[1].set_num_steps(11);

  learning::write_checkpoint(file, kConfigText, network, optimizers, some_progress());
  const learning::Progress progress = learning::read_checkpoint(file, other, restored);

  CHECK(test::all_values(other) == test::all_values(network));
  CHECK(restored[0].num_steps() == 19);
  CHECK(restored[1].num_steps() == 11);
  for (std::size_t k = 0; k < 2; ++k) {
    const auto expected = optimizers[k].state(), state = restored[k].state();
    CHECK_FALSE(expected.empty());
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(state[i].value[0] == expected[i].value[0]);
  }
  CHECK(progress.seed == 0xFEDCBA9876543210U);
  CHECK(progress.epoch == 2);
  CHECK(progress.batches_done == 3);
  CHECK(progress.num_batches == 8);
  CHECK(progress.step == 19);
  CHECK(progress.loss_sum == 1.25);
  CHECK(progress.num_correct == 17);
  CHECK(progress.num_samples == 24);
  CHECK(progress.firing_rates == std::vector{0.5, 0.125});
  CHECK(progress.best_epoch == 1);
  CHECK(progress.best_accuracy == 0.875);
  CHECK(progress.best_loss == 0.5);
  CHECK(progress.history == some_progress().history);
  CHECK(learning::read_checkpoint_config(file) == kConfigText);
}

TEST_CASE("the weights of a checkpoint can be read without its optimiser") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "best.h5";
  auto network = test::small_network(1), other = test::small_network(2);
  learning::Optimizer<float> optimizer({.kind = learning::OptimizerKind::sgd}, network);
  learning::write_checkpoint(file, "", network, {&optimizer, 1}, {});

  learning::read_checkpoint_weights(file, other);

  CHECK(test::all_values(other) == test::all_values(network));
}

TEST_CASE("a checkpoint of another network, optimiser or version is refused by name") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "last.h5";
  auto network = test::small_network(1), wider = test::small_network(1, 20);
  learning::Optimizer<float> sgd({.kind = learning::OptimizerKind::sgd, .momentum = 0.9}, network), adam({}, network);
  learning::write_checkpoint(file, "", network, {&sgd, 1}, {});

  CHECK_THROWS_WITH_AS(
      learning::read_checkpoint_weights(file, wider),
      (file.string() + ": weights/fc1.weight: must have the shape [20, 12], has [16, 12]; the checkpoint is of another "
                       "network")
          .c_str(),
      FormatError);
  CHECK_THROWS_WITH_AS(learning::read_checkpoint(file, network, {&adam, 1}),
                       (file.string() + ": optimizer/fc1.weight/first_moment: is missing; the checkpoint is of another "
                                        "network or optimizer")
                           .c_str(),
                       FormatError);
  network.tensors.pop_back();
  CHECK_THROWS_WITH_AS(
      learning::read_checkpoint_weights(file, network),
      (file.string() + ": weights/fc2.bias: is not part of the network; the checkpoint is of another one").c_str(),
      FormatError);

  const auto future = folder.path() / "future.h5", foreign = folder.path() / "foreign.h5";
  {
    Hdf5File created = Hdf5File::create(future);
    created.write_text("format", "synfire checkpoint");
    const std::int64_t version = 3;
    created.write<std::int64_t>("format_version", {&version, 1}, {});
    created.commit();
    Hdf5File::create(foreign).commit();
  }
  CHECK_THROWS_WITH_AS(learning::read_checkpoint_config(future),
                       (future.string() + ": is a checkpoint of version 3, this program reads version 2").c_str(),
                       FormatError);
  CHECK_THROWS_WITH_AS(learning::read_checkpoint_config(foreign),
                       (foreign.string() + ": is not a Synfire checkpoint").c_str(), FormatError);
  CHECK_THROWS_AS(learning::read_checkpoint_config(folder.path() / "none.h5"), FileError);
}

TEST_CASE("a damaged checkpoint is an error, or reads as what was written") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "last.h5", damaged = folder.path() / "damaged.h5";
  auto network = test::small_network(1);
  learning::Optimizer<float> optimizer({}, network);
  learning::write_checkpoint(file, kConfigText, network, {&optimizer, 1}, some_progress());
  const std::vector<float> expected = test::all_values(network);
  const std::string whole = read_bytes(file);

  constexpr int kTrials = 300;
  int refused = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const RandomStream random(5, 0, static_cast<std::uint32_t>(trial));
    std::string bytes = whole;
    if (trial % 10 == 0) {
      bytes.resize(random.below(0, whole.size()));
    } else {
      bytes[random.below(0, whole.size())] ^= static_cast<char>(1U << random.below(1, 8));
    }
    write_bytes(damaged, bytes);
    auto other = test::small_network(2);
    learning::Optimizer<float> restored({}, other);
    try {
      const learning::Progress progress = learning::read_checkpoint(damaged, other, {&restored, 1});
      const std::string config_text = learning::read_checkpoint_config(damaged);
      CHECK(config_text == kConfigText);
      CHECK(test::all_values(other) == expected);
      CHECK(progress.history == some_progress().history);
      CHECK(progress.loss_sum == some_progress().loss_sum);
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused >= kTrials / 10);
}
