#include "core/atomic_file.hpp"

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace synfire;

TEST_CASE("a file that is written atomically holds exactly what was given, zero bytes included") {
  const test::TemporaryFolder folder;
  const std::string content("first\0second\n", 13);

  write_file_atomically(folder / "a.txt", content);

  CHECK(read_whole_file(folder / "a.txt") == content);
  CHECK_FALSE(std::filesystem::exists(folder / "a.txt.partial"));
}

TEST_CASE("writing again replaces the content and does not append") {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "a.txt", "a long first version");

  write_file_atomically(folder / "a.txt", "short");

  CHECK(read_whole_file(folder / "a.txt") == "short");
}

TEST_CASE("an empty file is written and read as an empty string") {
  const test::TemporaryFolder folder;

  write_file_atomically(folder / "empty", "");

  CHECK(std::filesystem::file_size(folder / "empty") == 0);
  CHECK(read_whole_file(folder / "empty").empty());
}

TEST_CASE("a file in a folder that does not exist is a FileError that names the file") {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "missing" / "a.txt";

  CHECK_THROWS_WITH_AS(read_whole_file(file), doctest::Contains(file.c_str()), FileError);
  CHECK_THROWS_WITH_AS(write_file_atomically(file, "x"), doctest::Contains("No such file or directory"), FileError);
}

TEST_CASE("a write that cannot be finished leaves nothing aside and the old file as it was") {
  const test::TemporaryFolder folder;
  // A folder with a member cannot be replaced by a file.
  std::filesystem::create_directories(folder.path() / "taken" / "member");

  CHECK_THROWS_AS(write_file_atomically(folder / "taken", "x"), FileError);

  CHECK(std::filesystem::is_directory(folder.path() / "taken" / "member"));
  CHECK_FALSE(std::filesystem::exists(folder / "taken.partial"));
}

TEST_CASE("a folder cannot be read as a file") {
  const test::TemporaryFolder folder;

  CHECK_THROWS_AS(read_whole_file(folder.path()), FileError);
}

TEST_CASE("a pipe, whose size nobody knows, is read to its end") {
  CHECK(read_whole_file("/proc/self/status").find("Pid:") != std::string::npos);
}
