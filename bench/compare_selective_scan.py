"""The selective scan beside the plain loop over tokens in PyTorch, in turns on one machine.

b 8, L 1,024, d 256, n 16, forward and backward. The loop takes its tokens by unbind: indexing would cost a gradient of full
size a token. Ours also computes softplus and its gradient. Prints one JSON object. Needs torch.

    python bench/compare_selective_scan.py build/release/bench/bench_selective_scan --threads 2 --rounds 5
"""
import argparse
import json
import resource
import statistics
import subprocess
import time

import torch

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=5)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(1)
BATCH, LENGTH, CHANNELS, STATES = 8, 1024, 256, 16


def scan(u, step, a, b, c, d):
    decay = torch.exp(step.unsqueeze(-1) * a)
    drive = (step * u).unsqueeze(-1) * b.unsqueeze(2)
    h, y = torch.zeros_like(decay[:, 0]), []
    for decay_l, drive_l, c_l in zip(decay.unbind(1), drive.unbind(1), c.unbind(1)):
        h = decay_l * h + drive_l
        y.append((h * c_l.unsqueeze(1)).sum(-1))
    return torch.stack(y, 1) + u * d


leaves = [torch.randn(BATCH, LENGTH, CHANNELS), torch.rand(BATCH, LENGTH, CHANNELS) * 0.1,
          -torch.arange(1.0, STATES + 1).repeat(CHANNELS, 1), torch.randn(BATCH, LENGTH, STATES),
          torch.randn(BATCH, LENGTH, STATES), torch.ones(CHANNELS)]
leaves = [leaf.requires_grad_() for leaf in leaves]
gradient = torch.randn(BATCH, LENGTH, CHANNELS)


def pytorch():
    """Wall and processor seconds of one pass both ways."""
    for leaf in leaves:
        leaf.grad = None
    wall, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    scan(*leaves).backward(gradient)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter() - wall, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def ours():
    name = f"forward_and_backward/{BATCH}/{LENGTH}/{CHANNELS}/{STATES}/process_time/real_time"
    command = [args.program, f"--benchmark_filter=^{name}$", "--benchmark_format=json", "--benchmark_min_time=0.3"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["benchmarks"][0]
    return report["real_time"] / 1e3, report["cpu_time"] / 1e3


pytorch()
rounds = [(pytorch(), ours()) for _ in range(args.rounds)]
median = {name: [statistics.median(r[i][k] for r in rounds) for k in range(2)] for i, name in enumerate(("pytorch", "synfire"))}
print(json.dumps({"torch": torch.__version__, "threads": args.threads, "rounds": args.rounds,
                  **{f"{name}_wall_s": round(m[0], 4) for name, m in median.items()},
                  **{f"{name}_processor_s": round(m[1], 4) for name, m in median.items()},
                  "times_faster": round(median["pytorch"][0] / median["synfire"][0], 1)}))
