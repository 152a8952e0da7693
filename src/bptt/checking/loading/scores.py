"""How much a function looks like a forward pass, a backward pass, a cost."""

from __future__ import annotations

import ast
import re

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.links import assignments

FORWARD = r"forw|fprop|feed_?f|predict|^fp$|^f$|run_forward|compute_output|propagate$|__call__|^call$|unroll|^step$|_fwd$|fwd|evaluate|^activate|vorw(ae|ä)?rts|^avant|adelante|adiante|prz[oó]d|avanti"


BACKWARD = r"back|bptt|bprop|_bp$|^bp$|grad|bwd|deriv(?!.*(tanh|sig))|rtrl|^learn$|adjoint|r(ue|ü)ckw(ae|ä)?rts|arri[eè]re|atr[aá]s|wstecz|indietro|retroprop"


COST = r"loss|cost|error|^err$|likelihood|posterior|^obj|objective|entropy|mse|nll|^J$|criterion|crit$|_ce$|bce|verlust|kosten|fehler|co[uû]t|perte|perda|custo|p[eé]rdida|coste|strata|koszt"


TRAIN = r"train|^fit|update|sgd|optimi[sz]e|^run_(?!f)|^main|epoch|minibatch|^learn|^step_?sgd"


SLOPES = r"(d_?)?(sigmoid|tanh|relu|softmax|activation|sigm|act|identity|linear)"


INITIALISER = r"init|create|make|build|random|new_|get_param|setup|glorot|xavier"


NOT_FORWARD = r"sample|generate|check|numerical|clip|plot|load|save|encode|decode|one_?hot|accuracy|smooth|get_batch|next_batch|score$|genauigkeit|precis|exactitud|acur[aá]cia|acerto|trafno|echantillon"


def forward_score(function: Function, facts: Facts) -> float:
    """Return how much a function looks like a forward pass over the steps."""
    name, text = function.name, function.text
    if (
        (name.startswith("__") and name != "__call__")
        or re.search(NOT_FORWARD, name, re.I)
        or re.fullmatch(SLOPES, name, re.I)
    ):
        return -9
    score = 3.0 * bool(re.search(FORWARD, name, re.I))
    score -= 4.0 * bool(re.search(BACKWARD, name, re.I)) + 2.0 * bool(re.search(TRAIN, name, re.I))
    score -= 2.0 * bool(re.search(INITIALISER, name, re.I)) + 1.5 * bool(re.search(COST, name, re.I))
    score += 1.0 * bool(re.search(r"tanh|sigmoid|sigm\b|relu|activation|\bf\(", text)) + 0.5 * bool(
        re.search(r"dot\(|@|matmul", text)
    )
    score += 1.0 * bool(re.search(r"\bfor\b", text)) - 3.0 * function.has_backward_loop
    score -= 1.5 * bool(re.search(r"cell|step|_t$|one_|single|unit|node|gate", name, re.I)) * ("for " not in text)
    score += 0.3 * bool(function.returns) - 1.5 * function.makes_gradients
    score -= 1.5 * bool(re.search(r"predict|evaluate|generate", name, re.I))
    reached = facts.reached(function)
    score += 1.0 * any(re.search(FORWARD + "|cell", other, re.I) and other != name for other in reached)
    return score


def backward_score(function: Function, facts: Facts) -> float:
    """Return how much a function looks like a backward pass over the steps."""
    name, text = function.name, function.text
    if (
        name.startswith("__")
        or re.search(r"check|numerical|clip|zero_grad|reset", name, re.I)
        or re.fullmatch(rf"{SLOPES}(_?\w*)", name, re.I)
    ):
        return -9
    score = (
        3.0 * bool(re.search(BACKWARD, name, re.I)) + 1.5 * function.has_backward_loop + 2.0 * function.makes_gradients
    )
    score -= 3.0 * bool(re.search(r"forw|predict|sample|apply|update_param|adagrad|adam|rmsprop", name, re.I))
    score -= 2.0 * bool(re.search(r"^(train|fit|main|run|optimize|model)\b|epoch", name, re.I))
    score -= 1.0 * bool(re.search(r"cell|step|_t$|one_|single|node|gate", name, re.I)) * ("for " not in text)
    reached = facts.reached(function)
    score += (
        1.0
        * any(re.search(BACKWARD, other, re.I) and other != name for other in reached)
        * bool(re.search(BACKWARD, name, re.I))
    )
    score += 0.5 * bool(re.search(r"1(\.0*)? - ", text)) + 3.0 * returns_cost_and_gradients(function)
    return score


def returns_cost_and_gradients(function: Function) -> bool:
    """Tell whether a function returns ``loss, grads``, under whatever prefix."""
    labels = function.labels
    gradient = [
        n for n in labels if re.fullmatch(r"d?_?(grads?|gradients?|d_?params?|deriv\w*)(_\w+)?|\w+_grads?", n, re.I)
    ]
    cost = [n for n in labels if roles.COST_NAME.fullmatch(n) or re.search(r"loss|cost|value|objective", n, re.I)]
    return len(labels) == 2 and bool(cost) and bool(gradient)


def _is_one_number(function: Function) -> bool:
    """Tell whether all that a function returns is a sum or a mean over everything, perhaps scaled."""
    returned = [n.value for n in ast.walk(function.node) if isinstance(n, ast.Return)]
    value = returned[0] if len(returned) == 1 else None
    while isinstance(value, ast.UnaryOp) or (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.Div)):
        if isinstance(value, ast.UnaryOp):
            value = value.operand
        else:
            value = value.left if isinstance(value.left, ast.Call | ast.BinOp | ast.UnaryOp) else value.right
    if not isinstance(value, ast.Call) or ast.unparse(value.func).split(".")[-1] not in ("sum", "mean"):
        return False
    method = isinstance(value.func, ast.Attribute) and ast.unparse(value.func.value) not in ("np", "numpy")
    return not value.keywords and len(value.args) == (0 if method else 1)


def _adds_up(function: Function) -> bool:
    """Tell whether a function returns a number that began as zero and was added to, perhaps scaled."""
    returned = [n.value for n in ast.walk(function.node) if isinstance(n, ast.Return)]
    names = (
        {n.id for n in ast.walk(returned[0]) if isinstance(n, ast.Name)}
        if len(returned) == 1 and returned[0]
        else set()
    )
    return bool(names & added_up(function, function.node))


def added_up(function: Function, within: ast.AST) -> set[str]:
    """Return the names that a part of a function adds to, and that began as the number zero."""
    zeros = {
        target.id
        for target, value in assignments(ast.walk(function.node))
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and value.value == 0
    }
    added = [n.target for n in ast.walk(within) if isinstance(n, ast.AugAssign)]
    return {target.id for target in added if isinstance(target, ast.Name)} & zeros


def cost_score(function: Function, facts: Facts) -> float:
    """Return how much a function looks like the cost."""
    name, text = function.name, function.text
    if name.startswith("__") or function.makes_gradients or re.search(NOT_FORWARD, name, re.I):
        return -9
    if re.search(r"(^d_?|grad|deriv|prime|delta|back|_d$)", name, re.I) and not re.search(r"total", name, re.I):
        return -9
    score = 3.0 * bool(re.search(COST, name, re.I)) - 2.0 * bool(re.search(TRAIN, name, re.I))
    if function.calls & set(facts.plain()) and _is_one_number(function):  # it runs the forward, whatever its name
        score += 1.5
    elif score == 0 and len(function.arguments) > 1 and (_is_one_number(function) or _adds_up(function)):
        score += 1.1  # with a logarithm or a square it is one, whatever its name
    score += 1.0 * bool(re.search(r"log\(|\*\* 2|square\(|power\(", text)) + 0.4 * bool(re.search("total", name, re.I))
    return score
