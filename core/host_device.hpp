#pragma once

/// Marks a function that compiles for the host and, under nvcc, for the GPU as well.
#if defined(__CUDACC__)
#define SYNFIRE_HOST_DEVICE __host__ __device__
#else
#define SYNFIRE_HOST_DEVICE
#endif
