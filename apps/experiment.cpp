#include "apps/experiment.hpp"

#include <iostream>

namespace synfire::apps {

Shape Experiment::tick_shape() const { return data.train->sample_shape().drop_front(1); }

Experiment open_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const Config config = Config::load(file, overrides);
  const ConfigTable root = config.root();
  Experiment experiment;
  experiment.name = root.text("name", file.stem().string());
  experiment.seed = static_cast<std::uint64_t>(root.integer("seed", 1, 0));
  experiment.network = network::read_network_spec(root.table("network"));
  experiment.learning = learning::read_learning_config(root.table("learning"), experiment.network);
  // A slip in these is told before the recordings are read, which can take a while.
  root.table("network").finish();
  root.table("learning").finish();
  experiment.data = datasets::open_data(root, experiment.learning.batch_size);
  root.finish();
  for (const std::string& warning : experiment.data.warnings) std::cerr << "synfire: warning: " << warning << '\n';
  experiment.resolved = config.resolved();
  return experiment;
}

}  // namespace synfire::apps
