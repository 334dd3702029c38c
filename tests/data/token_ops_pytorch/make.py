"""Makes ops.h5: depthwise convolution, layer norm, SiLU and GELU in PyTorch, with their gradients, in float64.

Frames are [F, H, W, C], channels last, as Synfire has them. Needs torch, h5py.
"""
import h5py
import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
torch.manual_seed(1)
F, H, W, C = 3, 5, 4, 13


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def depthwise(kernel):
    return lambda x, w, b: functional.conv2d(channels_first(x), w, b, padding=kernel // 2, groups=C).permute(0, 2, 3, 1)


cases = {
    "depthwise3": (depthwise(3), {"w": torch.randn(C, 1, 3, 3), "b": torch.randn(C)}),
    "depthwise5": (depthwise(5), {"w": torch.randn(C, 1, 5, 5), "b": torch.randn(C)}),
    "layer_norm": (lambda x, w, b: functional.layer_norm(x, (C,), w, b, eps=1e-5), {"w": torch.randn(C), "b": torch.randn(C)}),
    "silu": (functional.silu, {}),
    "gelu": (functional.gelu, {}),
}
with h5py.File("ops.h5", "w") as file:
    for name, (operation, parameters) in cases.items():
        inputs = {"x": 3.0 * torch.randn(F, H, W, C), **parameters}
        for value in inputs.values():
            value.requires_grad_()
        y = operation(*inputs.values())
        grad_y = torch.randn_like(y)
        y.backward(grad_y)
        for key, value in inputs.items():
            file[f"{name}/{key}"] = value.detach().numpy()
            file[f"{name}/grad_{key}"] = value.grad.numpy()
        file[f"{name}/y"] = y.detach().contiguous().numpy()
        file[f"{name}/grad_y"] = grad_y.numpy()
