#pragma once

#include <string>
#include <vector>

namespace synfire::apps {

/// A table for a terminal: columns aligned, the first to the left, numbers (every other column) to the right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header);
  /// \param cells  as many as the header has
  void add(std::vector<std::string> cells);
  std::string text() const;

  const std::vector<std::vector<std::string>>& rows() const { return rows_; }

 private:
  std::vector<std::vector<std::string>> rows_;  // the header is row 0
};

/// "1,234,567"
std::string grouped(long long value);
/// "1.4 GiB"
std::string byte_text(double bytes);

}  // namespace synfire::apps
