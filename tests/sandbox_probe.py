"""Programs that run inside the sandbox in place of a check: each does one hostile thing."""

from __future__ import annotations

from typing import Any


def execute(request: dict[str, Any]) -> dict[str, Any]:
    """Execute the request's text, as a program of that file name; the answer is its variable ``answer``."""
    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(request["text"], request["file"], "exec"), space)
    return {"answer": space.get("answer")}
