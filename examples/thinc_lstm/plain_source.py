"""Print the plain Python LSTM of the installed thinc as a file of its own, in float64, for ``bptt check``.

    python examples/thinc_lstm/plain_source.py > thinc_plain.py
    bptt check thinc_plain.py --case examples/thinc_lstm/bptt_adapter.py

``thinc/backends/ops.py`` itself imports the rest of its package relatively, which a lone file cannot.
"""

from __future__ import annotations

import inspect
import sys

try:
    import thinc.backends.ops as plain
except ImportError as error:
    sys.exit(f"plain_source.py: {error}.\n  pip install -r examples/thinc_lstm/requirements.txt")

FUNCTIONS = (
    "lstm_forward_training",
    "backprop_lstm",
    "_split_weights",
    "_transpose_weights",
    "_untranspose_unsplit_weights",
    "backprop_lstm_gates",
    "sigmoid",
    "dsigmoid",
    "dtanh",
)
HEADER = """\
from typing import Any, List, Tuple, cast

import numpy

Floats1d = Floats2d = Floats3d = Floats4d = Ints1d = ArrayT = Any


def get_array_module(_):
    return numpy
"""


def main():
    print(HEADER)
    for name in FUNCTIONS:
        lines, first = inspect.getsourcelines(getattr(plain, name))
        print(f"\n# thinc/backends/ops.py, line {first}")
        print("".join(lines).replace('dtype="f"', 'dtype="d"'))


if __name__ == "__main__":
    main()
