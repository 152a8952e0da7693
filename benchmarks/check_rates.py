"""How often ``bptt check`` is right: detection, false alarms, exact lines, proven repair, "cannot check", time.

It runs the command over a folder with a ``manifest.json`` - a list of {"file", "style", "verdict", "kind", "faults":
[{"lines", "cell", "codes"}], "adapter"} - once without and once with the adapter where there is one, and scores:

- detection: a wrong program called wrong; false alarm: a right program called wrong;
- exact: every fault has a finding on one of its lines, and no finding stands elsewhere;
- repaired: the report carries a proven fix;
- wrong diagnosis: a finding on a line that has no fault;
- "cannot check" counts as neither right nor wrong.

    python benchmarks/check_rates.py FOLDER --name round-1 --write
    python benchmarks/check_rates.py corpus --name development   # the development programs of tests/corpus

The rate on programs that the checker was developed on means nothing for others; only a fresh folder, frozen before its
first run, gives a first-contact rate.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from step import machine, write

ROOT = Path(__file__).parent.parent


def entries(folder):
    """Yield (entry, path, adapter or None) of a folder's manifest, or of the development corpus."""
    if folder == "corpus":
        sys.path.insert(0, str(ROOT / "tests"))
        from corpus import programs

        place = Path(tempfile.mkdtemp())
        for number, e in enumerate(programs()):
            home = place / str(number)
            home.mkdir()
            path, adapter = home / e.filename, None
            path.write_text(e.text, "utf-8")
            if e.adapter:
                adapter = home / "bptt_adapter.py"
                adapter.write_text(e.adapter, "utf-8")
            faults = [{"lines": list(x.lines), "cell": x.cell, "codes": list(x.codes)} for x in e.expected]
            kind = "right" if e.verdict == "right" else "single" if len(faults) == 1 else "multiple"
            yield (
                {"file": e.name, "style": e.style, "verdict": e.verdict, "kind": kind, "faults": faults},
                path,
                adapter,
            )
        return
    folder = Path(folder)
    for entry in json.loads((folder / "manifest.json").read_text("utf-8")):
        adapter = folder / entry["adapter"] if entry.get("adapter") else None
        yield entry, folder / entry["file"], adapter


def run(path, adapter, timeout):
    """Return (report, exit code, seconds)."""
    command = [sys.executable, "-m", "bptt", "check", str(path), "--json", "--timeout", str(timeout)]
    command += ["--case", str(adapter)] if adapter else []
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=10 * timeout, check=False)
    seconds = time.perf_counter() - start
    try:
        return json.loads(done.stdout), done.returncode, seconds
    except json.JSONDecodeError:
        said = done.stderr[-400:]
        return {"verdict": "cannot-check", "findings": [], "fix": None, "reason": said}, done.returncode, seconds


def score(entry, report):
    """Return what is true of one report."""
    faults, findings = entry["faults"], report["findings"]

    def hits(fault, finding):
        lines = range(finding["line"], finding["end_line"] + 1)
        same_cell = fault.get("cell") is None or finding.get("cell") in (None, fault["cell"])
        return same_cell and any(line in fault["lines"] for line in lines)

    named = [fault for fault in faults if any(hits(fault, finding) for finding in findings)]
    stray = [finding for finding in findings if not any(hits(fault, finding) for fault in faults)]
    wrong = report["verdict"] == "wrong"
    return {
        "verdict": report["verdict"],
        "detected": entry["verdict"] == "wrong" and wrong,
        "false_alarm": entry["verdict"] == "right" and wrong,
        "missed": entry["verdict"] == "wrong" and report["verdict"] == "right",
        "cannot": report["verdict"] == "cannot-check",
        "exact": entry["verdict"] == "wrong" and wrong and len(named) == len(faults) and not stray,
        "some_line": bool(named),
        "wrong_diagnosis": wrong and bool(stray),
        "repaired": bool(report["fix"] and report["fix"]["proven"]),
        "codes": sum(
            any(hits(fault, f) and set(f["codes"]) & set(fault["codes"]) for f in findings) for fault in faults
        ),
        "faults": len(faults),
    }


def rates(rows):
    """Summarise scored rows."""
    wrong = [r for r in rows if r["expected"] == "wrong"]
    right = [r for r in rows if r["expected"] == "right"]

    def share(rows, key):
        return round(sum(bool(r[key]) for r in rows) / len(rows), 3) if rows else None

    return {
        "right": len(right),
        "wrong": len(wrong),
        "called right": share(right, "called_right"),
        "false alarms": sum(r["false_alarm"] for r in right),
        "detected": share(wrong, "detected"),
        "missed": sum(r["missed"] for r in wrong),
        "cannot check": sum(r["cannot"] for r in rows),
        "exact lines, single": share([r for r in wrong if r["kind"] == "single"], "exact"),
        "exact lines, multiple": share([r for r in wrong if r["kind"] == "multiple"], "exact"),
        "proven repair, single": share([r for r in wrong if r["kind"] == "single"], "repaired"),
        "proven repair, multiple": share([r for r in wrong if r["kind"] == "multiple"], "repaired"),
        "with a finding elsewhere": sum(r["wrong_diagnosis"] for r in rows),
        "codes of the faults": round(sum(r["codes"] for r in wrong) / max(1, sum(r["faults"] for r in wrong)), 3),
        "seconds, median": round(statistics.median(r["seconds"] for r in rows), 2) if rows else None,
        "seconds, 95th percentile": round(sorted(r["seconds"] for r in rows)[int(0.95 * (len(rows) - 1))], 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help='a folder with manifest.json, or "corpus"')
    parser.add_argument("--name", default="round", help="of the result")
    parser.add_argument("--timeout", type=float, default=30.0)
    parser.add_argument("--adapters", choices=("without", "with", "both"), default="both")
    parser.add_argument("--only", help="files or styles whose name holds this")
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth program")
    parser.add_argument("--write", action="store_true", help="write results/check-NAME.json beside this file")
    options = parser.parse_args()
    chosen = [e for e in entries(options.folder) if not options.only or options.only in e[0]["file"] + e[0]["style"]]
    summary = {}
    for way in ("without", "with") if options.adapters == "both" else (options.adapters,):
        rows = []
        for entry, path, adapter in chosen[:: options.every]:
            if way == "with" and adapter is None:
                continue
            report, code, seconds = run(path, adapter if way == "with" else None, options.timeout)
            row = {"file": entry["file"], "style": entry["style"], "kind": entry["kind"], "expected": entry["verdict"]}
            row |= score(entry, report) | {"seconds": round(seconds, 2), "exit": code}
            row["called_right"] = report["verdict"] == "right"
            rows.append(row)
            flags = [k for k in ("exact", "repaired", "false_alarm", "missed", "cannot", "wrong_diagnosis") if row[k]]
            found = [(f["line"], "/".join(f["codes"])) for f in report["findings"]]
            wanted = [(f["lines"], "/".join(f["codes"])) for f in entry["faults"]]
            print(f"{way:7s} {row['file']:40s} {row['verdict']:12s} {seconds:5.1f} s {','.join(flags):32s}", end=" ")
            print(f"wanted {wanted} found {found} {report['reason'][:110] if row['cannot'] else ''}", flush=True)
        styles = defaultdict(list)
        for row in rows:
            styles[row["style"]].append(row)
        summary[f"{way} adapter"] = {
            "all": rates(rows) if rows else None,
            "exact of wrong, per style": {
                style: f"{sum(r['exact'] for r in of)}/{sum(r['expected'] == 'wrong' for r in of)}"
                for style, of in sorted(styles.items())
            },
        }
        print(json.dumps(summary[f"{way} adapter"], indent=1), flush=True)
    if options.write:
        write(f"check-{options.name}", {"machine": machine(), "name": options.name, **summary})


if __name__ == "__main__":
    main()
