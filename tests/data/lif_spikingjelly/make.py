"""Makes lif.h5: LIF layers in SpikingJelly under every setting, in float64, with the gradients of PyTorch's autograd.

One input y [T, B, C], one affine map per channel, one dL/ds; for each case its spikes and the gradients of y, scale and
shift. Needs torch, spikingjelly, h5py.
"""
from importlib import metadata
from itertools import product

import h5py
import numpy as np
import torch
from spikingjelly.activation_based import neuron, surrogate

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)
T, B, C = 12, 2, 9
SURROGATES = {  # Synfire's name and alpha -> the same function in SpikingJelly
    ("atan", 2.0): surrogate.ATan(2.0),
    ("sigmoid", 4.0): surrogate.Sigmoid(4.0),
    ("fast_sigmoid", 2.0): surrogate.SoftSign(2.0),
    ("triangular", 0.8): surrogate.PiecewiseQuadratic(0.8),
}
RESETS = [0.0, 0.2, None]
TAU, V_TH = 2.5, 0.9

y = 0.8 + 0.9 * torch.randn(T, B, C)
scale = 0.6 + torch.rand(C)
shift = 0.3 * torch.randn(C)
grad_spikes = torch.randn(T, B, C)
margin, rates = np.inf, []
with h5py.File("lif.h5", "w", track_order=False) as file:
    def put(path, value, dtype=np.float64):
        file.create_dataset(path, data=value.detach().numpy().astype(dtype), track_times=False)

    for name, value in {"y": y, "scale": scale, "shift": shift, "grad_spikes": grad_spikes}.items():
        put(name, value)
    for ((name, alpha), function), v_reset, detach, decay_input in product(SURROGATES.items(), RESETS, [False, True],
                                                                           [False, True]):
        leaves = [tensor.clone().requires_grad_() for tensor in (y, scale, shift)]
        lif = neuron.LIFNode(tau=TAU, decay_input=decay_input, v_threshold=V_TH, v_reset=v_reset,
                             surrogate_function=function, detach_reset=detach, step_mode="m")
        hook = function.register_forward_pre_hook(
            lambda module, u: globals().__setitem__("margin", min(margin, float(u[0].detach().abs().min()))))
        spikes = lif(leaves[1] * leaves[0] + leaves[2])
        hook.remove()
        spikes.backward(grad_spikes)
        rates.append(float(spikes.detach().mean()))
        reset = "soft" if v_reset is None else f"hard{v_reset}"
        case = f"{name}_{reset}_{'detached' if detach else 'attached'}_{'decayed' if decay_input else 'whole'}"
        put(f"{case}/spikes", spikes, np.uint8)
        for key, leaf in zip(("grad_y", "grad_scale", "grad_shift"), leaves):
            put(f"{case}/{key}", leaf.grad)
print("smallest margin", margin, "rates", min(rates), max(rates))
print("torch", torch.__version__, "spikingjelly", metadata.version("spikingjelly"))
