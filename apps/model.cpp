#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/experiment.hpp"
#include "apps/model_table.hpp"
#include "network/clocked_runtime.hpp"
#include "network/summary.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

int model_command(const Arguments& args) {
  CommandLine line(
      "synfire model", "CONFIG",
      "Prints the layers of a network: shapes, parameters, multiply-accumulates (dense), and the memory of a "
      "training step,\nbefore anything runs.");
  line.options().add_options()("set", po::value<std::vector<std::string>>(),
                               "KEY=VALUE: overrides a key of the config; may be repeated")("json", "print JSON");
  line.positional("config", 1);
  if (!line.parse(args)) return kExitOk;

  const Experiment experiment = open_experiment(line.list("config").front(), line.list("set"));
  const Shape sample = experiment.data.train->sample_shape();
  const std::ptrdiff_t ticks = sample[0];
  const std::ptrdiff_t batch = experiment.learning.batch_size;
  network::Network<float> network = network::build<float>(experiment.network, experiment.tick_shape(), experiment.seed);
  const network::ClockedRuntime<float> runtime(network);
  const network::Summary summary = network::summarize(network.spec, network.input);
  const std::size_t train_bytes = runtime.planned_bytes(ticks, batch, network::Mode::train);
  const std::size_t eval_bytes = runtime.planned_bytes(ticks, batch, network::Mode::eval);

  if (line.has("json")) {
    nlohmann::ordered_json result = {{"name", experiment.name},
                                     {"ticks", ticks},
                                     {"batch", batch},
                                     {"input", network.input.text()},
                                     {"parameters", summary.parameters},
                                     {"macs_per_sample", summary.macs_per_tick * static_cast<double>(ticks)},
                                     {"train_step_bytes", train_bytes},
                                     {"eval_step_bytes", eval_bytes},
                                     {"layers", nlohmann::ordered_json::array()}};
    for (const network::NodeSummary& node : summary.nodes) {
      result["layers"].push_back({{"name", node.name},
                                  {"type", node.type},
                                  {"detail", node.detail},
                                  {"output", node.output.text()},
                                  {"parameters", node.parameters},
                                  {"macs_per_sample", node.macs_per_tick * static_cast<double>(ticks)}});
    }
    std::cout << result.dump(2) << '\n';
    return kExitOk;
  }
  std::cout << fmt::format("{}: input {} over {} ticks of {} ms\n\n{}\n", experiment.name, network.input.text(), ticks,
                           experiment.network.dt_ms, model_table(network, ticks).text())
            << fmt::format("arena of a training step with batch {}: {} (evaluation: {})\n", batch,
                           byte_text(static_cast<double>(train_bytes)), byte_text(static_cast<double>(eval_bytes)));
  return kExitOk;
}

}  // namespace synfire::apps
