"""Sparse and feed-forward networks by Synfire, NEST and Brian2 (C++ standalone), by processor time, in one run.

    bench/compare_brunel.py --bench build/release/bench/bench_brunel --threads 1 [--networks brunel ff5 ff20 ff100]

brunel: configs/brunel.toml, 10,000 neurons with 1,000 inputs each, the Poisson drive included. ff*: 784-1000-1000-10, all to
all, Poisson input of 5, 20 or 100 Hz, ticks of 1 ms. Each measurement is a process of its own and prints a JSON line; building
and compiling are not in the times. NEST is counted with its recorders off, Brian2 with monitors that count only.
Needs: pip install nest-simulator brian2 "numpy<2.4"
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SIZES = [784, 1000, 1000, 10]
GAIN = {5: 1.0, 20: 1.1, 100: 3.0}


def processor_seconds():
    times = os.times()
    return times.user + times.system


def report(name, network, threads, cpu, wall, events, spikes_hz):
    print(json.dumps({
        "name": name, "network": network, "threads": threads, "cpu_s": round(statistics.median(cpu), 4),
        "wall_s": round(statistics.median(wall), 4), "rate_hz": spikes_hz, "synaptic_events": round(events),
        "events_per_cpu_s": round(events / statistics.median(cpu)),
        "events_per_s": round(events / statistics.median(wall))}), flush=True)


def start_nest(threads, dt_ms):
    import nest
    nest.verbosity = nest.VerbosityLevel.ERROR if hasattr(nest, "VerbosityLevel") else "M_ERROR"
    nest.ResetKernel()
    nest.local_num_threads = threads
    nest.resolution = dt_ms
    nest.rng_seed = 1
    return nest, dict(C_m=1.0, tau_m=20.0, t_ref=2.0, E_L=0.0, V_reset=0.0, V_m=0.0, V_th=20.0)


def timed_nest(nest, chunk_ms, steps):
    nest.Prepare()
    nest.Run(chunk_ms)
    cpu, wall, spikes = [], [], []
    for _ in range(steps):
        cpu_start, wall_start = processor_seconds(), time.perf_counter()
        nest.Run(chunk_ms)
        cpu.append(processor_seconds() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
        spikes.append(nest.local_spike_counter)  # of this Run
    nest.Cleanup()
    return cpu, wall, spikes


def nest_brunel(threads):
    nest, neuron = start_nest(threads, 0.1)
    excitatory = nest.Create("iaf_psc_delta", 8000, params=neuron)
    inhibitory = nest.Create("iaf_psc_delta", 2000, params=neuron)
    noise = nest.Create("poisson_generator", params={"rate": 20000.0})
    weak, strong = {"weight": 0.1, "delay": 1.5}, {"weight": -0.5, "delay": 1.5}
    nest.Connect(noise, excitatory + inhibitory, syn_spec=weak)
    nest.Connect(excitatory, excitatory + inhibitory, {"rule": "fixed_indegree", "indegree": 800}, weak)
    nest.Connect(inhibitory, excitatory + inhibitory, {"rule": "fixed_indegree", "indegree": 200}, strong)
    cpu, wall, spikes = timed_nest(nest, 200.0, 4)
    mean = statistics.mean(spikes)
    report("NEST", "brunel", threads, [5 * c for c in cpu], [5 * w for w in wall], 5 * mean * 1000, mean / 1e4 * 5)


def nest_feed_forward(threads, rate):
    nest, neuron = start_nest(threads, 1.0)
    generator = nest.Create("poisson_generator", params={"rate": float(rate)})
    layers = [nest.Create("parrot_neuron", SIZES[0])] + [nest.Create("iaf_psc_delta", n, params=neuron) for n in SIZES[1:]]
    nest.Connect(generator, layers[0], syn_spec={"weight": 1.0, "delay": 1.0})
    for source, target in zip(layers, layers[1:]):
        mean = GAIN[rate] * 20.0 / (len(source) * rate * 0.02)
        nest.Connect(source, target, "all_to_all", {"weight": nest.random.normal(mean=mean, std=mean), "delay": 1.0})
    cpu, wall, _ = timed_nest(nest, 1000.0, 5)
    recorders = [nest.Create("spike_recorder") for _ in layers]  # only now: recording takes time
    for layer, recorder in zip(layers, recorders):
        nest.Connect(layer, recorder)
    nest.Simulate(1000.0)
    counts = [recorder.n_events for recorder in recorders]
    events = sum(count * size for count, size in zip(counts, SIZES[1:]))
    report("NEST", f"ff{rate}", threads, cpu, wall, events, [round(c / n, 1) for c, n in zip(counts, SIZES)])


def start_brian(folder, threads, dt_ms):
    import brian2 as b2
    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    if threads > 1:
        b2.prefs.devices.cpp_standalone.openmp_threads = threads
    b2.prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O3", "-ffast-math", "-march=native"]
    b2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]  # not all files at once
    b2.defaultclock.dt = dt_ms * b2.ms
    b2.seed(1)
    model = dict(model="dv/dt = -v/tau : volt (unless refractory)", threshold="v > theta", reset="v = 0*mV",
                 refractory=2 * b2.ms, method="exact", namespace=dict(tau=20 * b2.ms, theta=20 * b2.mV))
    return b2, model


def timed_brian(b2, folder, network):
    """200 ms, then 1 s that is timed by its own processor time; three runs of the program."""
    network.run(200 * b2.ms)
    b2.device.insert_code("main", "const std::clock_t cpu_start = std::clock();")
    network.run(1000 * b2.ms)
    b2.device.insert_code("main", """
        std::ofstream("cpu_s.txt") << double(std::clock() - cpu_start) / CLOCKS_PER_SEC << std::endl;""")
    b2.device.build(directory=folder, run=False)
    walls, cpus = [], []
    for _ in range(3):
        b2.device.run()
        walls.append(b2.device._last_run_time)  # of the last run() in the program, as is the processor time
        cpus.append(float(pathlib.Path(folder, "cpu_s.txt").read_text()))
    return cpus, walls


def brian_brunel(threads):
    with tempfile.TemporaryDirectory() as folder:
        b2, model = start_brian(folder, threads, 0.1)
        group = b2.NeuronGroup(10000, **model)
        space = dict(J=0.1 * b2.mV)
        excite = b2.Synapses(group[:8000], group, on_pre="v_post += J", delay=1.5 * b2.ms, namespace=space)
        inhibit = b2.Synapses(group[8000:], group, on_pre="v_post -= 5*J", delay=1.5 * b2.ms, namespace=space)
        excite.connect(p=0.1)
        inhibit.connect(p=0.1)
        drive = b2.PoissonInput(group, "v", N=800, rate=25 * b2.Hz, weight=space["J"])
        monitor = b2.SpikeMonitor(group, record=False)
        cpus, walls = timed_brian(b2, folder, b2.Network(group, excite, inhibit, drive, monitor))
        events = int(monitor.num_spikes) / 1.2 * 1000
        report("Brian2", "brunel", threads, cpus, walls, events, round(int(monitor.num_spikes) / 1.2e4, 2))


def brian_feed_forward(threads, rate):
    with tempfile.TemporaryDirectory() as folder:
        b2, model = start_brian(folder, threads, 1.0)
        layers = [b2.PoissonGroup(SIZES[0], rate * b2.Hz)] + [b2.NeuronGroup(n, **model) for n in SIZES[1:]]
        synapses = []
        for source, target in zip(layers, layers[1:]):
            mean = GAIN[rate] * 20 * b2.mV / (len(source) * rate * 0.02)
            synapses.append(b2.Synapses(source, target, "w : volt", on_pre="v_post += w", delay=1 * b2.ms,
                                        namespace=dict(mean=mean)))
            synapses[-1].connect()
            synapses[-1].w = "mean * (1 + randn())"
        monitors = [b2.SpikeMonitor(layer, record=False) for layer in layers]
        cpus, walls = timed_brian(b2, folder, b2.Network(layers, synapses, monitors))
        counts = [int(monitor.num_spikes) / 1.2 for monitor in monitors]
        events = sum(count * size for count, size in zip(counts, SIZES[1:]))
        report("Brian2", f"ff{rate}", threads, cpus, walls, events, [round(c / n, 1) for c, n in zip(counts, SIZES)])


def ours(bench, threads, networks):
    for network in networks:
        out = subprocess.run([bench, network, str(threads)], check=True, capture_output=True, text=True).stdout
        for line in out.splitlines():
            print(json.dumps({**json.loads(line), "network": network}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--networks", nargs="+", default=["brunel", "ff5", "ff20", "ff100"])
    parser.add_argument("--only", choices=["NEST", "Brian2"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        brunel, feed_forward = {"NEST": (nest_brunel, nest_feed_forward), "Brian2": (brian_brunel, brian_feed_forward)}[args.only]
        network = args.networks[0]
        return brunel(args.threads) if network == "brunel" else feed_forward(args.threads, int(network[2:]))
    ours(args.bench, args.threads, args.networks)
    for network in args.networks:
        for peer in ["NEST", "Brian2"]:
            subprocess.run([sys.executable, __file__, "--only", peer, "--threads", str(args.threads), "--networks", network])


if __name__ == "__main__":
    main()
