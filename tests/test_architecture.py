"""Imports run downwards only; the checker never sees the answer; a file has one job."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bptt

SOURCE = Path(bptt.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

# what each part may import, besides itself; design: errors <- dims <- ops <- inputs <- head <- rnn, fused <- ...
NUMERIC = {"errors", "dims", "differences", "gradcheck", "expressions", "notation"}
NETWORK = {"errors", "dims", "ops", "inputs", "head", "cell", "rnn", "timemajor", "fused"}
ALLOWED = {
    "errors": set(),
    "dims": {"errors"},
    "differences": {"errors", "dims"},
    "gradcheck": {"errors", "dims", "differences"},
    "expressions": {"errors", "dims"},
    "notation": {"errors", "dims", "expressions"},
    "ops": {"errors", "dims"},
    "inputs": {"errors", "dims", "ops"},
    "head": {"errors", "dims", "ops", "inputs"},
    "cell": {"errors", "dims", "ops", "inputs"},
    "rnn": {"errors", "dims", "ops", "inputs", "head", "cell"},
    "timemajor": {"errors", "dims", "ops", "inputs"},
    "fused": {"errors", "dims", "ops", "inputs", "timemajor"},
    "initial": {"errors", "dims"},
    "tensorfile": {"errors", "dims"},
    "arrayfile": {"errors", "dims", "tensorfile"},
    "training": {"errors", "dims", "inputs", "tensorfile", "arrayfile"},
    "modelfile": {"errors", "dims", "ops", "inputs", "training"},
    "sampling": {"errors", "dims", "ops", "inputs", "fused", "training"},
    "model": NETWORK | {"initial", "tensorfile", "training", "modelfile", "sampling"},
    "explaining": NETWORK | NUMERIC,
    "checking": NUMERIC,
}
DRAWN = {  # a renderer inside a method, for notebooks: the one exception
    ("checking", "render"),
    ("explaining", "render"),
    ("expressions", "notation"),  # and an expression names itself in its own errors
}


def part(path: Path) -> str:
    """Return the module or package of ``bptt`` that a file belongs to."""
    relative = path.relative_to(SOURCE)
    return relative.parts[0].removesuffix(".py")


def imports(path: Path) -> set[tuple[str, bool]]:
    """Return (part imported, whether inside a function) for every import of ours."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module == "bptt" else [node.module or ""]
        for name in names:
            if name.startswith("bptt."):
                found.add((name.split(".")[1], id(node) in inside))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_run_downwards(path):
    own = part(path)
    if own in ("cli", "__init__", "__main__", "render"):
        assert own != "render" or "cli" not in {name for name, _ in imports(path)}
        return
    assert own in ALLOWED, f"{own}: say in this test what it may import"
    for name, inside in imports(path):
        if name in (own, "__version__") or (inside and (own, name) in DRAWN):
            continue
        assert name in ALLOWED[own], f"{path.name} imports bptt.{name}"


def test_the_checker_does_not_know_the_answer():
    """Nothing that checking imports, directly or through others, is the network or its explanation."""
    code = (
        "import pkgutil, sys, importlib, bptt.checking as c\n"
        "for m in pkgutil.walk_packages(c.__path__, 'bptt.checking.'):\n"
        "    m.name.endswith('worker') or importlib.import_module(m.name)\n"
        "bad = {'rnn', 'cell', 'head', 'fused', 'timemajor', 'ops', 'inputs', 'model', 'explaining', 'training'}\n"
        "print(sorted(n for n in sys.modules if n.startswith('bptt.') and n.split('.')[1] in bad))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_file_has_one_job(path):
    assert len(path.read_text("utf-8").splitlines()) <= 320
    assert path.stem not in ("utils", "helpers", "common", "base")


def test_no_public_function_hides_a_module():
    modules = {p.stem for p in SOURCE.glob("*.py")} | {p.name for p in SOURCE.iterdir() if p.is_dir()}
    assert not modules & {name for name in bptt.__all__ if callable(getattr(bptt, name))}
    assert sorted(bptt.__all__) == dir(bptt)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bptt.nothing


def test_help_imports_no_numpy():
    code = "import sys, bptt.cli.app; print({'numpy', 'rich', 'safetensors'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
