#include "core/error.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace synfire;

TEST_CASE("an error's text says where and what, and its members say it to programs") {
  const ConfigError config("run.toml", 12, "learning.epochs", "must be positive, is 0");
  CHECK(std::string(config.what()) == "run.toml:12: learning.epochs: must be positive, is 0");
  CHECK(config.line == 12);

  const FormatError format("a.aedat", 4096, "packet says 812 bytes, 96 are left");
  CHECK(std::string(format.what()) == "a.aedat: byte 4096: packet says 812 bytes, 96 are left");
  CHECK(format.offset == 4096);

  CHECK(std::string(FormatError("a.h5", "x: is missing").what()) == "a.h5: x: is missing");
  CHECK(std::string(FileError("a.h5", "no such file").what()) == "a.h5: no such file");
}

TEST_CASE("parts of a configuration error that are not known are left out") {
  CHECK(std::string(ConfigError("run.toml", 0, "", "is empty").what()) == "run.toml: is empty");
  CHECK(std::string(ConfigError("", 0, "a.b", "is odd").what()) == "a.b: is odd");
}

TEST_CASE("every error is caught as Error") {
  CHECK_THROWS_AS(throw ShapeError("x"), Error);
  CHECK_THROWS_AS(throw BackendError("x"), Error);
  CHECK_THROWS_AS(throw ConfigError("f", 1, "k", "x"), Error);
  CHECK_THROWS_AS(throw FileError("f", "x"), Error);
  CHECK_THROWS_AS(throw FormatError("f", 1, "x"), Error);
}
