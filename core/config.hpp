#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace synfire {

/// One table of a TOML configuration, read key by key. Reading is the schema: every key that is asked for is known,
/// every value that is used (given or default) is recorded for the resolved configuration, and `finish` turns each key
/// that nobody asked for into an error that names the nearest known one. A value of the wrong type or outside its
/// range is a ConfigError with file, line and key.
///
/// Copies are handles to the same table.
class ConfigTable {
 public:
  /// Without a default the key must be there.
  std::string text(const std::string& key, const std::optional<std::string>& fallback = {}) const;
  /// One of `choices`; the error lists them and names the nearest.
  std::string choice(const std::string& key, const std::vector<std::string>& choices,
                     const std::optional<std::string>& fallback = {}) const;
  bool flag(const std::string& key, std::optional<bool> fallback = {}) const;
  /// Inclusive range.
  std::int64_t integer(const std::string& key, std::optional<std::int64_t> fallback, std::int64_t at_least,
                       std::int64_t at_most = INT64_MAX) const;
  /// Accepts integers too. Inclusive range.
  double number(const std::string& key, std::optional<double> fallback, double at_least, double at_most) const;
  std::vector<double> numbers(const std::string& key, const std::optional<std::vector<double>>& fallback = {}) const;
  /// An array of arrays: rows, which may differ in length.
  std::vector<std::vector<double>> rows_of_numbers(
      const std::string& key, const std::optional<std::vector<std::vector<double>>>& fallback = {}) const;
  std::vector<std::string> texts(const std::string& key,
                                 const std::optional<std::vector<std::string>>& fallback = {}) const;
  /// A path: environment variables `${NAME}` and `${NAME:-default}` are replaced; a relative path is relative to the
  /// working directory.
  std::filesystem::path path(const std::string& key, const std::optional<std::string>& fallback = {}) const;
  /// One path or an array of them, each as in `path`.
  std::vector<std::filesystem::path> paths(const std::string& key,
                                           const std::optional<std::vector<std::string>>& fallback = {}) const;

  bool has(const std::string& key) const;
  /// A sub-table; an empty one if it is not there.
  ConfigTable table(const std::string& key) const;
  /// An array of tables; empty if it is not there.
  std::vector<ConfigTable> tables(const std::string& key) const;

  /// A ConfigError at this key (or at the table itself for an empty key), for a check of the caller's own.
  [[noreturn]] void fail(const std::string& key, const std::string& problem) const;
  /// Throws for the first key of this table or of any table below it that nobody asked for.
  void finish() const;

  struct Node;
  explicit ConfigTable(std::shared_ptr<Node> node) : node_(std::move(node)) {}

 private:
  friend class Config;
  std::shared_ptr<Node> node_;
};

/// A parsed file with overrides such as `learning.epochs=5` (values in TOML syntax; a bare word is a string;
/// `network.layers.conv1.channels=8` reaches into an array of tables by the `name` key).
class Config {
 public:
  /// \throws ConfigError for a file that is not TOML (with its line) or an override that names no table
  static Config load(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});
  /// The same from text; `name` stands for the file in messages.
  static Config parse(const std::string& toml_text, const std::string& name,
                      const std::vector<std::string>& overrides = {});

  ConfigTable root() const { return root_; }
  /// TOML text with every value that was read so far, defaults included: running it again gives the same run.
  std::string resolved() const;

 private:
  explicit Config(ConfigTable root) : root_(std::move(root)) {}
  ConfigTable root_;
};

}  // namespace synfire
