#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "neurons/lif_step.hpp"

/// A neuron model as functions on rows of neighbouring neurons, one tick at a time. The loops over time are written
/// once against them: neurons/row_scan.hpp for input that is known, network/blocks/ for populations that feed back.
namespace synfire::neurons {

inline constexpr int kMaxRows = 4;

/// Constants that all neurons of a population share; a model uses those it has.
template <class Scalar>
struct RowConstants : LifConstants<Scalar> {
  explicit RowConstants(const LifParams& params) : LifConstants<Scalar>(params) {}

  Scalar syn_decay = Scalar(0);   ///< factor of the synaptic current per tick
  Scalar adaptation = Scalar(0);  ///< q of an adaptive neuron
};

/// Several rows of `width` numbers behind each other.
template <class Scalar>
struct Rows {
  Scalar* data;
  std::ptrdiff_t width;

  Scalar* operator[](int k) const { return data + k * width; }
  operator Rows<const Scalar>() const  // NOLINT(google-explicit-constructor): as a pointer becomes one to const
      requires(!std::is_const_v<Scalar>) {
    return {data, width};
  }
};

template <class Scalar>
struct RowModel {
  using Constants = RowConstants<Scalar>;
  using In = Rows<const Scalar>;
  using Out = Rows<Scalar>;

  Constants constants;
  std::array<const Scalar*, kMaxRows> parameters{};  ///< [C] each: what every channel has of its own
  int num_parameters = 0;
  int num_states = 1;    ///< carried from tick to tick; the first begins at v_reset, the others at 0
  int num_kept = 1;      ///< of each tick, for the way back
  int num_adjoints = 1;  ///< carried back from tick to tick; all begin at 0
  int num_sums = 0;      ///< gradients of what is learned
  bool sums_per_channel = false;

  /// One tick: s and what is kept of it, from x; moves the state on.
  void (*forward)(const Constants&, In parameters, const Scalar* x, Out state, Out kept, Scalar* s) = nullptr;
  /// The state that a tick leaves, from what was kept of it.
  void (*state_after)(const Constants&, In kept, Out state) = nullptr;
  /// One tick back: dL/dx from e = dL/ds; moves the adjoints back.
  void (*backward)(const Constants&, In parameters, In kept, const Scalar* e, Out adjoint, Scalar* grad_x) = nullptr;
  /// Adds what the tick gives to the sums, after `backward`. `before` is the state that the tick began with.
  void (*sum)(const Constants&, In parameters, const Scalar* x, In kept, In before, In adjoint, Out sums) = nullptr;

  /// The number of totals behind the sums of a population of C channels.
  std::ptrdiff_t num_totals(std::ptrdiff_t num_channels) const {
    return num_sums * (sums_per_channel ? num_channels : 1);
  }
};

/// How many elements of two rows are not the same number.
template <class Scalar>
std::ptrdiff_t num_differing(const Scalar* a, const Scalar* b, std::ptrdiff_t width) {
  std::conditional_t<sizeof(Scalar) == 4, std::int32_t, std::int64_t> count = 0;  // as wide as a Scalar: vector code
  for (std::ptrdiff_t n = 0; n < width; ++n) count += a[n] != b[n] ? 1 : 0;
  return count;
}

}  // namespace synfire::neurons
