#pragma once

#include <nlohmann/json.hpp>

#include "datasets/simulate/dvs_array.hpp"

namespace synfire::datasets {

/// The sensor's part of a manifest.
inline nlohmann::ordered_json sensor_json(const DvsParams& params) {
  return {{"threshold_on", params.threshold_on},
          {"threshold_off", params.threshold_off},
          {"threshold_mismatch", params.threshold_mismatch},
          {"refractory_us", params.refractory_us},
          {"leak_rate_hz", params.leak_rate_hz},
          {"leak_mismatch", params.leak_mismatch},
          {"shot_noise_hz", params.shot_noise_hz},
          {"shot_noise_mismatch", params.shot_noise_mismatch},
          {"cutoff_hz", params.cutoff_hz}};
}

}  // namespace synfire::datasets
