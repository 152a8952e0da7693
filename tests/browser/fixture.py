"""Page data made from :mod:`bptt.rnn` alone, independent of the table of equations in :mod:`bptt.explaining`."""

from __future__ import annotations

from typing import Any

import numpy as np

DIMS = {
    "X": ["n_x", "m", "T_x"], "Y": ["n_y", "m", "T_x"], "a0": ["n_a", "m"], "W_aa": ["n_a", "n_a"],
    "W_ax": ["n_a", "n_x"], "W_ya": ["n_y", "n_a"], "b_a": ["n_a", 1], "b_y": ["n_y", 1],
}
SYMBOLS = {
    "x_t": ["n_x", "m"], "y_t": ["n_y", "m"], "a_prev": ["n_a", "m"], "a_t": ["n_a", "m"], "z_a": ["n_a", "m"],
    "z_y": ["n_y", "m"], "y_pred_t": ["n_y", "m"], "L_t": ["m"], "dz_y": ["n_y", "m"], "da_from_output": ["n_a", "m"],
    "da_from_future": ["n_a", "m"], "da": ["n_a", "m"], "dz_a": ["n_a", "m"], "dx_t": ["n_x", "m"], "scale": [],
    **{name: DIMS[name] for name in ("W_aa", "W_ax", "W_ya", "b_a", "b_y")},
}

Node = dict[str, Any]


def sym(name: str) -> Node:
    return {"op": "symbol", "name": name, "dims": SYMBOLS[name]}


def node(op: str, *args: Node, **extra: Any) -> Node:
    if op == "transpose":
        dims = args[0]["dims"][::-1]
    elif op == "matmul":
        dims = [args[0]["dims"][0], args[1]["dims"][1]]
    elif op == "sum":
        dims = [1 if d == extra["axis"] else d for d in args[0]["dims"]] if extra["keepdims"] else [
            d for d in args[0]["dims"] if d != extra["axis"]]
    else:
        dims = max((a["dims"] for a in args), key=lambda d: (len(d), -d.count(1)), default=[])
    return {"op": op, "args": list(args), "dims": dims, **extra}


def const(value: float) -> Node:
    return {"op": "const", "value": value, "dims": []}


def mT(a: Node, b: Node) -> Node:  # noqa: N802
    return node("matmul", a, node("transpose", b))


def Tm(a: Node, b: Node) -> Node:  # noqa: N802
    return node("matmul", node("transpose", a), b)


def equations(activation: str) -> list[dict[str, Any]]:
    s = sym
    mul = lambda *a: node("mul", *a)  # noqa: E731
    tanh = activation == "tanh"
    slope = node("sub", const(1), node("square", s("a_t"))) if tanh else node("step", s("a_t"))
    rows: list[tuple[str, str, str, str, Node, str, str]] = [
        ("F1", "z_a", "The state's input", "The new input and the old state, each through its own weights, plus a bias.",
         node("add", node("matmul", s("W_ax"), s("x_t")), node("matmul", s("W_aa"), s("a_prev")), s("b_a")),
         "W_ax @ x_t + W_aa @ a_prev + b_a", "z_a = W_ax @ x_t + W_aa @ a_prev + b_a"),
        ("F2", "a_t", "The new state", "tanh keeps every unit between -1 and 1." if tanh else "ReLU keeps what is positive.",
         node("tanh" if tanh else "relu", s("z_a")), "np.tanh(z_a)", "a_t, _ = ACTIVATIONS[activation](z_a)"),
        ("F3", "z_y", "The logits", "The output reads the state through W_ya: one score a class.",
         node("add", node("matmul", s("W_ya"), s("a_t")), s("b_y")), "W_ya @ a_t + b_y",
         "Z_y[:, :, t], _ = affine(W_ya, A[:, :, t], b_y)"),
        ("F4", "y_pred_t", "The prediction", "softmax turns scores into probabilities: each column sums to 1.",
         node("softmax", s("z_y"), axis="n_y"), "softmax(z_y)", "Y_pred[:, :, t], _ = softmax(Z_y[:, :, t])"),
        ("F5", "L_t", "The loss", "The less probability the right class got, the larger the loss.",
         node("neg", node("sum", mul(s("y_t"), node("log", s("y_pred_t"))), axis="n_y", keepdims=False)),
         "-(y_t * np.log(y_pred_t)).sum(axis=0)", "cross_entropy(Z_y[:, :, t], Y[:, :, t])[0].sum()"),
        ("B1", "dz_y", "Gradient of the logits",
         "The softmax Jacobian times -y/y_pred is the difference y_pred - y, one element at a time.",
         mul(node("sub", s("y_pred_t"), s("y_t")), s("scale")), "(y_pred_t - y_t) * scale",
         "dz_y = (Y_pred[:, :, t] - Y[:, :, t]) * scale"),
        ("B2", "dW_ya", "Gradient of W_ya", "Each example adds its own outer product; the product over m sums them.",
         mT(s("dz_y"), s("a_t")), "dz_y @ a_t.T", "dW_ya += dz_y @ A[:, :, t].T"),
        ("B3", "db_y", "Gradient of b_y", "One bias served all m examples, so their gradients add up.",
         node("sum", s("dz_y"), axis="m", keepdims=True), "dz_y.sum(axis=1, keepdims=True)",
         "db_y += dz_y.sum(axis=1, keepdims=True)"),
        ("B4", "da_from_output", "State's gradient from the output",
         "Forward, W_ya spread the state to the outputs; its transpose gathers their gradients back.",
         Tm(s("W_ya"), s("dz_y")), "W_ya.T @ dz_y", "dA[:, :, t] = W_ya.T @ dz_y"),
        ("B5", "da", "State's gradient", "The state was used twice, by this step's output and by the next state, so two terms add.",
         node("add", s("da_from_output"), s("da_from_future")), "da_from_output + da_from_future",
         "da = dA[:, :, t] + da_from_future"),
        ("B6", "dz_a", "Back through " + activation,
         "Each unit's gradient is multiplied by its own slope." if tanh else "Only units that were on pass a gradient.",
         mul(s("da"), slope), "da * (1 - a_t**2)" if tanh else "da * (a_t > 0)", "dz_a = da * (1 - a_t * a_t)"),
        ("B7", "dW_aa", "Gradient of W_aa", "The same W_aa acts at every step, so every step adds its share.",
         mT(s("dz_a"), s("a_prev")), "dz_a @ a_prev.T", "dW_aa = dz_a @ a_prev.T"),
        ("B8", "dW_ax", "Gradient of W_ax", "The same W_ax acts at every step, so every step adds its share.",
         mT(s("dz_a"), s("x_t")), "dz_a @ x_t.T", "dW_ax = dz_a @ x_t.T"),
        ("B9", "db_a", "Gradient of b_a", "One bias served all m examples and all steps, so their gradients add up.",
         node("sum", s("dz_a"), axis="m", keepdims=True), "dz_a.sum(axis=1, keepdims=True)",
         "db_a = dz_a.sum(axis=1, keepdims=True)"),
        ("B10", "da_from_future", "On to the step before", "What the earlier state owes the future: back through W_aa.",
         Tm(s("W_aa"), s("dz_a")), "W_aa.T @ dz_a", "da_prev = W_aa.T @ dz_a"),
        ("B11", "dx_t", "Gradient of the input", "The same rule for the input: back through W_ax.",
         Tm(s("W_ax"), s("dz_a")), "W_ax.T @ dz_a", "dx_t = W_ax.T @ dz_a"),
    ]
    accumulated = {"B2", "B3", "B7", "B8", "B9"}
    return [
        {"id": i, "phase": "forward" if i[0] == "F" else "backward", "title": title, "why": why, "target": target,
         "accumulate": i in accumulated, "dims": e["dims"], "expression": e, "numpy": np_text,
         "code": {"file": "rnn.py", "line": 100 + k, "text": code}}
        for k, (i, target, title, why, e, np_text, code) in enumerate(rows)
    ]


def tensors(sizes: dict[str, int], seed: int = 3, decimals: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    out = {}
    for name, dims in DIMS.items():
        shape = [sizes[d] if isinstance(d, str) else d for d in dims]
        if name == "Y":
            hot = rng.integers(0, sizes["n_y"], size=(sizes["m"], sizes["T_x"]))
            value = np.moveaxis(np.eye(sizes["n_y"])[hot], 2, 0)
        else:
            value = np.round(rng.normal(size=shape) * 0.6, decimals)
            value[value == 0] = 10.0**-decimals
        out[name] = {"dims": dims, "data": value.ravel().tolist()}
    return out


def page_data(
    sizes: dict[str, int] | None = None, seed: int = 3, activation: str = "tanh", reduction: str = "sum",
    report: dict[str, Any] | None = None,
) -> dict[str, Any]:
    sizes = sizes or {"n_x": 3, "n_a": 4, "n_y": 2, "m": 5, "T_x": 6}
    hand = {"n_x": 1, "n_a": 2, "n_y": 3, "m": 1, "T_x": 4}
    values = tensors(sizes, seed)
    return {
        "version": 1, "sizes": sizes, "activation": activation, "reduction": reduction, "tensors": values,
        "dims": {"n_x": "input size", "n_a": "hidden size", "n_y": "output size", "m": "examples in the batch",
                 "T_x": "time steps"},
        "equations": equations(activation), "vocabulary": None, "report": report,
        "presets": {"default": {"sizes": sizes, "tensors": values},
                    "by hand": {"sizes": hand, "tensors": tensors(hand, 5, 1)}},
        "start": {"step": "B5", "t": max(0, sizes["T_x"] - 2)},
    }
