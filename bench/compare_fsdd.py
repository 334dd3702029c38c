#!/usr/bin/env python3
"""Spoken digits with and without delays: Synfire against PyTorch + SpikingJelly + DCLS, seed by seed.

    python3 bench/compare_fsdd.py --synfire build/release/apps/synfire --train data/fsdd/train.h5 \\
        --test data/fsdd/test.h5 configs/fsdd_no_delays.toml configs/fsdd_fixed_delays.toml configs/fsdd_delays.toml

needs a Python (3.11) with torch, spikingjelly, dcls and h5py. Both programs read the same file of settings and the same
spikes: layers, initial distributions, optimisers, schedules, the narrowing of bumps, loss, batch size and number of
epochs are those of the file, and the weights are those of the last epoch. PyTorch has no epochs with rounded delays and
ignores learning.delays.round_from_epoch; with --set learning.delays.round_from_epoch=EPOCHS Synfire has none either, and
both follow the published recipe. Accuracies are with delays on whole ticks. Every run is a process of its own and prints a
line of JSON when it is done; the last lines are a table. --table FILE... only prints the table of lines that were kept.
"""
import argparse
import concurrent.futures
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

PROGRAMS = ("synfire", "pytorch")


def read_config(path, overrides):
    with open(path, "rb") as file:
        config = tomllib.load(file)
    for override in overrides:
        key, value = override.split("=", 1)
        *tables, last = key.strip().split(".")
        table = config
        for name in tables:
            table = table.setdefault(name, {})
        table[last] = tomllib.loads("x = " + value)["x"]
    return config


# The reference ----------------------------------------------------------------------------------------------------

def binned(path, spikes):
    """Counts of every sample [bins, groups], as datasets/spike_bins.hpp defines them, and the labels."""
    import h5py
    import numpy as np

    dt_us, group, most = round(1000 * spikes["dt_ms"]), spikes["channel_group"], spikes.get("max_bins", 0)
    samples = []
    with h5py.File(path, "r") as file:
        groups = -(-int(file["extra/num_channels"][()] if "num_channels" in file["extra"] else 700) // group)
        for t_s, channel in zip(file["spikes/times"], file["spikes/units"]):
            t_us = (1e6 * t_s.astype(np.float64) + 0.5).astype(np.int64)
            t_us -= t_us.min()
            bins = max(1, -(-int(t_us.max()) // dt_us))
            counts = np.zeros((bins, groups), np.float32)
            np.add.at(counts, (np.minimum(t_us // dt_us, bins - 1), channel // group), 1.0)
            samples.append(counts[:most] if most > 0 else counts)
        return samples, file["labels"][:].astype(np.int64)


def batch_of(samples, labels, numbers, device):
    """[T, B, groups], as long as the longest sample; the others end in zeros."""
    import torch

    padded = torch.nn.utils.rnn.pad_sequence([samples[i] for i in numbers])
    return padded.to(device), labels[numbers]


def make_network(config, inputs):
    import torch
    import torch.nn.functional as F
    from DCLS.construct.modules import Dcls1d
    from spikingjelly.activation_based import layer, neuron, surrogate

    network = config["network"]
    delayed = network["delayed_linear"]
    longest = delayed["max_delay_ticks"]
    taps, lim = longest + 1, longest // 2
    learned = longest > 0 and delayed.get("delays", "learned") == "learned"

    class Delayed(torch.nn.Module):
        def __init__(self, num_in, num_out):
            super().__init__()
            self.synapses = Dcls1d(num_in, num_out, kernel_count=1, bias=False, dilated_kernel_size=taps,
                                   version="gauss" if learned else "max")
            torch.nn.init.kaiming_uniform_(self.synapses.weight, nonlinearity="relu")
            if longest > 0:
                torch.nn.init.uniform_(self.synapses.P, -lim - 1, lim)
            else:
                torch.nn.init.zeros_(self.synapses.P)
            self.synapses.clamp_parameters()
            torch.nn.init.constant_(self.synapses.SIG, delayed["width"] if learned else 0.0)
            self.synapses.SIG.requires_grad = False
            if not learned:
                self.synapses.P.requires_grad = False
                self.round()

        def round(self):
            with torch.no_grad():
                self.synapses.version = self.synapses.DCK.version = "max"
                self.synapses.SIG.zero_()
                self.synapses.P.round_()

        def forward(self, x):
            return self.synapses(F.pad(x.permute(1, 2, 0), (longest, lim))).permute(2, 0, 1)

    class Norm(layer.BatchNorm1d):
        def forward(self, x):
            return super().forward(x.unsqueeze(3)).squeeze(3)

    class Integrator(neuron.LIFNode):
        def forward(self, x):
            super().forward(x)
            return self.v_seq

    def lif(kind, **more):
        settings = network[kind]
        return dict(tau=settings["tau_mem_ms"] / network["dt_ms"], decay_input=settings["decay_input"], v_reset=0.0,
                    detach_reset=True, step_mode="m", **more)

    layers, width = [], inputs
    for spec in network["layers"]:
        if spec["type"] == "delayed_linear":
            layers.append(Delayed(width, spec["out_features"]))
            width = spec["out_features"]
        elif spec["type"] == "batch_norm":
            layers.append(Norm(width, step_mode="m"))
        elif spec["type"] == "lif":
            spike = surrogate.ATan(network["lif"]["surrogate_alpha"])
            layers.append(neuron.LIFNode(surrogate_function=spike, **lif("lif")))
        elif spec["type"] == "dropout":
            layers.append(layer.Dropout(spec["p"], step_mode="m"))
        elif spec["type"] == "leaky_integrator":
            layers.append(Integrator(v_threshold=1e9, store_v_seq=True, **lif("leaky_integrator")))
        else:
            sys.exit(f"no layer \"{spec['type']}\" here")
    net = torch.nn.Sequential(*layers)
    return net, [part for part in layers if isinstance(part, Delayed)], learned


def scores(net, x):
    import torch
    from spikingjelly.activation_based import functional

    functional.reset_net(net)
    return torch.softmax(net(x), dim=2).sum(0)


def count_correct(net, samples, labels, batch_size, device):
    import torch

    net.eval()
    correct = 0
    with torch.no_grad():
        for begin in range(0, len(samples), batch_size):
            x, y = batch_of(samples, labels, list(range(begin, min(begin + batch_size, len(samples)))), device)
            correct += int((scores(net, x).argmax(1) == y).sum())
    net.train()
    return correct


def train_reference(args):
    """Two optimisers, stepped every batch, and their schedules and the narrowing, stepped every epoch."""
    import torch
    import torch.nn.functional as F
    from spikingjelly.activation_based import functional

    config = read_config(args.configs[0], args.set)
    learning, start = config["learning"], time.time()
    if learning["loss"] != "softmax_sum_cross_entropy" or learning["step"] != "epoch" or config["data"].get("validation", 0):
        sys.exit(f"{args.configs[0]}: only the recipe of the delay networks is known here, without held-out samples")
    torch.backends.cudnn.allow_tf32 = args.tf32
    torch.manual_seed(args.seed)
    device, batch_size, epochs = args.device, learning["batch_size"], learning["epochs"]

    def load(path):
        samples, labels = binned(path, config["spikes"])
        return [torch.from_numpy(sample).to(device) for sample in samples], torch.from_numpy(labels).to(device)

    train, test = load(args.train), load(args.test)
    net, delays, learned = make_network(config, train[0][0].shape[1])
    net.to(device)
    weights = [part.synapses.weight for part in delays]
    norms = [p for part in net if isinstance(part, torch.nn.BatchNorm1d) for p in part.parameters()]
    optimizer = torch.optim.Adam([{"params": weights, "weight_decay": learning["weight_decay"]}, {"params": norms}],
                                 lr=learning["learning_rate"])
    schedules = [torch.optim.lr_scheduler.OneCycleLR(optimizer, learning["learning_rate"], total_steps=epochs)]
    optimizers, narrowing = [optimizer], 0
    if learned:
        positions = torch.optim.Adam([part.synapses.P for part in delays], lr=learning["positions"]["learning_rate"])
        schedules.append(torch.optim.lr_scheduler.CosineAnnealingLR(positions, T_max=epochs))
        optimizers.append(positions)
        final_width = learning.get("delays", {}).get("final_width", 0.23)
        narrowing = learning.get("delays", {}).get("narrowing_epochs", epochs // 4)
        factor = (final_width / config["network"]["delayed_linear"]["width"]) ** (1 / max(1, narrowing))

    for epoch in range(epochs):
        order = torch.randperm(len(train[0])).tolist()
        loss_sum = torch.zeros((), device=device)
        for begin in range(0, len(order), batch_size):
            x, y = batch_of(*train, order[begin:begin + batch_size], device)
            loss = F.cross_entropy(scores(net, x), y)
            for each in optimizers:
                each.zero_grad()
            loss.backward()
            for each in optimizers:
                each.step()
            for part in delays:
                part.synapses.clamp_parameters()
            loss_sum += loss.detach() * len(y)
        if epoch + 1 < epochs:
            for schedule in schedules:
                schedule.step()
        if epoch < narrowing:
            for part in delays:
                part.synapses.SIG.data.mul_(factor)

    functional.reset_net(net)  # membranes that remember a graph cannot be copied
    deployed = copy.deepcopy(net)
    for part in deployed:
        if hasattr(part, "round"):
            part.round()
    result = {"correct": count_correct(deployed, *test, batch_size, device), "total": len(test[0])}
    if learned:
        result["correct_unrounded"] = count_correct(net, *test, batch_size, device)
    result |= {"train_loss": float(loss_sum) / len(train[0]), "seconds": round(time.time() - start, 1),
               "torch": torch.__version__, "device": torch.cuda.get_device_name() if "cuda" in device else device}
    print(json.dumps(result))


# Both programs, run by run -----------------------------------------------------------------------------------------

def run_synfire(args, path, seed):
    start = time.time()
    with tempfile.TemporaryDirectory() as folder:
        command = [args.synfire, "train", path, "--quiet", "--threads", str(args.threads), "--out", folder + "/run"]
        for setting in (f"data.train={args.train}", f"data.test={args.test}", f"seed={seed}", *args.set):
            command += ["--set", setting]
        subprocess.run(command, check=True, stdout=subprocess.PIPE)
        with open(folder + "/run/evaluation.json") as file:
            evaluation = json.load(file)
        with open(folder + "/run/metrics.jsonl") as file:
            last_epoch = json.loads(file.readlines()[-1])
    result = {key: evaluation[key] for key in ("correct", "total", "correct_unrounded") if key in evaluation}
    return result | {"train_loss": last_epoch["train_loss"], "seconds": round(time.time() - start, 1)}


def run_reference(args, path, seed):
    command = [sys.executable, __file__, "--seed", str(seed), "--device", args.device, "--train", args.train, "--test", args.test]
    command += ["--tf32"] if args.tf32 else []
    for setting in args.set:
        command += ["--set", setting]
    done = subprocess.run([*command, path], check=True, stdout=subprocess.PIPE, text=True,
                          env=os.environ | {"OMP_NUM_THREADS": str(args.threads)})
    return json.loads(done.stdout.splitlines()[-1])


def run_all(args):
    rows = []

    def run(program, path, seed):
        name = os.path.splitext(os.path.basename(path))[0]
        result = (run_synfire if program == "synfire" else run_reference)(args, path, seed)
        rows.append({"program": program, "config": name, "split": args.split, "seed": seed, "set": args.set} | result)
        print(json.dumps(rows[-1]), flush=True)

    with (concurrent.futures.ThreadPoolExecutor(args.jobs) as ours,
          concurrent.futures.ThreadPoolExecutor(args.reference_jobs) as theirs):
        runs = [pool.submit(run, program, path, seed)
                for path in args.configs for seed in map(int, args.seeds.split(","))
                for program, pool in zip(PROGRAMS, (ours, theirs)) if args.only in (None, program)]
        for each in runs:
            each.result()
    return rows


def table(rows):
    """One line for each configuration, split and program: mean and standard deviation over seeds, and every seed."""
    groups = {}
    for row in rows:
        key = (row.get("split", ""), row["config"], " ".join(row.get("set", [])), row["program"])
        groups.setdefault(key, []).append(row)
    lines = ["| split | config | program | mean % | s.d. | before rounding % | correct of each seed | of |",
             "|---|---|---|---|---|---|---|---|"]
    for (split, config, settings, program), runs in sorted(groups.items()):
        runs.sort(key=lambda row: row["seed"])

        def percent(key):
            return [100 * row[key] / row["total"] for row in runs if key in row]

        spread = statistics.stdev(percent("correct")) if len(runs) > 1 else 0.0
        unrounded = f"{statistics.mean(percent('correct_unrounded')):.2f}" if percent("correct_unrounded") else "-"
        lines.append(f"| {split} | {' '.join((config, settings)).strip()} | {program} | {statistics.mean(percent('correct')):.2f} "
                     f"| {spread:.2f} | {unrounded} | {', '.join(str(row['correct']) for row in runs)} | {runs[0]['total']} |")
    return "\n".join(lines)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("configs", nargs="*")
parser.add_argument("--synfire", help="path of the program")
parser.add_argument("--train", help="spike trains to learn from, in SHD's layout")
parser.add_argument("--test")
parser.add_argument("--split", default="", help="what the table calls these files")
parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="overrides a key of the settings")
parser.add_argument("--only", choices=PROGRAMS, help="one of the programs")
parser.add_argument("--seeds", default="1,2,3,4,5")
parser.add_argument("--threads", type=int, default=1, help="of one run")
parser.add_argument("--jobs", type=int, default=1, help="runs of Synfire at a time")
parser.add_argument("--reference-jobs", type=int, default=1, help="runs of PyTorch at a time")
parser.add_argument("--device", default="cpu", help="of PyTorch: cpu or cuda")
parser.add_argument("--tf32", action="store_true", help="let PyTorch's convolutions round their factors to 10 bits")
parser.add_argument("--table", nargs="+", metavar="FILE", help="lines of JSON of earlier runs: only print their table")
parser.add_argument("--seed", type=int, help="train the reference once, in this process")
args = parser.parse_args()

if args.table:
    print(table([json.loads(line) for name in args.table for line in open(name) if line.startswith("{")]))
elif args.seed is not None:
    train_reference(args)
else:
    print(table(run_all(args)))
