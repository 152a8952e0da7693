"""bptt: backpropagation through time that a person can see, check and trust.

Names are imported when they are first used, so that ``import bptt`` and ``bptt --help`` start at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from bptt.cell import rnn_cell_backward as rnn_cell_backward
    from bptt.cell import rnn_cell_forward as rnn_cell_forward
    from bptt.checking.call import check as check
    from bptt.checking.proving import assert_gradients_right as assert_gradients_right
    from bptt.errors import BpttError as BpttError
    from bptt.explaining.explain import explain as explain
    from bptt.gradcheck import check_gradients as check_gradients
    from bptt.inputs import one_hot as one_hot
    from bptt.model import SimpleRNN as SimpleRNN
    from bptt.ops import cross_entropy as cross_entropy
    from bptt.ops import softmax as softmax
    from bptt.rnn import rnn_backward as rnn_backward
    from bptt.rnn import rnn_cost as rnn_cost
    from bptt.rnn import rnn_forward as rnn_forward
    from bptt.rnn import rnn_layer_backward as rnn_layer_backward
    from bptt.rnn import rnn_layer_forward as rnn_layer_forward

_HOME = {
    "BpttError": "errors",
    "assert_gradients_right": "checking.proving",
    "check": "checking.call",
    "explain": "explaining.explain",
    "check_gradients": "gradcheck",
    "cross_entropy": "ops",
    "SimpleRNN": "model",
    "softmax": "ops",
    "one_hot": "inputs",
    "rnn_backward": "rnn",
    "rnn_cell_backward": "cell",
    "rnn_cell_forward": "cell",
    "rnn_cost": "rnn",
    "rnn_forward": "rnn",
    "rnn_layer_backward": "rnn",
    "rnn_layer_forward": "rnn",
}
_MODULES = ("errors", "fused", "gradcheck", "ops", "rnn")

__all__ = [*_HOME, *_MODULES, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name from its module at first use (PEP 562)."""
    if name in _HOME:
        value = getattr(import_module(f"bptt.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"bptt.{name}")
    raise AttributeError(f"module 'bptt' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted(__all__)
