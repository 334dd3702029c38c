#include "core/version.hpp"

#include <fmt/format.h>

namespace synfire {

std::string version_text() {
  const BuildInfo& info = build_info();
  std::string text = fmt::format("synfire {}\n", info.version);
  const auto add = [&](const std::string& name, const std::string& value) {
    text += fmt::format("  {:<14} {}\n", name, value);
  };
  add("commit", info.commit);
  add("backends", fmt::format("{}", fmt::join(info.backends, ", ")));
  add("compiler", info.compiler);
  add("build", info.arch.empty() ? info.build_type : fmt::format("{}, -march={}", info.build_type, info.arch));
  for (const LibraryVersion& library : info.libraries) add(library.name, library.version);
  return text;
}

}  // namespace synfire
