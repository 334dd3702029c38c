#pragma once

#include <string>
#include <vector>

#include "apps/commands.hpp"

namespace synfire::apps {

/// One entry of a table of commands.
struct CommandEntry {
  const char* name;
  const char* summary;
  int (*run)(const Arguments&);
};

/// Runs the command that the first argument names, with the rest. Prints the table for --help or for nothing.
/// \throws UsageError for an unknown name, with the nearest known one
int dispatch(const std::string& program, const std::string& about, const std::vector<CommandEntry>& table,
             const Arguments& args);

}  // namespace synfire::apps
