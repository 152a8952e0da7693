"""Runs a right program and records what a wrong statement of it would have met: the samples of a repair."""

import ast
import copy
import sys
import types
import warnings

import numpy as np

from bptt.checking.repairing.samples import Sample


def module_of(code, name="theirs"):
    module = types.ModuleType(name)
    exec(compile(code, name, "exec"), module.__dict__)
    return module


def statement_at(code, text):
    """The statement of the code whose source begins with the text."""
    lines, first = code.split("\n"), text.split("\n")[0]
    found = [
        n
        for n in ast.walk(ast.parse(code))
        if isinstance(n, ast.stmt) and lines[n.lineno - 1][n.col_offset :].startswith(first)
    ]
    assert len(found) == 1, (text, len(found))
    return found[0]


def record(code, text, run, limit=6):
    """Samples of the statement that begins with the text, while ``run(module)`` works."""
    node = statement_at(code, text)
    target = (
        node.value if isinstance(node, ast.Return) else node.targets[0] if isinstance(node, ast.Assign) else node.target
    )
    target = compile(ast.Expression(ast.parse(ast.unparse(target), mode="eval").body), "target", "eval")
    module = module_of(code)
    samples, open_frames = [], {}

    def value(frame):
        try:
            return copy.deepcopy(eval(target, frame.f_globals, frame.f_locals))
        except Exception:
            return None

    def tracer(frame, event, arg):
        if frame.f_code.co_filename != "theirs":
            return None
        if frame in open_frames and event in ("line", "return"):
            env, before = open_frames.pop(frame)
            samples.append(Sample(env, before, arg if isinstance(node, ast.Return) else value(frame)))
        if event == "line" and frame.f_lineno == node.lineno:
            kept = {k: v for k, v in frame.f_globals.items() if not k.startswith("__")}
            env = {**kept, **copy.deepcopy(dict(frame.f_locals))}
            open_frames[frame] = (env, None if isinstance(node, ast.Return) else value(frame))
        return tracer

    old = sys.gettrace()
    sys.settrace(tracer)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(module)
    finally:
        sys.settrace(old)
    return (
        [samples[round(k * (len(samples) - 1) / (limit - 1))] for k in range(limit)]
        if len(samples) > limit
        else samples
    )
