#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace synfire {

/// What operations and memory accesses cost in one technology: a price list, read from a TOML file such as
/// configs/energy/horowitz-45nm-fp32.toml.
struct EnergyTable {
  /// What is priced: all that was executed, or NeuroBench's synaptic operations alone.
  enum class Counts : std::uint8_t { executed, neurobench };
  /// A memory of `bytes` costs `pj` an access.
  struct Point {
    double bytes = 0.0, pj = 0.0;
  };

  std::string name;
  std::string source;  ///< where the figures come from
  std::string sha256;  ///< of the file
  Counts counts = Counts::executed;
  double add_pj = 0.0;  ///< an accumulate, a comparison
  double mul_pj = 0.0;
  double address_pj = 0.0;
  int factor_bits =
      24;  ///< of the numbers that are multiplied: a product's cost follows the product of its factors' bits
  int access_bits = 64;
  std::vector<Point> points;        ///< ascending; none: memory is free
  bool linear_below_first = false;  ///< from no cost for an empty memory; else the first point's cost
  std::optional<double> dram_pj;    ///< an access to memory larger than the last point; none: the last point's cost

  double mac_pj() const { return add_pj + mul_pj; }
  /// Exponentials, logarithms, divisions: ten products, by convention.
  double special_pj() const { return 10.0 * mul_pj; }
  /// One access to a memory of `array_bytes`.
  double access_pj(double array_bytes) const;
  /// `bytes` that are read from or written to such a memory.
  double traffic_pj(double bytes, double array_bytes) const {
    return bytes * 8.0 / access_bits * access_pj(array_bytes);
  }
};

/// \throws ConfigError that names file, line and key
EnergyTable parse_energy_table(std::string_view toml_text, const std::string& file_name);
/// A file, or one of the tables that ship, by name. \throws FileError that lists those names; ConfigError
EnergyTable open_energy_table(const std::string& file_or_name);
/// "horowitz-45nm-fp32", the default, "lemaire", "papers"
std::vector<std::string> shipped_energy_tables();

}  // namespace synfire
