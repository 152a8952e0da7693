"""Lost indentation, restored: the most plausible reading of lines whose leading blanks are gone.

A beam search over the depth of each statement.  The grammar forbids most readings; the rest are ranked by what
people write: a loop's variable is used inside its loop, nothing follows a ``return`` in its block, a method takes
``self``, names are assigned before they are read.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from dataclasses import dataclass, replace

OPENERS = re.compile(r"(async\s+)?(def|class|if|elif|else|for|while|try|except|finally|with)\b.*", re.DOTALL)
CONTINUES = {"elif": {"if", "elif"}, "else": {"if", "elif", "for", "while", "except", "try"}}
CONTINUES |= {"except": {"try", "except"}, "finally": {"try", "except", "else"}}
BEAM = 60


@dataclass(frozen=True)
class Statement:
    """A logical line: its physical lines, and what ranking needs to know of it."""

    first: int
    last: int
    text: str
    keyword: str  # "for", "def", "return", ... or ""
    opens: bool
    reads: frozenset[str]
    binds: frozenset[str]  # plain assignments
    targets: frozenset[str] = frozenset()  # the variables of a for
    takes_self: bool = False
    after_blank: bool = False
    prints: bool = False


@dataclass(frozen=True)
class Block:
    """An open block: its keyword, the names of its loop, what it has assigned, how many statements it holds."""

    keyword: str
    targets: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    count: int = 0
    ended: bool = False


@dataclass(frozen=True)
class Reading:
    """A partial reading: the open blocks, what closed loops have bound, the depths so far and their penalty."""

    blocks: tuple[Block, ...]
    depths: tuple[int, ...] = ()
    penalty: float = 0.0
    loop_targets: frozenset[str] = frozenset()
    loop_bound: frozenset[str] = frozenset()
    must_open: Block | None = None


def statements(lines: list[str]) -> list[Statement]:
    """Join physical lines to logical ones (brackets, backslashes, triple quotes); leave comments and blanks out."""
    found: list[Statement] = []
    i, blank = 0, False
    while i < len(lines):
        stripped = lines[i].strip()
        if not stripped or stripped.startswith("#"):
            blank = blank or not stripped
            i += 1
            continue
        last = i
        while _open(textwrap.dedent("\n".join([stripped, *lines[i + 1 : last + 1]]))) and last + 1 < len(lines):
            last += 1
        if last > i and last + 1 == len(lines) and _open("\n".join([stripped, *lines[i + 1 :]])):
            last = i  # a bracket that never closes: the line is taken alone
        found.append(_statement(i, last, "\n".join([stripped, *lines[i + 1 : last + 1]]), blank))
        i, blank = last + 1, False
    return found


def restore_indentation(lines: list[str]) -> list[str] | None:
    """Return the lines with indentation, or None where no reading is grammatical.

    Each reading that the beam keeps is parsed, the most plausible first.
    """
    items = statements(lines)
    beam = [Reading((Block("module"),))]
    for position, item in enumerate(items):
        beam = sorted(
            (new for reading in beam for new in _extend(reading, item, items[position + 1 :])), key=lambda r: r.penalty
        )[:BEAM]
    for reading in beam:
        if reading.must_open is None:
            text = _render(lines, items, reading.depths)
            try:
                ast.parse("\n".join(text))
            except (SyntaxError, ValueError):
                continue
            return text
    return None


def _open(text: str) -> bool:
    try:
        list(tokenize.generate_tokens(io.StringIO(text + "\n").readline))
    except tokenize.TokenError:
        return True
    except (IndentationError, SyntaxError):
        return False
    return text.rstrip().endswith("\\")


def _statement(first: int, last: int, text: str, blank: bool) -> Statement:
    match = OPENERS.match(text)
    word = re.match(r"(?:async\s+)?([a-z]+)\b", text)
    keyword = word.group(1) if word else ""
    code = re.sub(r"\s#.*$", "", text) if "\n" not in text else text
    opens = bool(match) and code.rstrip().endswith(":")
    tree = _parse_line(text, keyword, opens)
    reads: set[str] = set()
    binds: set[str] = set()
    targets: set[str] = set()
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Name):
            (reads if isinstance(node.ctx, ast.Load) else binds).add(node.id)
        if isinstance(node, ast.For):
            targets |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            reads.add(node.target.id)
            binds.discard(node.target.id)
        if isinstance(node, ast.comprehension):
            reads -= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    takes_self = keyword == "def" and bool(re.match(r"(async\s+)?def\s+\w+\s*\(\s*(self|cls)\b", text))
    prints = bool(re.match(r"print\b|plt\.", text))
    return Statement(
        first, last, text, keyword, opens, frozenset(reads - binds - targets), frozenset(binds - targets),
        frozenset(targets), takes_self, blank, prints,
    )  # fmt: skip


def _parse_line(text: str, keyword: str, opens: bool) -> ast.AST | None:
    body = re.sub(r"\s*(#.*)?$", "", text) + " pass" if opens else text
    if keyword in ("elif",):
        body = body[2:]
    elif keyword in ("else", "try", "except", "finally"):
        return None
    wrapped = "async def f():\n while 1:\n" + textwrap.indent(body, "  ", lambda line: line is not None)
    try:
        return ast.parse(wrapped)
    except (SyntaxError, ValueError):
        return None


def _extend(reading: Reading, item: Statement, rest: list[Statement]) -> list[Reading]:
    if reading.must_open is not None:
        return _at(replace(reading, blocks=(*reading.blocks, reading.must_open), must_open=None), item, rest, ())
    out = []
    for depth in range(len(reading.blocks), 0, -1):
        out += _at(replace(reading, blocks=reading.blocks[:depth]), item, rest, reading.blocks[depth:])
    return out


def _at(reading: Reading, item: Statement, rest: list[Statement], closed: tuple[Block, ...]) -> list[Reading]:
    """Place a statement in the innermost open block; the blocks in ``closed`` end before it."""
    here, penalty = reading.blocks[-1], reading.penalty
    inside = [b.keyword for b in reading.blocks]
    loop_targets, loop_bound = reading.loop_targets, reading.loop_bound
    for block in closed:
        if block.keyword in ("for", "while"):
            loop_targets |= block.targets
            loop_bound |= block.bound
    if item.keyword in CONTINUES:
        if not closed or closed[0].keyword not in CONTINUES[item.keyword]:
            return []
        if item.keyword == "else" and closed[0].keyword in ("for", "while"):
            penalty += 4
    elif closed and closed[0].keyword == "try":
        return []
    penalty += _placing(item, here, inside, closed, rest)
    current = {name for b in reading.blocks if b.keyword == "for" for name in b.targets}
    bound_here = frozenset().union(*(b.bound for b in reading.blocks))
    if item.keyword not in ("def", "class"):
        penalty += 3 * len(item.reads & (loop_targets - current - bound_here))
        penalty += 1.0 * bool(item.reads & (loop_bound - bound_here)) * (item.keyword != "return")
    in_loop = any(b.keyword in ("for", "while") for b in reading.blocks)
    if in_loop and not closed and here.keyword in ("for", "while") and here.count:
        related = item.reads & (here.targets | here.bound) or item.binds & here.bound
        penalty += 0.0 if related or item.prints else 0.4
    ended = item.keyword in ("return", "break", "continue", "raise")
    updated = replace(here, bound=here.bound | item.binds, count=here.count + 1, ended=here.ended or ended)
    opened = Block(item.keyword, item.targets) if item.opens else None
    if item.keyword in ("def", "class"):
        loop_targets = loop_bound = frozenset()
    return [
        replace(
            reading, blocks=(*reading.blocks[:-1], updated), depths=(*reading.depths, len(reading.blocks) - 1),
            penalty=penalty, loop_targets=loop_targets, loop_bound=loop_bound, must_open=opened,
        )
    ]  # fmt: skip


def _placing(
    item: Statement, here: Block, inside: list[str], closed: tuple[Block, ...], rest: list[Statement]
) -> float:
    """Return what speaks against this place, whatever the names say."""
    cost = 0.0
    if here.ended:
        cost += 6
    if item.keyword == "def":
        # methods stand in the class, functions at the left margin; a function within a function is rare
        cost += 4.0 * ("def" in inside) + 3.0 * any(k in ("for", "while", "if", "else") for k in inside)
        if item.takes_self:
            cost += 0.0 if here.keyword == "class" else 5.0 * any(b.keyword == "class" for b in closed)
        elif here.keyword == "class":
            cost += 3
    if item.keyword == "class":
        cost += 3.0 * (len(inside) > 1)
    if item.keyword in ("import", "from"):
        cost += 3.0 * (len(inside) > 1 and here.count != 0)
    if item.keyword == "return":
        cost += 0.0 if "def" in inside else 20.0
        cost += 2.5 * sum(k in ("for", "while") for k in inside)
        # a return under an if that holds other work is rarer than one that ends the function
        cost += 1.0 * (here.keyword in ("if", "else", "elif", "with") and here.count > 0)
    if item.keyword in ("break", "continue") and not any(k in ("for", "while") for k in inside):
        cost += 20
    if here.keyword in ("if", "elif", "else") and here.count:
        related = bool(item.reads & here.bound)
        cost += 0.1 if related or item.prints else 0.6
    if (
        here.keyword == "class"
        and item.keyword not in ("def", "class", "@")
        and not item.text.startswith(("@", '"', "'"))
    ):
        cost += 1.5
    if here.keyword == "module" and item.keyword not in ("def", "class", "import", "from", "if"):
        cost += 2.0 * any(b.keyword == "def" and not b.ended for b in closed) - 0.5 * item.after_blank
    if item.text.startswith("@") and rest and "def" in inside:
        cost += 4
    if item.after_blank and closed:
        cost -= 0.2
    return cost


def _render(lines: list[str], items: list[Statement], depths: tuple[int, ...]) -> list[str]:
    out = [""] * len(lines)
    upcoming = 0
    for i, line in enumerate(lines):  # a comment stands with the statement that follows it
        while upcoming < len(items) - 1 and items[upcoming].last < i:
            upcoming += 1
        if line.strip().startswith("#"):
            out[i] = "    " * (depths[upcoming] if depths else 0) + line.strip()
    for item, depth in zip(items, depths, strict=True):
        string = _multiline_string(item.text)
        for i in range(item.first, item.last + 1):
            if string and i > item.first:
                out[i] = lines[i]
            else:
                out[i] = "    " * (depth + (i > item.first)) + lines[i].strip()
    return out


def _multiline_string(text: str) -> bool:
    return '"""' in text or "'''" in text
