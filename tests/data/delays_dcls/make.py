"""Makes delays.h5: a network with learned delays in PyTorch + SpikingJelly + DCLS, in float64, over all widths.

Three delay layers of K = 25 taps as in [Hammouamri2024], small: 12-20-18-5. One set of parameters, and for each case the
kernel of the first layer (some of its outputs), the current into the first neurons (of one sample), the spikes of both hidden
layers, the output, the loss, every gradient and what one step of the two Adam optimisers changes. Names and layouts are Synfire's: time
first, channels last. Parameters and input are whole float32 numbers, so that float and double start from the same; results
are stored as float32. Needs torch, spikingjelly, dcls, h5py. Read by tests/network/dcls_parity_test.cpp.
"""
from importlib import metadata

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from DCLS.construct.modules import Dcls1d
from spikingjelly.activation_based import functional, layer, neuron, surrogate

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
SIZES, K, T, B = [12, 20, 18, 5], 25, 30, 4
LIMIT = K // 2
KERNEL_OUTPUTS = 3
SMALLEST_MARGIN = 4e-5
# name -> (version, SIG, positions rounded, training mode)
CASES = {
    "gauss12": ("gauss", 12.0, False, True),
    "gauss3": ("gauss", 3.0, False, True),
    "gauss1": ("gauss", 1.0, False, True),
    "gauss0.5": ("gauss", 0.5, False, True),
    "gauss0.23": ("gauss", 0.23, False, True),
    "triangle0.5": ("max", 0.5, False, True),
    "triangle0": ("v1", 0.0, False, True),
    "rounded": ("max", 0.0, True, True),
    "deployed": ("max", 0.0, True, False),
}


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.delays = torch.nn.ModuleList(
            Dcls1d(i, o, kernel_count=1, bias=False, dilated_kernel_size=K, version="gauss") for i, o in zip(SIZES, SIZES[1:]))
        self.norms = torch.nn.ModuleList(layer.BatchNorm1d(c, step_mode="m") for c in SIZES[1:-1])
        self.neurons = torch.nn.ModuleList(
            neuron.LIFNode(tau=1.005, decay_input=False, v_threshold=1.0 if n < 2 else 1e9, v_reset=0.0,
                           surrogate_function=surrogate.ATan(5.0), detach_reset=True, step_mode="m", store_v_seq=n == 2)
            for n in range(3))

    def forward(self, x):
        seen = {}
        for n, (delay, lif) in enumerate(zip(self.delays, self.neurons)):
            x = delay(F.pad(x.permute(1, 2, 0), (K - 1, LIMIT))).permute(2, 0, 1)
            if n < 2:
                x = self.norms[n](x.unsqueeze(-1)).squeeze(-1)
                seen[f"current{n + 1}"] = x
            x = lif(x)
            seen[f"spikes{n + 1}"] = x
        seen["output"] = self.neurons[-1].v_seq
        return seen


def whole(tensor):
    """In place, to numbers that float32 has."""
    tensor.copy_(tensor.float().double())


def draw(seed):
    torch.manual_seed(seed)
    net = Net()
    with torch.no_grad():
        for n, delay in enumerate(net.delays):
            torch.nn.init.kaiming_uniform_(delay.weight, nonlinearity="relu")
            if n == 2:
                delay.weight.mul_(2.0)
            delay.P.uniform_(-LIMIT - 1, LIMIT)  # the lowest part is clamped: some delays start at the longest
            delay.clamp_parameters()
            whole(delay.weight)
            whole(delay.P)
        for norm in net.norms:
            for tensor, low, high in ((norm.weight, 0.8, 1.4), (norm.bias, -0.2, 0.4), (norm.running_mean, -0.1, 0.1),
                                      (norm.running_var, 0.1, 0.3)):
                whole(tensor.uniform_(low, high))
    x = torch.poisson(torch.full((T, B, SIZES[0]), 0.25))
    return net, x, torch.randint(SIZES[-1], (B,))


def parameters_of(net):
    """Synfire's name -> tensor."""
    named = {}
    for n, delay in enumerate(net.delays, 1):
        named |= {f"delay{n}.weight": delay.weight, f"delay{n}.position": delay.P, f"delay{n}.width": delay.SIG}
    for n, norm in enumerate(net.norms, 1):
        named |= {f"norm{n}.gamma": norm.weight, f"norm{n}.beta": norm.bias, f"norm{n}.running_mean": norm.running_mean,
                  f"norm{n}.running_var": norm.running_var}
    return named


def run(net, x, label, case):
    """Everything that is stored of one case, and the smallest distance of a membrane to its threshold."""
    version, sig, rounded, training = CASES[case]
    with torch.no_grad():
        for delay in net.delays:
            delay.SIG.fill_(sig)
            delay.version = delay.DCK.version = version
            if rounded:
                delay.P.round_()
    net.train(training)
    functional.reset_net(net)
    margins = []
    hooks = [lif.surrogate_function.register_forward_pre_hook(lambda _, u: margins.append(float(u[0].detach().abs().min())))
             for lif in net.neurons]
    # The reference decays by 1e-5, which the first step of Adam would hide.
    adam_weights = torch.optim.Adam(
        [{"params": [d.weight for d in net.delays], "weight_decay": 0.1},
         {"params": [q for m in net.norms for q in m.parameters()], "weight_decay": 0.0}], lr=1e-3)
    adam_positions = torch.optim.Adam([d.P for d in net.delays], lr=0.1)

    before = {name: tensor.detach().clone() for name, tensor in parameters_of(net).items()}
    seen = net(x)
    loss = F.cross_entropy(F.softmax(seen["output"], dim=2).sum(0), label)
    stored = {name: seen[name] for name in ("spikes1", "spikes2", "output")}
    stored["current1"] = seen["current1"][:, :1]
    stored["loss"] = loss.reshape(1)
    first = net.delays[0]
    stored["kernel"] = first.DCK(first.weight, first.P, first.SIG)[:KERNEL_OUTPUTS]
    if training:
        loss.backward()
        adam_weights.step()
        if not rounded:
            adam_positions.step()
        for delay in net.delays:
            delay.clamp_parameters()
        for name, tensor in parameters_of(net).items():
            # Whole positions stand on a kink, where both give 0; a version without a width gives it no gradient.
            if tensor.grad is not None and not (rounded and not name.endswith(("weight", "gamma", "beta"))):
                stored[f"grad/{name}"] = in_our_shape(name, tensor.grad)
            if not name.endswith("width") and not (rounded and name.endswith("position")):
                stored[f"step/{name}"] = in_our_shape(name, tensor.detach() - before[name])
    for hook in hooks:
        hook.remove()
    return stored, min(margins)


def in_our_shape(name, tensor):
    return tensor.squeeze(0) if name.endswith(("position", "width")) else tensor


for seed in range(1000):
    results = {}
    for case in CASES:
        results[case], margin = run(*draw(seed), case)
        if margin < SMALLEST_MARGIN:
            break
        results[case]["margin"] = torch.tensor([margin])
    else:
        break

net, x, label = draw(seed)
with h5py.File("delays.h5", "w", track_order=False, libver=("v110", "v110")) as file:
    def put(path, value, dtype=np.float32):
        data = value.detach().numpy().astype(dtype)
        packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if data.size > 64 else {}
        file.create_dataset(path, data=data, track_times=False, **packed)

    put("input", x)
    put("label", label, np.int32)
    for name, tensor in parameters_of(net).items():
        if not name.endswith("width"):
            put(f"parameters/{name}", in_our_shape(name, tensor))
    for case, stored in results.items():
        for name, value in stored.items():
            put(f"{case}/{name}", value)
        print(f"{case:12} margin {float(stored['margin']):.2e}, rates {float(stored['spikes1'].detach().mean()):.3f} "
              f"{float(stored['spikes2'].detach().mean()):.3f}, loss {float(stored['loss'].detach()):.4f}",
              *(f"|{name[5:]}| {float(v.abs().max()):.1e}" for name, v in stored.items() if name.startswith("grad/delay1")))
print("seed", seed, "torch", torch.__version__, *(f"{name} {metadata.version(name)}" for name in ("spikingjelly", "dcls")))
