"""Makes scan.h5: the inner part of a Mamba block for one direction, in PyTorch, in float64 by automatic differentiation.

e -> causal depthwise convolution -> SiLU = u -> (step, B, C) = W_p u -> delta = W_dt step -> selective scan -> y, written as
the published equations say, one token after the other; signals are [T, B, H, W, E]. For each case: input, parameters, what each
operation gives, and from grad_y all gradients. Input and parameters are whole float32 numbers. Needs torch, h5py. Read by
tests/neurons/selective_scan_parity_test.cpp, tests/synapses/causal_conv1d_test.cpp and tests/network/scan_nodes_test.cpp.
"""
import h5py
import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
# name -> T, B, H, W, E, states, rank
SIZES = {"odd": (3, 2, 3, 5, 7, 3, 2), "one_tick": (1, 2, 2, 3, 20, 16, 1), "one_token": (1, 1, 1, 1, 5, 4, 1),
         "long_clip": (2, 1, 6, 11, 5, 3, 2), "long_time": (70, 1, 1, 2, 5, 3, 2)}
ONLY = {"one_token": "time", "long_clip": "tokens", "long_time": "time"}
AXES = ("tokens", "frame", "time")
WIDTH = 4


def whole(tensor):
    return tensor.float().double().requires_grad_()


def to_sequences(x, axis):
    """[T, B, H, W, C] -> [sequences, L, C]"""
    T, B, H, W, C = x.shape
    if axis == "tokens":
        return x.permute(1, 0, 2, 3, 4).reshape(B, T * H * W, C)
    if axis == "frame":
        return x.reshape(T * B, H * W, C)
    return x.permute(1, 2, 3, 0, 4).reshape(B * H * W, T, C)


def from_sequences(s, axis, shape):
    T, B, H, W, C = shape
    if axis == "tokens":
        return s.reshape(B, T, H, W, C).permute(1, 0, 2, 3, 4)
    if axis == "frame":
        return s.reshape(shape)
    return s.reshape(B, H, W, T, C).permute(3, 0, 1, 2, 4)


def convolve(e, w, b):
    """[sequences, L, E]"""
    return F.conv1d(F.pad(e.transpose(1, 2), (WIDTH - 1, 0)), w[:, None], b, groups=w.shape[0]).transpose(1, 2)


def scan(u, delta, bc, a_log, d, bias):
    a, n = -torch.exp(a_log), a_log.shape[1]
    step = F.softplus(delta + bias)
    h, y = torch.zeros(u.shape[0], *a.shape), []
    for ul, dl, bl, cl in zip(u.unbind(1), step.unbind(1), bc[..., :n].unbind(1), bc[..., n:].unbind(1)):
        h = torch.exp(dl[..., None] * a) * h + (dl * ul)[..., None] * bl[:, None]
        y.append((h * cl[:, None]).sum(-1) + d * ul)
    return torch.stack(y, 1)


def run(size, axis, backward):
    T, B, H, W, E, n, r = size
    p = {"e": (torch.rand(T, B, H, W, E) < 0.4).double(), "conv.weight": torch.rand(E, WIDTH) - 0.5, "conv.bias": torch.rand(E) - 0.5,
         "x_proj": torch.randn(r + 2 * n, E) * 2 / E ** 0.5, "dt_proj": torch.randn(E, r), "dt_bias": torch.randn(E) - 1.0,
         "a_log": torch.log(torch.arange(1.0, n + 1)).repeat(E, 1) + 0.3 * torch.randn(E, n), "d": torch.randn(E)}
    p = {name: whole(tensor) for name, tensor in p.items()}
    directed = (lambda s: s.flip(1)) if backward else (lambda s: s)
    place = lambda x: directed(to_sequences(x, axis))
    back = lambda s: from_sequences(directed(s), axis, (T, B, H, W, s.shape[-1]))

    conv = back(convolve(place(p["e"]), p["conv.weight"], p["conv.bias"]))
    u = F.silu(conv)
    projected = u @ p["x_proj"].T
    bc = projected[..., r:]
    delta = projected[..., :r] @ p["dt_proj"].T
    y = back(scan(place(u), place(delta), place(bc), p["a_log"], p["d"], p["dt_bias"]))
    inner = {"conv": conv, "u": u, "bc": bc, "delta": delta}
    for tensor in inner.values():
        tensor.retain_grad()
    g = torch.randn(y.shape).float().double()
    y.backward(g)

    # Of the scan alone; dL/ddelta and dL/dbc are the same.
    u_alone = u.detach().requires_grad_()
    parameters = (p[name].detach() for name in ("a_log", "d", "dt_bias"))
    back(scan(place(u_alone), place(delta.detach()), place(bc.detach()), *parameters)).backward(g)
    stored = p | inner | {"y": y, "grad_y": g}
    stored |= {f"grad/{name}": tensor.grad for name, tensor in (p | inner).items()}
    return stored | {"grad_alone/u": u_alone.grad}


torch.manual_seed(1)
with h5py.File("scan.h5", "w", track_order=False, libver=("v110", "v110")) as file:
    for name, size in SIZES.items():
        for axis in AXES:
            for direction in ("forward", "backward"):
                if axis != ONLY.get(name, axis):
                    continue
                for key, value in run(size, axis, direction == "backward").items():
                    data = value.detach().numpy().astype(np.float32)
                    packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if data.size > 64 else {}
                    file.create_dataset(f"{name}/{axis}/{direction}/{key}", data=data, track_times=False, **packed)
print("torch", torch.__version__)
