#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace synfire {

/// What one synapse layer, with the neurons that it drives, did over all samples that were counted: docs/energy.md says
/// how each number is defined. Whole numbers only, so sums are exact and the same for any number of threads; every
/// average is derived from them.
///
/// A *frame* is one tick of one sample. A *call* is one tick of one evaluated batch: what a step-wise model is called
/// with, and what NeuroBench [Yik2025] decides by between MACs and ACs.
struct LayerLedger {
  std::string name;  ///< of the layer's first node
  std::string kind;  ///< "conv2d+batch_norm+lif": its nodes

  std::uint64_t samples = 0;
  std::uint64_t ticks = 0;  ///< frames of the output
  // What the network asks for: the same for every engine.
  std::uint64_t dense_synops = 0;  ///< products within bounds, zero weights and silent inputs included
  std::uint64_t eff_unit = 0;      ///< products of a weight that is not 0 with an input of 1 or -1
  std::uint64_t eff_graded = 0;    ///< the same with any other input that is not 0
  std::uint64_t nb_acs = 0;        ///< products of calls in which every input is -1, 0 or 1
  std::uint64_t nb_macs = 0;       ///< those of all other calls
  std::uint64_t events_in = 0;     ///< inputs that are not 0
  std::uint64_t input_elems = 0;
  std::uint64_t events_out = 0;  ///< outputs that are not 0
  std::uint64_t output_elems = 0;
  // What was executed.
  std::uint64_t exec_acs = 0;
  std::uint64_t exec_macs = 0;
  std::uint64_t neuron_updates = 0;
  std::uint64_t replayed_ticks = 0;       ///< that a lazy neuron made up for
  std::uint64_t membrane_updates_nb = 0;  ///< updates that changed a membrane; clocked engine only
  std::uint64_t add = 0, mul = 0, cmp = 0, exp = 0, log = 0, div = 0;  ///< arithmetic outside synapses
  std::uint64_t addr_ops = 0;
  std::uint64_t w_rd = 0, state_rd = 0, state_wr = 0, io_rd = 0, io_wr = 0;      ///< bytes
  std::uint64_t path_dense = 0, path_scatter = 0, path_bits = 0;                 ///< frames, or tiles of frames
  std::uint64_t queue_push = 0, queue_pop = 0, queue_stale = 0, queue_peak = 0;  ///< of an event queue
  std::uint64_t attn_dense = 0, attn_acs = 0, attn_macs = 0;                     ///< products of two activations

  /// What does not grow with the samples: the arrays that the bytes above come from, for one sample, and the weights.
  struct Sizes {
    std::uint64_t weight_bytes = 0, state_bytes = 0, input_bytes = 0, output_bytes = 0;
    std::uint64_t weights = 0, zero_weights = 0;
    std::uint64_t parameters = 0, constants = 0;  ///< numbers that are trained, and others that stay as they are
    std::uint64_t neurons = 0;
    std::uint64_t once_macs = 0;  ///< products when the layer sees its whole input once, without time
    bool fires = false;           ///< its output are spikes of its neurons

    bool operator==(const Sizes&) const = default;
  } sizes;

  /// Adds the counts of another record of the same layer; the peak of the queue is the larger one.
  /// \throws Error if it is of another layer
  LayerLedger& operator+=(const LayerLedger& other);

  bool operator==(const LayerLedger&) const = default;
};

/// A counter by the name that it has in files.
struct LedgerCounter {
  const char* name;
  std::uint64_t LayerLedger::*member;
};
/// All of them, in the order of the struct.
std::span<const LedgerCounter> ledger_counters();

/// A run of a network, counted. Threads or batches count into ledgers of their own, which are added at the end.
struct OpLedger {
  std::string engine = "clocked-cpu";  ///< or "clocked-cuda", "event"
  std::string mode = "float";          ///< or "S", "L" of the event engine
  std::uint64_t samples = 0;
  std::uint64_t ticks = 0;  ///< of the network's input, over all samples
  std::vector<LayerLedger> layers;

  /// Adds a run of the same network. An empty ledger takes the other's layers. \throws Error if the layers differ
  OpLedger& operator+=(const OpLedger& other);
  /// The sums over the layers, as one record named "total"; samples and ticks are those of the run.
  LayerLedger total() const;

  bool operator==(const OpLedger&) const = default;
};

/// NeuroBench's numbers, per sample where a sample has a part in them. NaN without samples or without neurons.
struct NeuroBenchNumbers {
  double effective_macs = 0.0, effective_acs = 0.0, dense = 0.0;
  double activation_sparsity = 0.0;  ///< zeros among the spikes of all neurons
  double connection_sparsity = 0.0;  ///< zeros among the weights, to four decimals
  std::uint64_t footprint_parameters = 0, state_bytes = 0, parameter_count = 0;
  double membrane_updates = 0.0;
};
NeuroBenchNumbers neurobench_numbers(const OpLedger& ledger);

/// One line a layer and a last one with the sums; the first names the columns: name, kind and every counter.
std::string ledger_csv(const OpLedger& ledger);

}  // namespace synfire
