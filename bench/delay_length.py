#!/usr/bin/env python3
"""Does a training step take longer when the longest delay is longer? bench_delay_step at width 0.23 for longest delays of 24,
64, 256 and 1,024 ticks, on the same input: the number of ticks stays, so only the delays change.

    python3 bench/delay_length.py build/release/bench/bench_delay_step docs/images/delay_length.png [--peer]

needs a Python with matplotlib; with --peer also PyTorch + SpikingJelly + DCLS (compare_delay_step.py), whose dense kernel it
measures up to 64 ticks: a step of it grows with the number of taps. Times are processor time of all threads together, which
other work on the machine disturbs least; a round measures every length once, the fastest of the rounds counts.
"""
import argparse
import json
import pathlib
import subprocess
import sys

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program", help="path of bench_delay_step")
parser.add_argument("picture", help="written, .png")
parser.add_argument("--delays", type=int, nargs="*", default=[24, 64, 256, 1024])
parser.add_argument("--ticks", type=int, default=1200)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--peer", action="store_true")
parser.add_argument("--peer-longest", type=int, default=64, help="longest delay that the dense kernel is measured with")
args = parser.parse_args()


def ours(delay):
    numbers = {"max-delay": delay, "extra": 0, "ticks": args.ticks, "batch": args.batch, "steps": 2, "warmup": 1,
               "threads": args.threads, "width": 0.23}
    command = [args.program] + [word for name, value in numbers.items() for word in ("--" + name, str(value))]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peer(delay):
    compare = pathlib.Path(__file__).with_name("compare_delay_step.py")
    numbers = {"max-delay": delay, "extra": 0, "ticks": args.ticks, "batch": args.batch, "steps": 1, "threads": args.threads}
    command = [sys.executable, str(compare), args.program, "--role", "peer", "--widths", "0.23"]
    command += [word for name, value in numbers.items() for word in ("--" + name, str(value))]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def best(runs):
    """By length the fastest processor time, and the largest resident set."""
    return {delay: (min(r["cpu_s"] for r in rows), max(r["rss_peak_mib"] for r in rows)) for delay, rows in runs.items()}


rounds = [{delay: ours(delay) for delay in args.delays} for _ in range(args.rounds)]
found = best({delay: [r[delay] for r in rounds] for delay in args.delays})
dense = best({delay: [peer(delay)] for delay in args.delays if args.peer and delay <= args.peer_longest})
shortest = found[args.delays[0]][0]
print(f"{args.ticks} ticks, batch {args.batch}, width 0.23, {args.threads} threads")
print(f"{'longest delay':>14} {'processor s':>12} {'of the first':>13} {'peak MiB':>9} {'dense: processor s':>19} {'peak MiB':>9}")
for delay, (seconds, mib) in found.items():
    other = f"{dense[delay][0]:19.2f} {dense[delay][1]:9.0f}" if delay in dense else ""
    print(f"{delay:14} {seconds:12.3f} {seconds / shortest:13.2f} {mib:9.0f} {other}")

import matplotlib  # noqa: E402

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

figure, axes = pyplot.subplots(figsize=(6, 3.6))
axes.plot(list(found), [seconds for seconds, _ in found.values()], "o-", label="Synfire")
if dense:
    axes.plot(list(dense), [seconds for seconds, _ in dense.values()], "s--", label="PyTorch + SpikingJelly + DCLS")
axes.set(xscale="log", xlabel="longest delay, ticks", ylabel="processor seconds a training step", ylim=(0, None),
         title=f"140-256-256-20, {args.ticks} ticks, batch {args.batch}, width 0.23")
axes.set_xticks(args.delays, [f"{delay:,}" for delay in args.delays])
axes.minorticks_off()
axes.grid(alpha=0.3)
axes.legend()
figure.tight_layout()
figure.savefig(args.picture)
