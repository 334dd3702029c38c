#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/commands.hpp"
#include "apps/dispatch.hpp"
#include "core/version.hpp"

namespace {

const std::vector<synfire::apps::CommandEntry> kCommands = {
    {"train", "train a network on event recordings, as a config says", synfire::apps::train_command},
    {"eval", "evaluate a trained run: accuracy, classes, confusion", synfire::apps::eval_command},
    {"simulate", "run a network on a recording, a data set or made input: spikes, rates, raster",
     synfire::apps::simulate_command},
    {"energy", "count what a trained run executes, and price it beside a dense twin", synfire::apps::energy_command},
    {"model", "layers, shapes, parameters, operations and memory of a config", synfire::apps::model_command},
    {"data", "look at, convert, simulate and view recordings", synfire::apps::data_command},
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (!args.empty() && args[0] == "--version") {
      std::cout << synfire::version_text();
      return synfire::apps::kExitOk;
    }
    return synfire::apps::dispatch(
        "synfire", "Trains and simulates spiking neural networks on event-camera recordings.", kCommands, args);
  } catch (const std::bad_alloc&) {
    std::cerr << "synfire: error: out of memory\n";
  } catch (const std::exception& problem) {
    std::cerr << "synfire: error: " << problem.what() << '\n';
  }
  return synfire::apps::kExitError;
}
