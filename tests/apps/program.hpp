#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace synfire::test {

/// What a run of the program left behind.
struct ProgramResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

inline std::string file_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// A folder of its own for one test, removed at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "synfire-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

/// Starts the program `synfire`; its output goes to files in `scratch`.
inline pid_t start_program(const Scratch& scratch, std::vector<std::string> args) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto redirect = [&](const char* name, int to) {
      const int file = open((scratch / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(file, to);
    };
    redirect("stdout", STDOUT_FILENO);
    redirect("stderr", STDERR_FILENO);
    args.insert(args.begin(), SYNFIRE_PROGRAM);
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    execv(SYNFIRE_PROGRAM, argv.data());
    _exit(127);
  }
  return child;
}

inline ProgramResult wait_for(const Scratch& scratch, pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), file_text(scratch / "stdout"),
          file_text(scratch / "stderr")};
}

inline ProgramResult run_program(const Scratch& scratch, std::vector<std::string> args) {
  return wait_for(scratch, start_program(scratch, std::move(args)));
}

/// One line that begins as all errors do.
inline bool is_one_error_line(const std::string& err) {
  return err.starts_with("synfire: error: ") && err.find('\n') == err.size() - 1;
}

}  // namespace synfire::test
