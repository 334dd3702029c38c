#pragma once

#include <string>
#include <vector>

namespace synfire {

struct LibraryVersion {
  std::string name;
  std::string version;
};

/// What this build is made of; goes into every run folder, so that a result can be traced.
struct BuildInfo {
  std::string version;                ///< "0.1.0"
  std::string commit;                 ///< git commit, "+changes" behind it if the tree had some; "unknown" without git
  std::string compiler;               ///< "GNU 12.2.0"
  std::string build_type;             ///< "Release"
  std::string arch;                   ///< value of -march, empty for the compiler's default
  std::vector<std::string> backends;  ///< "cpu", and "cuda" if built in
  std::vector<LibraryVersion> libraries;  ///< of those that the build found
};

const BuildInfo& build_info();

/// The above as text of several lines, for `--version`.
std::string version_text();

}  // namespace synfire
