"""Places inside somebody's objects: paths of attributes and items, reading, writing, and walking all of them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy as np

Step = tuple[str, Any]  # ("attr", "W_aa") or ("item", key or index)
Path = tuple[Step, ...]

DEPTH = 5
LONGEST = 400  # elements of one list that are walked


def read(root: Any, path: Path) -> Any:
    """Return what stands at a path."""
    for kind, name in path:
        root = getattr(root, name) if kind == "attr" else root[name]
    return root


def write(root: Any, path: Path, value: Any) -> None:
    """Put a value at a path; a tuple on the way is replaced by one that holds it."""
    holder = read(root, path[:-1])
    kind, name = path[-1]
    if kind == "attr":
        setattr(holder, name, value)
    elif isinstance(holder, tuple):
        changed = [*holder]
        changed[name] = value
        kept = type(holder)(*changed) if hasattr(holder, "_fields") else tuple(changed)
        write(root, path[:-1], kept)
    else:
        holder[name] = value


def spell(path: Path, root: str = "") -> str:
    """Return a path as Python: ``cell.W['x']``."""
    text = root
    for kind, name in path:
        text += f".{name}" if kind == "attr" and text else str(name) if kind == "attr" else f"[{name!r}]"
    return text


def walk(root: Any, path: Path = (), seen: set[int] | None = None, depth: int = DEPTH) -> Iterator[tuple[Path, Any]]:
    """Yield every leaf below a value: arrays and numbers, through dicts, lists, tuples and plain objects."""
    seen = set() if seen is None else seen
    objects = isinstance(root, np.ndarray) and root.dtype == object
    if isinstance(root, np.ndarray | float | np.floating | int) and not objects:
        yield path, root
        return
    if depth == 0 or id(root) in seen or root is None or isinstance(root, str | bytes | type | types.ModuleType):
        return
    seen.add(id(root))
    if isinstance(root, dict):
        for key, item in list(root.items())[:LONGEST]:
            if isinstance(key, str | int | np.integer):
                yield from walk(item, (*path, ("item", key)), seen, depth - 1)
    elif isinstance(root, (list | tuple, np.ndarray)):
        for i, item in enumerate(list(root)[:LONGEST]):
            yield from walk(item, (*path, ("item", i)), seen, depth - 1)
    elif (hasattr(root, "__dict__") and not callable(root)) or (
        hasattr(root, "__dict__") and type(root).__module__ == "program"
    ):
        for name, item in list(vars(root).items()):
            yield from walk(item, (*path, ("attr", name)), seen, depth - 1)


def arrays(root: Any) -> list[tuple[Path, Any]]:
    """Return the float arrays below a value, with their paths."""
    return [(p, v) for p, v in walk(root) if isinstance(v, np.ndarray) and v.dtype.kind in "fc"]
