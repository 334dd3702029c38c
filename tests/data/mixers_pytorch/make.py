"""Token mixers as sums over pairs of tokens or as recurrences, one token at a time, in PyTorch and float64; gradients by
autograd. Writes mixers.h5: a group a case with its configuration, inputs, outputs and gradients.

Equations: docs/numerics.md, section 8. Layout [T, B, H, W, C]. Inputs are whole float32 numbers, so that float and double start
from the same; results are stored as float32.
"""
import math

import h5py
import numpy as np
import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

KINDS = ["swla", "linear", "lightning", "gla", "delta", "ssa", "window"]
DEFAULTS = dict(heads=1, feature=0, norm=0, eps=1e-6, rope=0, decay=0, size=(1, 0, 0), shift=(0, 0, 0), causal=0, scale=0.0)
SHIFT, SPIKE, ELU1 = 0, 1, 2


def window_axis(extent, size, shift, cut):
    if size == 0 or (cut and size >= extent):
        return [0] * extent
    return [(i + shift) // size for i in range(extent)]


def windows(shape, c):
    """Lists of tokens (t, y, x) that meet, each in order."""
    T, _, H, W, _ = shape
    axes = [window_axis(T, c["size"][0], c["shift"][0], not c["causal"]),
            window_axis(H, c["size"][1], c["shift"][1], True), window_axis(W, c["size"][2], c["shift"][2], True)]
    groups = {}
    for t in range(T):
        for y in range(H):
            for x in range(W):
                groups.setdefault((axes[0][t], axes[1][y], axes[2][x]), []).append((t, y, x))
    return list(groups.values())


def rotation(c, channels, head, d, position):
    """cos and sin for each pair of a head's channels."""
    whole = d if c["rope"] == 2 else channels
    axes = position if c["size"][0] != 1 else position[1:]
    km = whole // (2 * len(axes))
    angles = []
    for p in range(d // 2):
        j = p if c["rope"] == 2 else head * (d // 2) + p
        axis, f = divmod(j, km)
        angles.append(axes[axis] * 10000.0 ** (-f / km) if axis < len(axes) else 0.0)
    return torch.tensor(angles)


def rotate(rows, angles):
    a, b = rows[:, 0::2], rows[:, 1::2]
    return torch.stack([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1).flatten(1)


def swla(q, k, v, tokens, c, channels, head):
    n, d = q.shape
    phi = (lambda s: 1 + s) if c["feature"] == SHIFT else (lambda s: s)
    q, k = phi(q), phi(k)
    rq, rk = q, k
    if c["rope"]:
        angles = torch.stack([rotation(c, channels, head, d, p) for p in tokens])
        rq, rk = rotate(q, angles), rotate(k, angles)
    t = torch.tensor([p[0] for p in tokens])
    gamma = 1 - 2.0 ** (-3 - head) if c["decay"] else 1.0
    mask = gamma ** (t[:, None] - t[None, :]).clamp(min=0)
    if c["causal"]:
        mask = mask * (t[:, None] >= t[None, :])
    count = mask.sum(1)
    den = ((q @ k.T) * mask).sum(1) + c["eps"] * count
    if c["norm"] == 1:
        den = 2.0 ** torch.round(torch.log2(count * d / 16))
    return ((rq @ rk.T) * mask) @ v / den[:, None]


def linear(q, k, v, c):
    q, k = torch.nn.functional.elu(q) + 1, torch.nn.functional.elu(k) + 1
    w = q @ k.T
    if c["causal"]:
        w = w.tril()
    return w @ v / (w.sum(1) + c["eps"])[:, None]


def alibi(heads):
    p = 2 ** int(math.floor(math.log2(heads)))
    slopes = [2.0 ** (-8 * (h + 1) / p) for h in range(p)]
    more = [2.0 ** (-8 * (h + 1) / (2 * p)) for h in range(2 * p)][0::2]
    return slopes + more[: heads - p]


def recurrent(q, k, v, decay, scale, beta=None):
    """decay [n, d] or None"""
    state = torch.zeros(q.shape[1], v.shape[1])
    out = []
    for i in range(q.shape[0]):
        if decay is not None:
            state = decay[i][:, None] * state
        u = v[i] if beta is None else beta[i] * (v[i] - k[i] @ state)
        state = state + torch.outer(k[i], u)
        out.append(scale * (q[i] @ state))
    return torch.stack(out)


def pairs(q, k, v, tokens, c, softmax, scale):
    t = torch.tensor([p[0] for p in tokens])
    w = scale * (q @ k.T)
    hidden = (t[:, None] < t[None, :]) if c["causal"] else torch.zeros_like(w, dtype=torch.bool)
    if softmax:
        return torch.softmax(w.masked_fill(hidden, -math.inf), 1) @ v
    return w.masked_fill(hidden, 0.0) @ v


def mix(kind, c, q, k, v, gate):
    T, B, H, W, C = q.shape
    d = C // c["heads"]
    scale = c["scale"] if c["scale"] else d ** -0.5
    o = torch.zeros_like(v)
    for tokens in windows(q.shape, c):
        index = tuple(torch.tensor([p[a] for p in tokens]) for a in range(3))
        for b in range(B):
            for h in range(c["heads"]):
                pick = lambda x, n: x[index[0], b, index[1], index[2], h * n:(h + 1) * n]
                qh, kh, vh = pick(q, d), pick(k, d), pick(v, d)
                if kind == "swla":
                    oh = swla(qh, kh, vh, tokens, c, C, h)
                elif kind == "linear":
                    oh = linear(qh, kh, vh, c)
                elif kind == "lightning":
                    oh = recurrent(qh, kh, vh, torch.full_like(kh, math.exp(-alibi(c["heads"])[h])), 1.0)
                elif kind == "gla":
                    oh = recurrent(qh, kh, vh, pick(gate, d).exp(), scale)
                elif kind == "delta":
                    oh = recurrent(qh, kh, vh, None, scale, pick(gate, 1)[:, 0])
                else:
                    oh = pairs(qh, kh, vh, tokens, c, kind == "window", scale)
                o = o.index_put((index[0], torch.tensor(b), index[1], index[2]),
                                torch.cat([torch.zeros(len(tokens), h * d), oh, torch.zeros(len(tokens), C - (h + 1) * d)], 1),
                                accumulate=True)
    return o


ONE, ODD, TOKEN, CLIP, LONG = (1, 2, 5, 3, 12), (3, 2, 3, 5, 6), (1, 2, 1, 1, 8), (5, 1, 3, 4, 8), (70, 1, 1, 1, 8)
CASES = [
    ("swla", ONE, dict(heads=3, size=(1, 0, 0), rope=1)),
    ("swla", ODD, dict(heads=1, size=(1, 2, 3), shift=(0, 1, 1))),
    ("swla", ODD, dict(heads=2, size=(1, 4, 4), shift=(0, 2, 2), feature=SPIKE, eps=0.25)),
    ("swla", TOKEN, dict(heads=2, size=(1, 0, 0), rope=2)),
    ("swla", CLIP, dict(heads=1, size=(2, 2, 2), shift=(1, 1, 1), rope=2)),
    ("swla", CLIP, dict(heads=2, size=(2, 0, 3), shift=(1, 0, 1), causal=1, norm=1)),
    ("swla", CLIP, dict(heads=4, size=(0, 2, 0), causal=1, decay=1)),
    ("swla", CLIP, dict(heads=2, size=(0, 0, 0), causal=1, decay=1, feature=SPIKE, eps=0.25)),
    ("swla", CLIP, dict(heads=2, size=(0, 0, 0), feature=SPIKE, norm=1)),
    ("linear", ODD, dict(heads=3, size=(1, 3, 4), feature=ELU1)),
    ("linear", LONG, dict(heads=2, size=(0, 0, 0), feature=ELU1, causal=1)),
    ("linear", CLIP, dict(heads=1, size=(0, 2, 0), feature=ELU1, causal=1)),
    ("linear", TOKEN, dict(heads=2, size=(0, 0, 0), feature=ELU1, causal=1)),
    ("lightning", LONG, dict(heads=4, size=(0, 0, 0), causal=1)),
    ("lightning", ODD, dict(heads=3, size=(0, 0, 0), causal=1)),
    ("lightning", TOKEN, dict(heads=1, size=(0, 0, 0), causal=1)),
    ("gla", LONG, dict(heads=2, size=(0, 0, 0), causal=1)),
    ("gla", ODD, dict(heads=1, size=(1, 0, 0), causal=1)),
    ("gla", TOKEN, dict(heads=2, size=(0, 0, 0), causal=1, scale=0.5)),
    ("delta", LONG, dict(heads=2, size=(0, 0, 0), causal=1)),
    ("delta", ODD, dict(heads=1, size=(1, 0, 0), causal=1)),
    ("delta", TOKEN, dict(heads=2, size=(0, 0, 0), causal=1, scale=0.5)),
    ("ssa", ODD, dict(heads=2, size=(1, 0, 0), feature=SPIKE, scale=0.125)),
    ("ssa", TOKEN, dict(heads=1, size=(1, 0, 0), feature=SPIKE, scale=0.25)),
    ("window", ODD, dict(heads=2, size=(1, 3, 3), shift=(0, 1, 1))),
    ("window", CLIP, dict(heads=1, size=(0, 0, 0), causal=1)),
    ("window", LONG, dict(heads=2, size=(0, 0, 0), causal=1)),
    ("window", TOKEN, dict(heads=2, size=(1, 0, 0), scale=0.5)),
]


def main():
    with h5py.File("mixers.h5", "w") as file:
        for number, (kind, shape, given) in enumerate(CASES):
            c = {**DEFAULTS, **given}
            random = np.random.default_rng(number)
            spikes = kind in ("swla", "ssa")
            draw = lambda: (random.random(shape) < 0.35).astype(float) if spikes else random.normal(size=shape)
            q, k, v, grad_o = draw(), draw(), random.normal(size=shape), random.normal(size=shape)
            gate = np.zeros(0)
            if kind == "gla":
                gate = -random.exponential(0.3, size=shape)
            if kind == "delta":
                gate = random.random(shape[:-1] + (c["heads"],))
                heads = k.reshape(shape[:-1] + (c["heads"], -1))
                k = (heads / np.linalg.norm(heads, axis=-1, keepdims=True)).reshape(shape)
            q, k, v, gate, grad_o = (a.astype(np.float32).astype(float) for a in (q, k, v, gate, grad_o))
            leaves = [torch.tensor(a, requires_grad=True) for a in (q, k, v, gate)]
            o = mix(kind, c, *leaves)
            (o * torch.tensor(grad_o)).sum().backward()
            group = file.create_group(f"case{number}")
            config = [KINDS.index(kind), c["heads"], c["feature"], c["norm"], c["eps"], c["rope"], c["decay"], *c["size"],
                      *c["shift"], c["causal"], c["scale"]]
            group["config"] = np.array(config)
            group["grad_o"], group["o"] = grad_o.astype(np.float32), o.detach().numpy().astype(np.float32)
            for name, leaf in zip(("q", "k", "v", "gate"), leaves):
                if leaf.numel():
                    group[name] = leaf.detach().numpy().astype(np.float32)
                    group["grad_" + name] = leaf.grad.numpy().astype(np.float32)
        file["count"] = np.array([len(CASES)], dtype=float)


main()
