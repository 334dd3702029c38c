#include "core/error.hpp"
#include "network/op_count.hpp"
#include "synapses/mixers/swla.hpp"
#include "synapses/nonzeros.hpp"

namespace synfire::network {

namespace {

std::uint64_t u64(std::ptrdiff_t count) { return static_cast<std::uint64_t>(count); }

/// Products of features with rows, summed over tokens and heads of d channels.
struct Rows {
  std::uint64_t features = 0;  ///< that are not zero
  std::uint64_t products = 0;  ///< of features and elements of rows that are not zero
};

/// \param v  what the features meet; null: rows without zeros
template <class Scalar>
Rows count_rows(const Signal<Scalar>& x, const Signal<Scalar>* v, bool shifted, std::ptrdiff_t d) {
  Rows rows;
  const auto nonzeros = [d](const Signal<Scalar>& signal, std::ptrdiff_t from) {
    return u64(signal.is_spikes() ? synapses::count_nonzeros(signal.spikes + from, d)
                                  : synapses::count_nonzeros(signal.real + from, d));
  };
  for (std::ptrdiff_t from = 0; from < x.shape.size(); from += d) {
    const std::uint64_t features = nonzeros(x, from) + (shifted ? 1 : 0);
    rows.features += features;
    rows.products += features * (v == nullptr ? u64(d) : nonzeros(*v, from));
  }
  return rows;
}

}  // namespace

template <class Scalar>
void count_attention(const synapses::MixerInput<Scalar>& in, const synapses::MixerConfig& config, LayerLedger& record) {
  using namespace synapses;
  for (const Signal<Scalar>* x : {&in.q, &in.k, &in.v}) count_input(*x, record);
  const Shape& shape = in.q.shape;
  const std::ptrdiff_t d = shape.channels() / config.heads;
  const std::uint64_t elements = u64(shape.size()), dense = 2 * elements * u64(d);
  const std::uint64_t dens = elements / u64(d);
  record.attn_dense += dense;
  const bool by_spikes = in.q.is_spikes() && in.k.is_spikes() && config.rope == MixerRope::none;
  if (by_spikes) {
    const bool shifted = config.feature == MixerFeature::shift;
    const Rows keys = count_rows(in.k, &in.v, shifted, d), queries = count_rows<Scalar>(in.q, nullptr, shifted, d);
    record.attn_acs += keys.products + queries.products;
    record.state_rd += (keys.products + queries.products) * sizeof(Scalar);
    record.state_wr += keys.products * sizeof(Scalar);
    record.add += keys.features + queries.features;  // m and its product with phi(q)
  } else {
    record.attn_macs += dense;
    record.state_rd += dense * sizeof(Scalar);
    record.state_wr += dense / 2 * sizeof(Scalar);
    record.add += 2 * elements;
    record.mul += elements;
  }
  if (config.rope != MixerRope::none) {  // of q and k
    record.mul += 4 * elements;
    record.add += 2 * elements;
  }
  record.mul += elements;
  if (config.norm == MixerNorm::sum) record.div += dens;
}

template void count_attention(const synapses::MixerInput<float>&, const synapses::MixerConfig&, LayerLedger&);
template void count_attention(const synapses::MixerInput<double>&, const synapses::MixerConfig&, LayerLedger&);

}  // namespace synfire::network
