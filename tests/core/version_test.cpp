#include "core/version.hpp"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "core/device.hpp"

using namespace synfire;

namespace {

bool has_library(const std::string& name) {
  const auto& libraries = build_info().libraries;
  return std::any_of(libraries.begin(), libraries.end(),
                     [&](const LibraryVersion& library) { return library.name == name && !library.version.empty(); });
}

}  // namespace

TEST_CASE("the build knows its commit: 40 hexadecimal digits, or that it is unknown") {
  const std::string& commit = build_info().commit;

  const bool is_hash = commit.substr(0, 40).find_first_not_of("0123456789abcdef") == std::string::npos &&
                       (commit.size() == 40 || commit.substr(40) == "+changes");
  CHECK((is_hash || commit == "unknown"));
}

TEST_CASE("the libraries that the core stands on are named with a version") {
  for (const char* name : {"HDF5", "oneTBB", "Eigen", "toml++", "fmt", "OpenSSL"})
    CHECK_MESSAGE(has_library(name), name);
}

TEST_CASE("the backends are the ones that were built") {
  const auto& backends = build_info().backends;

  CHECK(std::count(backends.begin(), backends.end(), "cpu") == 1);
  if (cuda_available()) CHECK(std::count(backends.begin(), backends.end(), "cuda") == 1);
}

TEST_CASE("the version text begins with name and version and has a line for each fact") {
  const std::string text = version_text();

  CHECK(text.starts_with("synfire " + build_info().version + "\n"));
  CHECK(text.find(build_info().commit) != std::string::npos);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  CHECK(lines == 5 + build_info().libraries.size());
}
