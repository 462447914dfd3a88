"""What a switch costs in C, for ``bench/limit``: builds and runs ``switch.c``."""

import fcntl
import subprocess

from bench.common.figures import ratio, spread
from bench.common.machine import ROOT

CONTEXTS = [1, 30, 1000, 10000]
KINDS = ["registers", "swapcontext"]

#: Cache lines that a context writes in each turn, beside those of the switch itself.
LINES = [0, 8]

#: Round trips of one figure. The kernel is asked twice in each of swapcontext's, so fewer take as long.
TRIPS = {"registers": 4_000_000, "swapcontext": 500_000}

SOURCE = ROOT / "bench" / "limits" / "switch.c"
PROGRAM = ROOT / "artifacts" / "bench" / "switch"


def build():
    """Compile the program, if its source changed since."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    with open(PROGRAM.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not PROGRAM.exists() or SOURCE.stat().st_mtime > PROGRAM.stat().st_mtime:
            subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", PROGRAM, SOURCE], check=True)


def nanoseconds(kind, contexts, lines=0, trips=None):
    """One figure, from a fresh process: nanoseconds per round trip."""
    words = [PROGRAM, kind, str(contexts), str(lines), str(trips or TRIPS[kind])]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def one_row(results, contexts, trips=None):
    """Measure each cell of this number of contexts once more; ``results`` maps (kind, contexts, lines) to the list of figures. What is compared is measured one after the other."""
    for lines in LINES:
        for kind in KINDS:
            results.setdefault((kind, contexts, lines), []).append(nanoseconds(kind, contexts, lines, trips))


def print_table(results):
    """One row for each number of contexts."""
    print("\nnanoseconds per round trip (main -> context -> main) in C: median (lowest-highest)\n")
    heads = [kind if not lines else f"{kind}, {lines} lines written" for kind in KINDS for lines in LINES]
    print(f"| contexts | {' | '.join(heads)} | swapcontext/registers |\n|{'---:|' * (len(heads) + 2)}")
    for contexts in CONTEXTS:
        values = [spread(results[kind, contexts, lines], ".1f") for kind in KINDS for lines in LINES]
        print(f"| {contexts:,} | {' | '.join(values)} | {ratio(results['swapcontext', contexts, 0], results['registers', contexts, 0]):.1f}x |")


def as_json(results):
    """A list of objects, for programs."""
    return [{"kind": kind, "contexts": contexts, "lines": lines, "nanoseconds": figures} for (kind, contexts, lines), figures in results.items()]
