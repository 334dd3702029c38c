#pragma once

#include <cstddef>
#include <span>

#include "core/tensor.hpp"
#include "network/network.hpp"
#include "network/neuron_parameters.hpp"
#include "neurons/row_model.hpp"

namespace synfire::network {

/// The neurons of a node that is run row by row: from their tensors (neuron_parameters) to a row model, and from the
/// sums of its backward pass to the gradients of the tensors.
template <class Scalar>
class NeuronRows {
 public:
  using Tensors = std::span<const NamedTensor<Scalar>>;

  NeuronRows(const NeuronConfig& config, double dt_ms, std::ptrdiff_t num_channels);

  int num_kept() const { return 2; }  ///< of every model here

  /// Scalars of memory that the model reads its constants from: `constants` of `model`.
  std::ptrdiff_t num_constants() const;
  /// For the present values of the tensors; valid as long as `constants`.
  neurons::RowModel<Scalar> model(Tensors tensors, Scalar* constants, bool smooth) const;

  /// Sums that are needed for the gradients; 0 if the neurons learn nothing.
  std::ptrdiff_t num_totals() const;
  void write_gradients(std::span<const double> totals, Tensors tensors, std::span<const View<Scalar>> gradients) const;

 private:
  neurons::CubaLifParams cuba_params(Tensors tensors) const;

  NeuronConfig config_;
  double dt_ms_;
  std::ptrdiff_t num_channels_;
};

}  // namespace synfire::network
