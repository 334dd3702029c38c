#include "datasets/augment.hpp"

namespace synfire::datasets {

AugmentConfig read_augment_config(const ConfigTable& table) {
  AugmentConfig config;
  config.flip_lr = table.number("flip_lr", 0.0, 0.0, 1.0);
  config.flip_ud = table.number("flip_ud", 0.0, 0.0, 1.0);
  config.flip_polarity = table.number("flip_polarity", 0.0, 0.0, 1.0);
  config.shift_px = static_cast<int>(table.integer("shift_px", 0, 0, 65535));
  config.rotate_deg = table.number("rotate_deg", 0.0, 0.0, 180.0);
  config.scale = table.number("scale", 0.0, 0.0, 0.9);
  config.shear = table.number("shear", 0.0, 0.0, 2.0);
  config.drop_events_max = table.number("drop_events_max", 0.0, 0.0, 1.0);
  config.drop_time_max = table.number("drop_time_max", 0.0, 0.0, 1.0);
  config.drop_area_max = table.number("drop_area_max", 0.0, 0.0, 1.0);
  config.shift_time_ms = table.number("shift_time_ms", 0.0, 0.0, 1e6);
  return config;
}

}  // namespace synfire::datasets
