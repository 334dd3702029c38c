#pragma once

#include <string>
#include <vector>

#include "datasets/render/image.hpp"

/// Parts of plots over time. Not installed.
namespace synfire::datasets {

inline constexpr int kPlotTextScale = 2;

/// A plot's frame.
struct Panel {
  int left, top, width, height;
};

/// Events of two kinds that fall on each point of a panel.
class Density {
 public:
  explicit Density(const Panel& panel);

  void add(int column, int row, bool on);
  /// One of `side` equal parts of the panel's height, which may be several points high, or less than one.
  void add_part(int column, int part, int side, bool on);
  /// The darkness of a point goes with the logarithm of its number of events.
  void draw(Image& image) const;

 private:
  Panel panel_;
  std::vector<int> on_, off_;
};

/// A round step (1, 2 or 5 times a power of ten) that divides `span` into at most `count` parts.
double round_step(double span, int count);

/// A mark at this share of the panel's height.
void label_left(Image& image, const Panel& panel, double share, const std::string& label);

/// A frame, its name, and marks from 0 to `side`, downwards or upwards.
enum class Axis { downwards, upwards };
void label_parts(Image& image, const Panel& panel, const std::string& name, int side, Axis axis);

/// Marks of time below a panel that is `span_us` wide.
void label_time(Image& image, const Panel& panel, double span_us);

}  // namespace synfire::datasets
