#!/usr/bin/env python3
"""One training step of the DVS128 Gesture network: bench_train_step against PyTorch + SpikingJelly, in one run.

    python3 bench/compare_train_step.py build/release/bench/bench_train_step

needs a Python with torch and spikingjelly. Both run the same layers on frames of the same size and density with the
same number of threads, one after the other, and are measured in the same way: median wall time of the steps after a
warm-up, the processor time of both threads together, which says more on a busy machine, and the largest resident set.
"""
import argparse
import json
import statistics
import subprocess
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program", help="path of bench_train_step")
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--warmup", type=int, default=2)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--channels", type=int, default=32)
parser.add_argument("--ticks", type=int, default=16)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--density", type=float, default=0.035)
args = parser.parse_args()

SIZE = 128


def resident_mib(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024


def peer():
    import torch
    import torch.nn.functional as F
    from spikingjelly.activation_based import functional, layer, neuron, surrogate

    torch.manual_seed(1)
    torch.set_num_threads(args.threads)

    def lif():
        return neuron.LIFNode(tau=2.0, surrogate_function=surrogate.ATan(), detach_reset=True)

    blocks, channels = [], 2
    for _ in range(5):
        blocks += [layer.Conv2d(channels, args.channels, 3, padding=1, bias=False), layer.BatchNorm2d(args.channels), lif(),
                   layer.MaxPool2d(2, 2)]
        channels = args.channels
    blocks += [layer.Flatten(), layer.Dropout(0.5), layer.Linear(channels * 16, 512), lif(), layer.Dropout(0.5),
               layer.Linear(512, 110), lif(), layer.VotingLayer(10)]
    net = torch.nn.Sequential(*blocks)
    functional.set_step_mode(net, "m")
    x = (torch.rand(args.ticks, args.batch, 2, SIZE, SIZE) < args.density).float()
    target = F.one_hot(torch.arange(args.batch) % 11, 11).float()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step():
        functional.reset_net(net)
        optimizer.zero_grad()
        F.mse_loss(net(x).mean(0), target).backward()
        optimizer.step()

    for _ in range(args.warmup):
        step()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    wall, cpu = [], []
    for _ in range(args.steps):
        start, cpu_start = time.perf_counter(), time.process_time()
        step()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    return {"torch": torch.__version__, "threads": torch.get_num_threads(), "median_s": statistics.median(wall),
            "min_s": min(wall), "max_s": max(wall), "cpu_s": statistics.median(cpu), "rss_peak_mib": resident_mib("VmHWM")}


def ours():
    command = [args.program]
    for name in ("steps", "warmup", "threads", "channels", "ticks", "batch", "density"):
        command += ["--" + name, str(getattr(args, name))]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


a = ours()
b = peer()
for name, row in (("synfire", a), ("torch + spikingjelly", b)):
    print(f"{name:22} {row['median_s']:8.3f} s a step (min {row['min_s']:.3f}, max {row['max_s']:.3f}), "
          f"{row['cpu_s']:8.3f} s of processor, {row['rss_peak_mib']:6.0f} MiB, {row['threads']} threads")
print("ratio                 ", *(f"{what} {b[key] / a[key]:.2f}," for what, key in
                                  (("time", "median_s"), ("best time", "min_s"), ("processor", "cpu_s"), ("memory", "rss_peak_mib"))))
