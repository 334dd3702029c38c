"""Makes nest.h5: a small random network of integrate-and-fire neurons in NEST, with delta and with exponential synapses.

For each: the network, its input, and the spikes of the precise models and of the models on a grid of microseconds. Needs
nest-simulator, h5py, numpy.
"""
from importlib import metadata

import h5py
import nest
import numpy as np

NEURONS, INPUTS, END_MS, GRID_MS = 20, 5, 300.0, 0.001
MODELS = {  # of the precise ones, that which looks for a crossing everywhere
    "delta": ("iaf_psc_delta_ps", "iaf_psc_delta"),
    "exp": ("iaf_psc_exp_ps_lossless", "iaf_psc_exp"),
}


def random_network(kind, rng):
    common = {"C_m": 250.0, "tau_m": 10.0, "t_ref": 2.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0}
    if kind == "exp":
        common |= {"tau_syn_ex": 2.0, "tau_syn_in": 2.0}
    num_synapses = 4 * NEURONS
    scale = 5.0 if kind == "delta" else 900.0
    weight = rng.uniform(0.2, 1.0, num_synapses) * scale
    weight[rng.random(num_synapses) < 0.25] *= -1.0  # a quarter inhibits
    network = {
        "source": rng.integers(0, NEURONS, num_synapses),
        "target": rng.integers(0, NEURONS, num_synapses),
        "weight": np.round(weight, 3),
        "delay_ms": rng.integers(500, 6000, num_synapses) * GRID_MS,
        "input_source": np.repeat(np.arange(INPUTS), 8),
        "input_target": rng.integers(0, NEURONS, INPUTS * 8),
        "input_weight": np.round(rng.uniform(0.5, 1.0, INPUTS * 8) * 1.5 * scale, 3),
        "input_delay_ms": rng.integers(500, 6000, INPUTS * 8) * GRID_MS,
        # v_inf from -64 to -52 mV: some fire by themselves.
        "drive_pa": np.round(rng.uniform(150.0, 450.0, NEURONS), 3),
    }
    steps = np.sort(rng.choice(np.arange(1, int((END_MS - 50.0) / GRID_MS)), 40 * INPUTS, replace=False))
    network["input_time_ms"] = steps * GRID_MS
    network["input"] = rng.integers(0, INPUTS, len(steps))
    return common, network


def run(model, precise, common, network):
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = GRID_MS
    neurons = nest.Create(model, NEURONS, common)
    neurons.set(I_e=network["drive_pa"].tolist())
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    for k in range(INPUTS):
        times = network["input_time_ms"][network["input"] == k]
        generator = nest.Create("spike_generator", params={
            "spike_times": np.round(times, 3).tolist(), "precise_times": precise})
        for t, w, d in zip(*(network[f"input_{key}"][network["input_source"] == k]
                             for key in ("target", "weight", "delay_ms"))):
            nest.Connect(generator, neurons[int(t)], syn_spec={"weight": w, "delay": round(d, 3)})
    for s, t, w, d in zip(*(network[key] for key in ("source", "target", "weight", "delay_ms"))):
        nest.Connect(neurons[int(s)], neurons[int(t)], syn_spec={"weight": w, "delay": round(d, 3)})
    nest.Simulate(END_MS)
    events = recorder.events
    order = np.lexsort((events["senders"], events["times"]))
    return events["times"][order], events["senders"][order] - 1


def arrivals_at_end_of_refractoriness(network, times, senders, t_ref):
    """On the grid NEST drops them, with precise times it takes them: a network with none tells nothing of that."""
    found = 0
    for s, t, d in zip(*(network[key] for key in ("source", "target", "delay_ms"))):
        arrivals = times[senders == s] + d
        found += np.isclose(arrivals[:, None], times[senders == t] + t_ref, rtol=0, atol=GRID_MS / 2).sum()
    for s, t, d in zip(*(network[f"input_{key}"] for key in ("source", "target", "delay_ms"))):
        arrivals = network["input_time_ms"][network["input"] == s] + d
        found += np.isclose(arrivals[:, None], times[senders == t] + t_ref, rtol=0, atol=GRID_MS / 2).sum()
    return found


with h5py.File("nest.h5", "w") as file:
    def put(path, value):
        value = np.asarray(value)
        value = value.astype(np.float64 if value.dtype.kind == "f" else np.int32)
        file.create_dataset(path, data=value, track_times=False)

    for kind, (precise, grid) in MODELS.items():
        common, network = random_network(kind, np.random.default_rng(9))
        for key, value in network.items():
            put(f"{kind}/{key}", value)
        for name, (times, senders) in (("precise", run(precise, True, common, network)),
                                       ("grid", run(grid, False, common, network))):
            put(f"{kind}/{name}_time_ms", times)
            put(f"{kind}/{name}_neuron", senders)
            print(kind, name, len(times), "spikes;", arrivals_at_end_of_refractoriness(network, times, senders, 2.0),
                  "arrivals as a refractory period ends")
print("nest-simulator", metadata.version("nest-simulator"))
