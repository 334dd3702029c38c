"""Writes neurobench.json: what NeuroBench counts on small networks, with the weights and the input that it saw.

The input currents of the neurons play no part: every layer that NeuroBench counts is fed by a tensor that is drawn here,
with spikes, graded values and silent ticks, so that no neuron model has to agree.

    pip install neurobench==2.3.0 snntorch==1.0.0
    python make.py
"""

import json
import pathlib

import numpy as np
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, ParameterCount
from neurobench.metrics.workload import SynapticOperations
from neurobench.models import TorchModel


class Steps(torch.nn.Module):
    """One layer, or a pool and a layer, called once a tick on [N, T, ...]."""

    def __init__(self, layers):
        super().__init__()
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, data):
        outputs = []
        for t in range(data.shape[1]):
            x = data[:, t]
            for layer in self.layers:
                if isinstance(layer, torch.nn.Linear):
                    x = x.flatten(1)
                x = layer(x)
            outputs.append(x.flatten(1))
        return torch.stack(outputs, 1)


def draw(rng, shape, share, graded):
    x = (rng.random(shape) < share).astype(np.float32) * np.where(rng.random(shape) < 0.5, -1, 1)
    x = np.where(rng.random(shape) < graded, 0.5 * x, x)
    x[:, 1] = np.abs(np.sign(x[:, 1]))  # one tick of spikes only
    if shape[1] > 2:
        x[:, 2] = 0
    return x.astype(np.float32)


def thin(rng, module):
    """Every third weight or so becomes 0."""
    with torch.no_grad():
        module.weight *= torch.from_numpy((rng.random(tuple(module.weight.shape)) < 0.7).astype(np.float32))
    return module


def case(rng, name, layers, shape, share, graded):
    layers = [thin(rng, layer) if hasattr(layer, "weight") else layer for layer in layers]
    network = Steps(layers).eval()
    data = torch.from_numpy(draw(rng, shape, share, graded))
    result = {"name": name, "input_shape": list(shape), "input": data.flatten().tolist(), "layers": [], "runs": []}
    for layer in layers:
        entry = {"type": type(layer).__name__}
        if hasattr(layer, "weight"):
            entry |= {"weight_shape": list(layer.weight.shape), "weight": layer.weight.flatten().tolist(),
                      "bias": layer.bias is not None}
        for key in ("stride", "padding", "kernel_size"):
            value = getattr(layer, key, None)
            if value is not None:
                entry[key] = value[0] if isinstance(value, tuple) else value
        result["layers"].append(entry)
    model = TorchModel(network)
    for batch in (1, 8):
        loader = torch.utils.data.DataLoader(
            torch.utils.data.TensorDataset(data, torch.zeros(shape[0], dtype=torch.long)), batch_size=batch)
        got = Benchmark(model, loader, [], [lambda x: x.sum(1).argmax(-1)],
                        [[ConnectionSparsity, ParameterCount], [SynapticOperations]]).run(quiet=True)
        result["runs"].append({"batch": batch, **got["SynapticOperations"],
                               "ConnectionSparsity": got["ConnectionSparsity"],
                               "ParameterCount": got["ParameterCount"]})
    return result


def main():
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    nn = torch.nn
    cases = []
    for graded in (0.0, 0.02):
        tag = "graded" if graded else "unit"
        cases += [
            case(rng, f"linear_{tag}", [nn.Linear(12, 7)], (8, 4, 12), 0.2, graded),
            case(rng, f"conv_{tag}", [nn.Conv2d(2, 3, 3, padding=1)], (8, 3, 2, 6, 5), 0.2, graded),
            case(rng, f"conv_stride_{tag}", [nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False)], (8, 3, 1, 7, 8), 0.3,
                 graded),
            case(rng, f"max_pool_{tag}", [nn.Conv2d(2, 2, 3), nn.MaxPool2d(2), nn.Linear(8, 3)], (8, 3, 2, 6, 6), 0.1,
                 graded),
            case(rng, f"average_pool_{tag}", [nn.AvgPool2d(2), nn.Linear(18, 3)], (8, 3, 2, 6, 6), 0.1, graded),
            case(rng, f"max_pool_of_spikes_{tag}", [nn.MaxPool2d(2), nn.Conv2d(2, 3, 2)], (8, 3, 2, 6, 6), 0.1, graded),
        ]
    path = pathlib.Path(__file__).with_name("neurobench.json")
    path.write_text(json.dumps({"neurobench": "2.3.0", "snntorch": "1.0.0", "torch": torch.__version__,
                                "cases": cases}) + "\n")


main()
