#pragma once

#include <cstdint>

namespace synfire {

/// Where memory lies and where an operation on it runs.
enum class Device : std::uint8_t { cpu, cuda };

/// True if this build has the CUDA backend and a usable GPU is present.
bool cuda_available();

}  // namespace synfire
