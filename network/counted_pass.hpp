#pragma once

#include <any>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/arena.hpp"

namespace synfire::network {

/// What is known while a pass is counted, so that nothing is counted twice. Private to the room.
class CountedPass {
 public:
  explicit CountedPass(std::size_t num_nodes) : tables_(num_nodes) {}

  void start() { events_.clear(); }
  void start_node(std::size_t index) { node_ = index; }
  /// The weights have changed, or how they are read.
  void forget_tables() { tables_.assign(tables_.size(), {}); }

  /// What the node that is being counted makes of its weights, the first time that it is asked.
  template <class Make>
  auto table(const Make& make) -> const decltype(make())& {
    std::any& kept = tables_[node_];
    if (!kept.has_value()) kept = make();
    return *std::any_cast<decltype(make())>(&kept);
  }

  /// Elements of a buffer that are not 0, once somebody has counted them in this pass.
  void set_events(ArenaPlan::Id buffer, std::uint64_t events) { events_.emplace_back(buffer, events); }
  std::optional<std::uint64_t> events(ArenaPlan::Id buffer) const {
    for (const auto& [id, events] : events_) {
      if (id == buffer) return events;
    }
    return {};
  }

 private:
  std::vector<std::any> tables_;  // by node
  std::size_t node_ = 0;
  std::vector<std::pair<ArenaPlan::Id, std::uint64_t>> events_;
};

}  // namespace synfire::network
