"""Makes network.h5: one training pass of a small spiking network in PyTorch + SpikingJelly, in float64.

Input, parameters, output, gradients and running averages, under the names and in the layouts that Synfire uses:
time first, channels last. Needs torch, spikingjelly, h5py. The network is the one of spikingjelly_parity_test.cpp.
"""
from importlib import metadata

import h5py
import numpy as np
import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
T, B, C, H, W, K = 6, 3, 2, 8, 8, 3

lif1 = neuron.LIFNode(tau=2.0, v_threshold=1.0, v_reset=0.0, surrogate_function=surrogate.ATan(2.0), detach_reset=True)
lif2 = neuron.LIFNode(tau=3.0, v_threshold=0.8, v_reset=None, surrogate_function=surrogate.Sigmoid(4.0), detach_reset=False,
                      decay_input=False)
lif3 = neuron.LIFNode(tau=2.5, v_threshold=0.7, v_reset=0.1, surrogate_function=surrogate.ATan(2.0), detach_reset=False)
named = [("conv1", layer.Conv2d(C, 4, 3, padding=1, bias=False)), ("norm1", layer.BatchNorm2d(4)), (None, lif1),
         (None, layer.MaxPool2d(2)), ("conv2", layer.Conv2d(4, 5, 3, padding=1, stride=2)), ("norm2", layer.BatchNorm2d(5)),
         (None, lif2), (None, layer.AvgPool2d(2)), (None, layer.Flatten()), ("fc1", layer.Linear(5, 12)), (None, lif3),
         ("fc2", layer.Linear(12, 2 * K)), (None, layer.VotingLayer(2))]
net = torch.nn.Sequential(*(module for _, module in named))
functional.set_step_mode(net, "m")
rates, margins = [], []
for lif in (lif1, lif2, lif3):
    # How near a membrane comes to its threshold: nearer than rounding, and a spike could differ.
    lif.surrogate_function.register_forward_pre_hook(lambda m, u: margins.append(float(u[0].detach().abs().min())))
    lif.register_forward_hook(lambda m, _, s: rates.append(float(s.detach().mean())))
with torch.no_grad():
    for name, module in named:
        if name and name.startswith("norm"):
            module.weight.uniform_(0.8, 1.6)
            module.bias.uniform_(0.2, 0.8)
    named[9][1].weight.mul_(3.0)

x = torch.poisson(torch.full((T, B, C, H, W), 0.4)).requires_grad_()
before = {name + "." + key: value.clone() for name, module in named if name for key, value in module.state_dict().items()}
out = net(x)
label = torch.tensor([0, 2, 1])
loss = torch.nn.functional.cross_entropy(out.mean(0), label)
grad_out, = torch.autograd.grad(loss, out, retain_graph=True)
loss.backward()
print("firing rates", rates, "smallest margin", min(margins), "loss", float(loss.detach()))

ours = {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_var"}
with h5py.File("network.h5", "w", track_order=False) as file:
    def put(path, value):
        file.create_dataset(path, data=value.detach().numpy().astype(np.float64), track_times=False)

    put("input", x.permute(0, 1, 3, 4, 2))
    put("output", out)
    put("grad_output", grad_out)
    put("grad/input", x.grad.permute(0, 1, 3, 4, 2))
    for name, module in named:
        if name is None:
            continue
        for key, value in before.items():
            layer_name, key = key.split(".")
            if layer_name != name or key == "num_batches_tracked":
                continue
            tensor = f"{name}.{ours[key] if name.startswith('norm') else key}"
            put("weights/" + tensor, value)
            if key.startswith("running"):
                put("after/" + tensor, module.state_dict()[key])
            else:
                put("grad/" + tensor, dict(module.named_parameters())[key].grad)
print("torch", torch.__version__, "spikingjelly", metadata.version("spikingjelly"))
