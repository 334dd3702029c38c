#!/usr/bin/env python3
"""Decoding speed beside NumPy: the same real recordings, from the page cache, in one run.

    SYNFIRE_DATA=... bench/compare_decode.py build/release/bench/bench_decode

Plain NumPy is the fastest reader of these formats that a Python user has for AEDAT 2.0 and N-MNIST; the package `aedat`
for AEDAT4, if it is installed. NumPy decodes to 16-byte records, Synfire to columns of 13 bytes.
"""
import glob
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

DATA = os.environ["SYNFIRE_DATA"]
EVENT = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("on", "?")], align=True)


def numpy_aedat2(file):
    raw = open(file, "rb").read()
    at = 0
    while raw[at:at + 1] == b"#":
        at = raw.index(b"\n", at) + 1
    words = np.frombuffer(raw, ">u4", offset=at).reshape(-1, 2)
    address = words[:, 0]
    events = np.empty(len(words), EVENT)
    events["t"] = words[:, 1]
    events["x"] = 127 - ((address >> 1) & 127)
    events["y"] = 127 - ((address >> 8) & 127)
    events["on"] = (address & 1) == 0
    return events


def numpy_nmnist(file):
    data = np.fromfile(file, np.uint8).reshape(-1, 5)
    events = np.empty(len(data), EVENT)
    events["t"] = (data[:, 2].astype(np.int64) & 127) << 16 | data[:, 3].astype(np.int64) << 8 | data[:, 4]
    events["x"], events["y"], events["on"] = data[:, 0], data[:, 1], data[:, 2] >> 7
    return events


def aedat_package(file):
    import aedat
    return np.concatenate([packet["events"] for packet in aedat.Decoder(file) if "events" in packet])


CASES = [
    ("aedat2", "NumPy", numpy_aedat2, [f"{DATA}/dvs128_objects/s2/mug__Caneca.aedat"]),
    ("nmnist", "NumPy", numpy_nmnist, sorted(glob.glob(f"{DATA}/nmnist/test/*/*.bin"))),
    ("aedat4", "aedat", aedat_package, [f"{DATA}/dvs128_wave/right_hand_wave/dvSave-2024_06_20_15_59_41.aedat4"]),
]


def events_per_s(decode, files, repetitions=9):
    """Median over the repetitions, in CPU time: other work on the machine does not count."""
    rates = []
    for _ in range(repetitions):
        begin = time.process_time()
        count = 0
        while True:  # long enough for the clock
            count += sum(len(decode(file)) for file in files)
            seconds = time.process_time() - begin
            if seconds > 0.2:
                break
        rates.append(count / seconds)
    return statistics.median(rates)


def main():
    output = subprocess.run([sys.argv[1], "--benchmark_filter=^read/", "--benchmark_format=json", "--benchmark_repetitions=9"],
                            check=True, capture_output=True, text=True).stdout
    ours = {entry["run_name"].removeprefix("read/"): entry["items_per_second"]
            for entry in json.loads(output)["benchmarks"] if entry.get("aggregate_name") == "median"}
    print(f"{'format':8} {'Synfire':>14} {'Python':>14}  ratio")
    for name, tool, decode, files in CASES:
        try:
            theirs = events_per_s(decode, files)
        except ImportError:
            print(f"{name:8} {ours[name] / 1e6:9.1f} Mev/s   (no package {tool})")
            continue
        print(f"{name:8} {ours[name] / 1e6:8.1f} Mev/s {theirs / 1e6:8.1f} Mev/s {ours[name] / theirs:6.1f}  ({tool})")


if __name__ == "__main__":
    main()
