#include "apps/dispatch.hpp"

#include <iostream>

#include <fmt/format.h>

#include "apps/command_line.hpp"
#include "core/nearest_word.hpp"

namespace synfire::apps {

int dispatch(const std::string& program, const std::string& about, const std::vector<CommandEntry>& table,
             const Arguments& args) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h") {
    std::cout << fmt::format("Usage: {} COMMAND [arguments]\n\n{}\n\nCommands:\n", program, about);
    for (const CommandEntry& entry : table) std::cout << fmt::format("  {:<10} {}\n", entry.name, entry.summary);
    std::cout << fmt::format("\n{} COMMAND --help tells more about each.\n", program);
    return args.empty() ? kExitError : kExitOk;
  }
  std::vector<std::string> names;
  for (const CommandEntry& entry : table) {
    if (args[0] == entry.name) return entry.run({args.begin() + 1, args.end()});
    names.emplace_back(entry.name);
  }
  throw UsageError(fmt::format("{}: no command \"{}\"; the nearest is \"{}\" (see {} --help)", program, args[0],
                               nearest_word(args[0], names), program));
}

}  // namespace synfire::apps
