"""What a name in a recurrent network usually stands for; it ranks readings, and values decide."""

from __future__ import annotations

import re
from functools import cache

SIZES: tuple[tuple[str, str], ...] = (
    ("n_x", r"n_?x|n_?in|nin|input_?(size|dim|s|units|dims?)?|in_?(size|dim|features?)|d_?in|x_?(size|dim)|word_?dim"
     r"|n_?inputs?|n_?features?|num_?(inputs?|features?)|emb(ed(ding)?s?)?(_?(size|dim))?|input_?dimension|dim_?in|D|I"
     r"|input_?nodes|in_?size|in_?dim|feature_?(size|dim)|n_?i"),
    ("n_a", r"n_?a|n_?h(idden)?|hidden(_?(size|dim|s|units|nodes|neurons|layer_?size|state_?size|dims?))?|h_?(size|dim)"
     r"|state_?(size|dim)|n_?states?|n_?mem(ory)?|num_?hidden|n_?units|units|cell_?size|n_?s|hid(den)?(_?(sz|n|size|dim|s))?|H|rnn_?(size|units)|hiddim"
     r"|hidden_?dimension|mem_?cell_?ct|dim_?hidden|n_?neurons|num_?(units|neurons)|lstm_?size|(n|h|nh|n_h|n_?hid|n_?hidden|hidden(_?size)?)_?[1-3]"),
    ("n_y", r"n_?y|n_?o(ut)?|output_?(size|dim|s|units|dims?)?|out_?(size|dim|features?)|y_?(size|dim)|n_?outputs?|n_?(tags|labels|targets|categories)"
     r"|num_?(outputs?|classes|labels)|n_?class(es)?|n_?cls|d_?out|output_?dimension|dim_?out|C|O|K|output_?nodes|out_?size|out_?dim"),
    ("V", r"vocab(ulary)?_?(size|len|length|dim)?|n_?vocab|num_?(chars?|words?|tokens?)|V|n_?(chars?|words|tokens|syms?|symbols?|letters)|voc_?size"
     r"|alphabet_?size|vocab"),
    ("m", r"m|batch(_?(size|n|sz))?|n_?(batch|samples?|examples|seqs?)|N|B|num_?(samples|examples|seqs?)|bs|mb_?size"),
    ("T_x", r"T_?x?|n_?t(ime)?_?(steps?)?|time_?steps?|seq(uence)?_?(len|length|size|n)|n_?steps|num_?steps|steps|length"
     r"|tau|num_?time_?steps|n_?timesteps|timesteps_?of_?unroll|max_?len|window(_?size)?|seqlen|L|look_?back|t_?max|T_?y"
     r"|time_?len|unroll(ing)?s?|nt|len_?seq"),
)  # fmt: skip
TRUNCATION = r"bptt_?trunc(ate)?(d)?(_?(steps?|len|length))?|trunc(ate|ation)?(_?(steps?|len|at))?|back_?steps|tbptt|bptt_?(steps|len)?"
GAIN = r"likelihood|posterior|log_?prob"
"""What is made larger, and not smaller as a cost is."""
MASK = r"(loss_?|pad(ding)?_?|seq_?)?(masks?|maske|masque|m[aá]scara|maschera|maska)(_?\w)?"
RATE = r"taxa(_?\w+)?|tasa(_?\w+)?|taux(_?\w+)?|lern_?rate|lr|eta|alpha|learning_?rate|step_?size|l_?rate|rate|learn_?rate|epsilon_lr"
INPUT = r"([xu]_?(idx|index|indices|ids)|x|xs|xt|x_?t|x_?train|x_?batch|inputs?|input_?(seq(uence)?|data|s)?|seq(uence)?s?|xx|sentence|tokens?|ids|x_?seq|data|in_?seq|x_?in|x_?data|x_?list|features|xb|x_?sequence|batch_?x|char_?ids|word_?ids|bx|u|us|signal|series|symbols|frames|obs(ervations?)?|notes|stimul(i|us))"
TARGET = r"([yt]_?(idx|index|indices|ids)|y|ys|yt|y_?t|y_?train|y_?batch|y_?true|targets?|target_?(seq(uence)?|s|ids)|labels?|lbls?|truth|t|ts|d|y_?seq|y_?real|yb|desired|expected|gold|outputs?_?true|y_?hot|y_?onehot|batch_?y|tgt|gt|true_?y|y_?data|by|answers?|ground_?truth|y_?list|tags?|tag_?ids|expected_?(symbols|outputs?|values?|ids)|want(ed)?|goals?|captions?(_?out)?|next_?(chars?|words?|tokens?|ids))"
STATE0 = r"([ahrsvz]\d?_?0|hx|s_?0|hprev|h_?prev|a_?prev|s_?prev|prev_?(h|s|a|state|hidden|hid)|init(ial)?_?(h|state|hidden|a|hidden_?state)?|h|a|hidden(_?state)?|state|h_?init|a_?init|h_?start|hid|h_?last|last_?h|hs_?prev|h_?in|prev_?hidden_?state|hidden_?prev|h_?state|state_?0|previous_?state|old_?h|a_?initial|hm1|h_?old|(first|start|starting|initial)_?(state|hidden|h|a|s)|[ahs]\d_?(start|prev|init|last|in))"
CELL0 = r"(c_?0|cx|cprev|c_?prev|prev_?c|c|cell(_?state)?|c_?init|init_?c|cell_?prev|prev_?cell|cs_?prev|c_?in|c_?last|c_?old|c_?start)"
PREDICTION = r"(y_?pred(s|iction|ictions)?|y_?hat|p|ps|probs?|preds?|predictions?|outputs?|out|o|os|yhat|y_?out|a_?y|y_?p|y_?probs|scores|logits|pred_?y|out_?probs)"
PARAMETERS = (
    r"(param(eter)?s?|params?_?dict|weights?|theta|model|p|w|W|net|network|thetas|weights_?dict|vars|variables|coeffs)"
)
CACHE = r"(caches?|mem(ory|ories|o)?|tape|saved|store|storage|ctx|context|history|forward_?(cache|pass|results?|out|vars|values|state)|fwd|record|states|trace|intermediates?|tmp|buf|stuff|activations|layers?|acts|cch|results?)"
UPSTREAM = r"(d_?(a|h|y|o|out|hs|as|next|output|x_?out|ys|ht|H|A|Y|z|logits|pred|e|E|loss|L|hn|h_?last|outputs|h_?out|scores|y_?pred|hidden)|grads?_?(out(put)?s?|y|h|in)?|upstream(_?(grad|gradient))?|delta|deltas|error|errors|err|e|dout|d_?l_?d_?y|dy|d_?y|gout|gy|gh|g|dldy|dl_?dh|out_?grad|output_?grad|incoming|top_?diff|grad_?outs?|d_?hseq|d_?h_?all|accum_?grad)"

COST_NAME = re.compile(
    r"((?i:(total_?|sum_?|overall_?|seq_?|batch_?|train_?|mean_?|avg_?)?(loss(es)?|cost|error|nll|mse)(_?(total|sum|val|value|t))?)|[JLE])"
)

IN, HID, OUT = "n_x", "n_a", "n_y"
LETTERS = {
    "x": IN,
    "i": IN,
    "u": IN,
    "h": HID,
    "a": HID,
    "s": HID,
    "z": HID,
    "r": HID,
    "y": OUT,
    "o": OUT,
    "q": OUT,
    "v": OUT,
    "p": OUT,
}
WORDS = {
    "input": "x",
    "hidden": "h",
    "output": "y",
    "in": "x",
    "hid": "h",
    "out": "y",
    "rec": "hh",
    "recurrent": "hh",
    "state": "h",
    "to": "",
    "2": "",
}


def matches(name: str, pattern: str) -> bool:
    """Tell whether a whole name fits a pattern, whatever its case and its leading ``self.`` or underscore."""
    return re.fullmatch(pattern, name.lstrip("_").removesuffix("_"), re.IGNORECASE) is not None


def is_gain(name: str) -> bool:
    """Tell whether a function of that name gives what is made larger; a negative likelihood is a cost."""
    return re.search(rf"{GAIN}|reward", name, re.I) is not None and re.search("neg|minus", name, re.I) is None


def is_rate(name: str, text: str) -> bool:
    """Tell whether a name is that of a learning rate; ``alpha`` of ``(1 - alpha) * h`` is a part of the equations.

    ``alpha`` and ``rate`` are many things: one of an update stands in it, behind ``-=`` or a minus.
    """
    if not matches(name, RATE) or re.search(rf"\b1(\.0*)? - (\w+\.)?{name}\b", text) is not None:
        return False
    if not re.fullmatch("alpha|eta|rate", name.lstrip("_"), re.IGNORECASE):
        return True
    return re.search(rf"([-+]=|[-+])[^\n=]*\b{name}\b", text) is not None


def size_of(name: str) -> str | None:
    """Return the size that a name stands for: one of n_x, n_a, n_y, m, T_x, or V for a vocabulary's."""
    plain = name.lstrip("_")
    for size, pattern in SIZES:
        if re.fullmatch(pattern, plain):
            return size
    for size, pattern in SIZES:
        if len(plain) > 1 and re.fullmatch(pattern, plain, re.IGNORECASE):
            return size
    return None


WEIGHT = re.compile(
    r"W(_\w+|[A-Z0-9]\w*|[a-z]{0,4}\d?|[a-z]{0,2}_\w+|(in|out|rec|hid|input|output|hidden|eights?)\w*)|w(_\w+|[A-Z0-9]\w*|[a-z]{0,3}\d?|[a-z]{0,2}_\w+|(in|out|rec|hid)\w*)"
    r"|[a-z]\w*(Weights?|Bias(es)?|Matrix)"
    r"|[UVR](_\w+|[a-zA-Z0-9]{0,3})|(weights?|bias|kernel|theta|synapse|syn|embed(ding)?)(_?\w*)|\w+_(weights?|bias|kernel|W|w|U|V|b)"
    r"|[bB](_\w+|[A-Z0-9]\w{0,3}|[a-z]{0,2}|in|out|rec|hid)\d?"
)


@cache
def is_weight(name: str) -> bool:
    """Tell whether a name is a parameter's: W..., U, V, b..., theta, kernel."""
    return WEIGHT.fullmatch(name) is not None and not is_data(name)


@cache
def is_bias(name: str) -> bool:
    """Tell whether a name is a bias's: b, ba, b_y, bias_h, hidden_bias."""
    return re.fullmatch(r"(b|B)(_?[a-zA-Z0-9]{0,4})|.*bias.*|b_\w+", name) is not None


def is_data(name: str) -> bool:
    """Tell whether a name is that of inputs, targets or states, or of something that is no array."""
    return name.lower() in {
        "window",
        "width",
        "words",
        "word",
        "batch",
        "batch_size",
        "warm",
        "wait",
        "wav",
        "wave",
        "was",
        "way",
        "by_hand",
        "best",
        "beta1",
        "beta2",
        "value",
        "values",
        "vocab",
        "x",
        "y",
    }


@cache
def weight_letters(name: str) -> str:
    """Return the letters that say between what a parameter stands: ``aa`` of W_aa, ``xh`` of Wxh, ``ih`` of w_input_hidden."""
    rest = re.sub(r"^(weights?|bias(es)?|W|w|b|B|U|V)_?", "", name)
    for word, letter in sorted(WORDS.items(), key=lambda item: -len(item[0])):
        rest = re.sub(rf"(?<![a-z]){word}(?![a-z])|(?<=_){word}|{word}(?=_)", letter, rest, flags=re.IGNORECASE)
    return re.sub(r"[^a-zA-Z]", "", rest).lower()


@cache
def weight_ends(name: str) -> tuple[str, str]:
    """Return (what a weight gives, what it takes): ("n_a", "n_x") of Wax, Wxh or U; the layer's by default."""
    if name in ("U", "u"):
        return HID, IN
    if name in ("V", "v"):
        return OUT, HID
    for pattern, ends in ((r"(w_?|weights?_?)?(in|input|inp|i2h|x)(_?(weights?|w))?", (HID, IN)), (r"(w_?|weights?_?)?(rec|recurrent|state|hidden|h2h)(_?(weights?|w))?", (HID, HID)),
                          (r"(w_?|weights?_?)?(out|output|readout|h2o)(_?(weights?|w))?", (OUT, HID))):  # fmt: skip
        if re.fullmatch(pattern, name, re.IGNORECASE):
            return ends
    letters = weight_letters(name)
    between = [LETTERS[c] for c in letters[-2:] if c in LETTERS]
    if len(between) == 2:
        order = (IN, HID, OUT)
        first, second = sorted(between, key=order.index, reverse=True)
        return first, second
    if len(between) == 1:
        return {IN: (HID, IN), HID: (HID, HID), OUT: (OUT, HID)}[between[0]]
    return HID, HID


@cache
def bias_end(name: str) -> str:
    """Return what a bias belongs to: n_y for b_y, by, c, V's; n_a else."""
    if name in ("c", "by", "b2", "bo_", "d") or re.search(r"out", name, re.IGNORECASE):
        return OUT
    letters = weight_letters(name)
    return OUT if letters[-1:] in ("y", "q", "v") or letters in ("o", "out", "hy", "ho") else HID


def gradient_of(name: str, parameters: list[str]) -> str | None:
    """Return the parameter whose gradient a name is: dWaa, d_W_aa, grad_Waa, Waa_grad, dLdW, delta_W, Waa."""
    plain = _plain(name)
    table = {_plain(p): p for p in parameters}
    stripped = [plain]
    for pattern in (
        r"^(d|grad|g|delta|dl?_?d|nabla|del|gradient)",
        r"^(dld|djd|dcd|ded|dedd)",
        r"(grad|gradient|_d|deriv|update|delta|d)$",
        r"^(d|grad)(?=.*t$)|t$",
    ):
        stripped += [re.sub(pattern, "", s) for s in list(stripped)]
    for candidate in stripped[1:] + stripped[:1]:
        if candidate in table:
            return table[candidate]
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
