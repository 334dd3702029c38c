#!/usr/bin/env python3
"""A training step and an evaluation pass of the SHD network with learned delays: bench_delay_step against PyTorch +
SpikingJelly + DCLS, in one run.

    python3 bench/compare_delay_step.py build/release/bench/bench_delay_step

needs a Python with torch, spikingjelly and dcls. 140-256-256-20, 25 taps, 100 ticks, batch 256, Poisson counts at the rate of
spoken digits. Both run the same layers with the same number of threads, in turn, each time in a process of its own: wall time
of the steps after a warm-up over all rounds, the processor time of all threads together, which says more on a busy machine, and
the largest resident set. PyTorch's threads wait for each other asleep (OMP_WAIT_POLICY): spinning, which is their habit, counts
as processor time, and made its steps up to ten times longer while other work shared the cores.

The floor is what sparsity leaves: the multiply-adds of the events and taps that there are, at the rate of this machine's matrix
products, and the bytes of the signals at that of its copies. A wide bump that is held in a basis of few functions
(synapses/delay_basis.hpp) may go below it. PyTorch flushes denormal numbers to zero, which on some processors makes it several
times faster at narrow widths.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program", help="path of bench_delay_step")
parser.add_argument("--rounds", type=int, default=2)
parser.add_argument("--steps", type=int, default=3, help="in a round")
parser.add_argument("--warmup", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch", type=int, default=256)
parser.add_argument("--ticks", type=int, default=100)
parser.add_argument("--max-delay", type=int, default=24)
parser.add_argument("--extra", type=int, default=12)
parser.add_argument("--rate", type=float, default=8000.0, help="input spikes a second, over 700 channels")
parser.add_argument("--widths", type=float, nargs="*", default=[12.0, 3.0, 0.23], help="of the training steps")
parser.add_argument("--no-eval", action="store_true")
parser.add_argument("--keep-denormals", action="store_true", help="in PyTorch: far taps of a narrow bump are such numbers")
parser.add_argument("--json", action="store_true", help="print the measurements too")
parser.add_argument("--role", choices=["peer", "rates"], help=argparse.SUPPRESS)
args = parser.parse_args()

SIZES, DROPOUT, TICK_MS = [140, 256, 256, 20], 0.4, 10.0


def resident_mib(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024


def timed(step, warmup, steps):
    for _ in range(warmup):
        step()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    wall, cpu = [], []
    for _ in range(steps):
        start, cpu_start = time.perf_counter(), time.process_time()
        step()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    return {"median_s": statistics.median(wall), "min_s": min(wall), "max_s": max(wall), "cpu_s": statistics.median(cpu),
            "cpu_min_s": min(cpu), "rss_peak_mib": resident_mib("VmHWM")}


def over_rounds(rows):
    return rows[-1] | {"median_s": statistics.median(r["median_s"] for r in rows), "min_s": min(r["min_s"] for r in rows),
                       "max_s": max(r["max_s"] for r in rows), "cpu_s": min(r["cpu_s"] for r in rows),
                       "rss_peak_mib": max(r["rss_peak_mib"] for r in rows)}


def rates():
    """Multiply-adds and copied bytes a second of processor time, the best of this machine just now."""
    import torch
    torch.set_num_threads(args.threads)
    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    images, kernel = torch.randn(4, 256, 56, 56), torch.randn(256, 256, 3, 3)
    source = torch.randn(1 << 24)
    target = torch.empty_like(source)
    with torch.no_grad():
        product = 1536**3 / timed(lambda: torch.mm(a, b), 2, 9)["cpu_min_s"]
        convolution = 4 * 56**2 * 9 * 256**2 / timed(lambda: torch.conv2d(images, kernel, padding=1), 2, 9)["cpu_min_s"]
        copied = 8 * source.numel() / timed(lambda: target.copy_(source), 2, 9)["cpu_min_s"]
    return {"mac_a_s": max(product, convolution), "bytes_a_s": copied}


def peer(width):
    """`width` None: the evaluation pass, with whole delays."""
    import torch
    import torch.nn.functional as F
    from DCLS.construct.modules import Dcls1d
    from spikingjelly.activation_based import functional, layer, neuron, surrogate

    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(not args.keep_denormals)
    taps, limit = args.max_delay + 1, args.max_delay // 2
    density = []

    class Hidden(torch.nn.Module):
        def __init__(self, inputs, outputs, last):
            super().__init__()
            self.delay = Dcls1d(inputs, outputs, kernel_count=1, bias=False, dilated_kernel_size=taps, version="gauss")
            torch.nn.init.kaiming_uniform_(self.delay.weight, nonlinearity="relu")
            torch.nn.init.uniform_(self.delay.P, -limit - 1, limit)
            self.delay.clamp_parameters()
            self.delay.SIG.requires_grad = False
            with torch.no_grad():
                self.delay.SIG.fill_(width or 0.0)
                if width is None:
                    self.delay.version = self.delay.DCK.version = "max"
                    self.delay.P.round_()
            self.norm = None if last else layer.BatchNorm1d(outputs, step_mode="m")
            self.lif = neuron.LIFNode(tau=10.05 / TICK_MS, decay_input=False, v_threshold=1e9 if last else 1.0, v_reset=0.0,
                                      surrogate_function=surrogate.ATan(5.0), detach_reset=True, step_mode="m", store_v_seq=last)
            self.drop = layer.Dropout(DROPOUT, step_mode="m")

        def forward(self, x):
            density.append(x.detach())
            x = self.delay(F.pad(x.permute(1, 2, 0), (taps - 1, args.extra))).permute(2, 0, 1)
            if self.norm is None:
                self.lif(x)
                return self.lif.v_seq
            return self.drop(self.lif(self.norm(x.unsqueeze(-1)).squeeze(-1)))

    net = torch.nn.Sequential(*(Hidden(i, o, n == 2) for n, (i, o) in enumerate(zip(SIZES, SIZES[1:]))))
    positions = [q for name, q in net.named_parameters() if name.endswith(".P")]
    others = [q for name, q in net.named_parameters() if not name.endswith(".P") and q.requires_grad]
    adams = [torch.optim.Adam(others, lr=1e-3), torch.optim.Adam(positions, lr=1e-3)]
    mean = args.rate * TICK_MS * 1e-3 / SIZES[0]
    x = torch.poisson(torch.full((args.ticks, args.batch, SIZES[0]), mean))
    label = torch.arange(args.batch) % SIZES[-1]

    def forward(x):
        functional.reset_net(net)
        density.clear()
        return net(x)

    def train():
        loss = F.cross_entropy(F.softmax(forward(x), dim=2).sum(0), label)
        for adam in adams:
            adam.zero_grad()
        loss.backward()
        for adam in adams:
            adam.step()
        for hidden in net:
            hidden.delay.clamp_parameters()

    @torch.no_grad()
    def evaluate():
        F.softmax(forward(x), dim=2).sum(0).argmax(1)

    if width is None:
        with torch.no_grad():
            for _ in range(50):  # batch norms have learned what they see
                forward(x[:, :16])
        net.eval()
    resting = resident_mib("VmRSS")
    result = timed(evaluate if width is None else train, args.warmup, args.steps)
    return result | {"torch": torch.__version__, "threads": torch.get_num_threads(), "rss_before_mib": resting,
                     "density": [float((q != 0).float().mean()) for q in density]}


def ours(width):
    command = [args.program, "--width", str(width or 0.0)] + (["--rounded", "1", "--eval", "1"] if width is None else [])
    for name in ("steps", "warmup", "threads", "batch", "ticks", "max_delay", "extra", "rate"):
        command += ["--" + name.replace("_", "-"), str(getattr(args, name))]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result | {"density": [layer["density"] for layer in result["layers"]]}


def in_a_process(role, *widths):
    command = [sys.executable, __file__, *sys.argv[1:], "--role", role, "--widths", *map(str, widths)]
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def report():
    machine = in_a_process("rates")
    print(f"a second of a processor of this machine: {machine['mac_a_s'] / 1e9:.0f} G multiply-adds, copies of "
          f"{machine['bytes_a_s'] / 1e9:.1f} GB")
    for width in [*args.widths, *([] if args.no_eval else [None])]:
        turns = [(ours(width), in_a_process("peer", *([] if width is None else [width]))) for _ in range(args.rounds)]
        a, b = (over_rounds(rows) for rows in zip(*turns))
        if args.json:
            print(json.dumps({"synfire": a, "peer": b}))
        print("evaluation, whole delays" if width is None else f"training step, width {width}")
        for name, row in (("synfire", a), (f"torch {b['torch']} + spikingjelly + dcls", b)):
            print(f"  {name:42} {row['median_s']:8.3f} s (min {row['min_s']:.3f}, max {row['max_s']:.3f}), {row['cpu_s']:8.3f} s of "
                  f"processor, {row['rss_peak_mib']:6.0f} MiB, {row['threads']} threads, density of the inputs "
                  + " ".join(f"{d:.3f}" for d in row["density"]))
        print("  ratio:", *(f"{what} {b[key] / a[key]:.1f}," for what, key in
                            (("time", "median_s"), ("best time", "min_s"), ("processor", "cpu_s"), ("memory", "rss_peak_mib"))),
              f"memory above {b['rss_before_mib']:.0f} MiB of libraries {(b['rss_peak_mib'] - b['rss_before_mib']) / a['rss_peak_mib']:.1f}")
        floor_mac, floor_bytes = a["least_mac"] / machine["mac_a_s"], a["least_bytes"] / machine["bytes_a_s"]
        print(f"  floor: {a['least_mac'] / 1e9:.2f} G multiply-adds {floor_mac:.3f} s of processor, {a['least_bytes'] / 1e6:.0f} MB "
              f"{floor_bytes:.3f} s; synfire takes {a['cpu_s'] / (floor_mac + floor_bytes):.1f} times both; taps in reach "
              + " ".join(f"{layer['taps']:.1f}" for layer in a["layers"]), flush=True)


if args.role == "rates":
    print(json.dumps(rates()))
elif args.role == "peer":
    print(json.dumps(peer(args.widths[0] if args.widths else None)))
else:
    report()
