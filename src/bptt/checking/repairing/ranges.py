"""What can be wrong with a loop over time: its range, its direction, the update of what it carries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bptt.checking.repairing.nodes import Function, statements, stored, targets_of, text_of


def ranges(code: str, loop: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield other ranges of a loop: the other direction, one step more or less at each end."""
    whole = text_of(code, loop)
    call, backwards = loop, False
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "reversed" and call.args:
        call, backwards = call.args[0], True
    elif isinstance(call, ast.Subscript) and ast.unparse(call.slice) == "::-1":
        call, backwards = call.value, True
    if isinstance(call, ast.Subscript) and isinstance(call.slice, ast.Slice):  # cache[:0:-1], steps[1:]
        base = text_of(code, call.value)
        yield f"{base}[::-1]", "over every step, backwards in time"
        yield base, "over every step"
    inner = text_of(code, call)
    plain = _counted_up(call)
    if plain:
        yield plain, "forwards in time"
    else:
        yield (inner, "forwards in time") if backwards else (f"reversed({whole})", "backwards in time")
    if isinstance(call, ast.List | ast.Tuple) and len(call.elts) == 1 and isinstance(call.elts[0], ast.Name):
        yield f"range({call.elts[0].id}, -1, -1)", "over every step, backwards in time"
    if not isinstance(call, ast.Call) or ast.unparse(call.func).split(".")[-1] not in ("range", "arange", "xrange"):
        return
    name = text_of(code, call.func)
    ends = [text_of(code, a) for a in call.args]
    start, stop = ("0", ends[0]) if len(ends) == 1 else (ends[0], ends[1])
    step = ends[2] if len(ends) == 3 else ""
    down = step.startswith("-")
    for first in _near(start):
        for last in _near(stop):
            if (first, last) == (start, stop):
                continue
            arguments = [last] if first == "0" and not step else [first, last, *([step] if step else [])]
            new = f"{name}({', '.join(arguments)})"
            what = "from the first step" if first != start and not down else "over every step"
            yield whole.replace(inner, new, 1), what
    if down:  # range(T, 0, -1) written from the other side
        yield f"reversed({name}({start} + 1))", "over every step"


def _counted_up(call: ast.expr) -> str:
    """Return ``range(T)`` of ``range(T - 1, -1, -1)``, and nothing of anything else."""
    if isinstance(call, ast.Call) and [ast.unparse(a) for a in call.args[1:]] == ["-1", "-1"]:
        first = call.args[0]
        if isinstance(first, ast.BinOp) and isinstance(first.op, ast.Sub) and ast.unparse(first.right) == "1":
            return f"{ast.unparse(call.func)}({ast.unparse(first.left)})"
    return ""


def _near(end: str) -> list[str]:
    """Return an end of a range and what lies one step beside it."""
    try:
        number = ast.literal_eval(end)
        return [end, str(number - 1), str(number + 1)]
    except ValueError:
        pass
    tree = ast.parse(end, mode="eval").body
    if isinstance(tree, ast.BinOp) and isinstance(tree.right, ast.Constant) and isinstance(tree.op, ast.Add | ast.Sub):
        base, amount = ast.unparse(tree.left), tree.right.value
        if isinstance(amount, int):
            amount = amount if isinstance(tree.op, ast.Add) else -amount
            return [
                end,
                *[base if k == 0 else f"{base} {'+' if k > 0 else '-'} {abs(k)}" for k in (amount + 1, amount - 1)],
            ]
    return [end, f"{end} - 1", f"{end} + 1"]


def endings(code: str, test: ast.expr) -> Iterator[str]:
    """Yield other tests of a ``while``: one turn more or less."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return
    left, right = text_of(code, test.left), text_of(code, test.comparators[0])
    signs = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.NotEq: "!="}
    sign = signs.get(type(test.ops[0]))
    for other in (">", ">=", "<", "<=", "!=") if sign else ():
        if other != sign and (other[0] == (sign or "")[0] or "!" in (other + (sign or ""))):
            yield f"{left} {other} {right}"
    for end in _near(right)[1:] if sign else ():
        yield f"{left} {sign} {end}"


def carries(code: str, function: Function) -> Iterator[tuple[ast.stmt, str, str]]:
    """Yield the update that a loop's carried gradient lacks, v = Wᵀ x: (statement before it, text, what it does).

    So too the line above the loop that it begins with, where there is none.
    """
    for loop in (n for n in statements(function) if isinstance(n, ast.For | ast.While)):
        inside = [n for n in ast.walk(loop) if isinstance(n, ast.stmt)]
        made = dict.fromkeys(t.id for n in inside for t in targets_of(n) if isinstance(t, ast.Name))
        read = dict.fromkeys(n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
        begun = {t.id for n in inside if not adds(n) for t in targets_of(n) if isinstance(t, ast.Name)}
        before = (_zeroed(function) | _given_gradients(function, loop)) - begun
        for carried in (name for name in read if name in before):
            for x in reversed(made):
                yield loop.body[-1], f"{carried} = {x}", f"{carried} is handed on to the next turn: `{carried} = {x}`"
            for matrix, right in _through_weights(code, list(reversed(made))):
                yield loop.body[-1], f"{carried} = {right}", f"{carried} goes back through {matrix}"
        above = [n for n in statements(function) if n.lineno < loop.lineno and not isinstance(n, ast.For | ast.While)]
        set_above = dict.fromkeys(t.id for n in above for t in targets_of(n) if isinstance(t, ast.Name))
        known = set().union(*(stored(n) for n in above), stored(loop.target) if isinstance(loop, ast.For) else ())
        known |= {a.arg for a in function.args.args} if isinstance(function, ast.FunctionDef) else set()
        for name in _unset(loop, known) if above else ():
            for matrix, right in _through_weights(code, list(reversed(set_above))):
                yield above[-1], f"{name} = {right}", f"{name} comes through {matrix} before the loop begins"


def _unset(loop: ast.For | ast.While, known: set[str]) -> list[str]:
    """Return the variables that a loop reads before it sets them, at its first turn, and that nothing above it sets."""
    later = stored(loop) - known
    found: dict[str, None] = {}
    for node in loop.body:
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        found |= dict.fromkeys(n.id for n in names if isinstance(n.ctx, ast.Load) and n.id in later)
        later -= stored(node)
    return list(found)


def _through_weights(code: str, values: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each weight matrix of a program with the products that take a gradient back through it."""
    matrices: dict[str, None] = {}
    for node in ast.walk(ast.parse(code)):
        operands: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            operands = [node.left, node.right]
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("dot", "matmul")
        ):
            operands = [node.func.value, *node.args]
        for operand in operands:
            if not isinstance(operand, ast.Name | ast.Attribute | ast.Subscript) or ast.unparse(operand) == "np":
                continue
            matrices[text_of(code, operand).removesuffix(".T")] = None
    stacked = re.search(r"concatenate\(|[vh]stack\(|np\.[rc]_\[|append\(.*axis", code) is not None
    product = "np.dot({}, {})" if "np.dot(" in code else "{}.dot({})" if ".dot(" in code else "{} @ {}"
    for matrix in matrices:
        for x in values:
            columns, rows = product.format(f"{matrix}.T", x), product.format(x, f"{matrix}.T")
            yield matrix, columns
            yield matrix, rows
            if stacked:  # the state's part of what goes back through joined weights
                wraps = [f"({r})" if "@" in r else r for r in (columns, rows)]
                yield from ((matrix, wraps[0] + cut) for cut in (f"[:len({x})]", f"[-len({x}):]"))
                yield from ((matrix, wraps[1] + cut) for cut in (f"[:, :{x}.shape[1]]", f"[:, -{x}.shape[1]:]"))


def _given_gradients(function: Function, loop: ast.For | ast.While) -> set[str]:
    """Return the variables named like gradients that are set above a loop, as by what comes from the last output."""
    above = [n for n in statements(function) if isinstance(n, ast.Assign) and n.lineno < loop.lineno]
    names = {t.id for n in above for t in targets_of(n) if isinstance(t, ast.Name)}
    return {name for name in names if re.match(r"d[a-zA-Z_]|grad|delta", name)}


def adds(node: ast.stmt) -> bool:
    """Tell whether a statement only adds to what its target holds."""
    if isinstance(node, ast.AugAssign):
        return True
    own = {t.id for t in targets_of(node) if isinstance(t, ast.Name)}
    return isinstance(node, ast.Assign) and any(isinstance(n, ast.Name) and n.id in own for n in ast.walk(node.value))


def is_zero(value: ast.expr) -> bool:
    """Whether an expression is a zero or an array of zeros."""
    if isinstance(value, ast.Constant):
        return value.value in (0, 0.0)
    return isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] in ("zeros", "zeros_like")


def _zeroed(function: Function) -> set[str]:
    """Return the variables that start as zeros."""
    found = set()
    for node in statements(function):
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        pairs = [(t, node.value) for t in node.targets]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        found |= {t.id for t, value in pairs if isinstance(t, ast.Name) and is_zero(value)}
    return found
