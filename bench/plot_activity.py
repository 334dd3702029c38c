#!/usr/bin/env python3
"""Draws what a tick costs against activity, from the lines that bench_activity prints.

    for threads in 1 2; do build/release/bench/bench_activity --threads $threads; done > activity.jsonl
    python3 bench/plot_activity.py activity.jsonl docs/images/activity.svg

needs a Python with matplotlib. Times are processor time of all threads together.
"""
import json
import sys

import matplotlib
matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "synfire"  # the same file from the same numbers
import matplotlib.pyplot as plt  # noqa: E402

measurements = [json.loads(line) for line in open(sys.argv[1])]
titles = {"dense": "784-1000-1000-10", "conv": "convolutional, 34 x 34"}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
for axis, (network, title) in zip(axes, titles.items()):
    for engine, colour in (("events", "tab:red"), ("clocked", "tab:blue")):
        rows = [m for m in measurements if m["network"] == network and m["engine"] == engine and m["threads"] == 1]
        axis.plot([100 * m["input"] for m in rows], [m["cpu_us_per_tick"] for m in rows], "o-", color=colour,
                  label={"events": "event engine", "clocked": "clocked engine"}[engine])
    axis.set(title=title, xscale="log", yscale="log", xlabel="% of inputs and neurons that spike in a tick")
    axis.grid(True, which="both", alpha=0.3)
axes[0].set_ylabel("processor time, us a tick of a sample")
axes[0].legend()
figure.tight_layout()
figure.savefig(sys.argv[2], metadata={"Date": None})

for network in titles:
    print(network)
    for share in sorted({m["input"] for m in measurements}):
        cells = []
        for engine in ("events", "clocked"):
            rows = {m["threads"]: m["cpu_us_per_tick"] for m in measurements
                    if m["network"] == network and m["input"] == share and m["engine"] == engine}
            cells.append(" / ".join(f"{rows[threads]:.3g}" for threads in sorted(rows)))
        hidden = next(m["hidden"] for m in measurements if m["network"] == network and m["input"] == share)
        print(f"  {100 * share:g} %: hidden {', '.join(f'{100 * h:.2g}' for h in hidden)} %, events {cells[0]}, clocked {cells[1]}")
