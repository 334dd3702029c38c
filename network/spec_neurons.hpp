#pragma once

#include "network/layer_table.hpp"
#include "network/spec.hpp"

/// The keys of the nodes with a membrane, each as network/spec.hpp lists them.
namespace synfire::network {

/// `neuron` and the keys of that model.
NeuronConfig read_neuron(const LayerTable& table);

Operation read_lif(const LayerTable& table);
Operation read_cuba_lif(const LayerTable& table);
Operation read_adlif(const LayerTable& table);
Operation read_leaky_integrator(const LayerTable& table);

}  // namespace synfire::network
