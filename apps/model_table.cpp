#include "apps/model_table.hpp"

#include <cmath>

#include "network/summary.hpp"

namespace synfire::apps {

TextTable model_table(const network::Network<float>& network, std::ptrdiff_t num_ticks) {
  TextTable table({"layer", "type", "", "output", "parameters", "MACs/sample"});
  const network::Summary summary = network::summarize(network.spec, network.input);
  const auto macs = [&](double per_tick) { return grouped(std::llround(per_tick * static_cast<double>(num_ticks))); };
  for (const network::NodeSummary& node : summary.nodes) {
    table.add(
        {node.name, node.type, node.detail, node.output.text(), grouped(node.parameters), macs(node.macs_per_tick)});
  }
  table.add({"total", "", "", "", grouped(summary.parameters), macs(summary.macs_per_tick)});
  return table;
}

}  // namespace synfire::apps
