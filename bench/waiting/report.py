"""What ``bench/blocking`` prints: tables for people, or every sample as JSON, and what is wanted of it."""

import json
import statistics

from bench.common.figures import spread
from bench.running.ratios import Verdict
from bench.running.report import table
from bench.running.results import ratios
from bench.waiting import calls, trips
from bench.waiting.contenders import CONTENDERS, WORKLOADS

PEERS = ("gthread", "gevent", "psycogreen")

#: Most that a burst may take of what one request waits, and that a request may hold of what one of gthread's does.
BURST, MEMORY = 1.15, 0.5


def best_peer(cells, metric):
    """(key, cell) of the peer with the least; (None, None) when none has a figure."""
    found = [(cells[key].median(metric), key) for key in PEERS if key in cells and cells[key].median(metric) is not None]
    return (min(found)[1], cells[min(found)[1]]) if found else (None, None)


def against(cells, key, metric, ours="ugreen"):
    """How many times ours another takes; of one that was measured once, by ours of that round."""
    found = ratios(cells[key], metric, cells.get(ours)) if key != ours else []
    return spread(found, ".2f") + "x" if found else ""


def rows_of(cells, columns, compared):
    """One row for each contender: figures, then how it compares with ours. ``columns``: (metric, format)."""
    rows, notes = [], []
    for key, cell in cells.items():
        name = CONTENDERS[key].name
        if cell.trouble:
            rows.append([name, f"failed: {cell.trouble}", *[""] * (len(columns) + len(compared) - 1)])
            continue
        rows.append([name, *(spread(cell.values(metric), form) for metric, form in columns), *(against(cells, key, metric) for metric in compared)])
        notes += [f"{name}: {note}." for note in cell.notes]
    return rows, notes


def burst_text(key, cells, plan):
    rows, notes = rows_of(cells, [("seconds", ".3f"), ("times", ".2f"), ("cpu_us", ",.0f")], ["seconds", "cpu_us"])
    header = ["", "seconds", "by the ideal", "CPU µs per request", "seconds by ours", "CPU by ours"]
    alone = cells["python"].median("cpu_us")
    if alone and not cells["python"].trouble:
        notes.append(f"python3 makes the calls one after the other: {plan.requests} of them take {alone * plan.requests / 1e6:.3f} s of one CPU wherever they run, and only one at a time is in Python.")
    return "\n\n".join([f"## {WORKLOADS[key].title}: {plan.requests} at once, {plan.seconds:g} s each", table(header, rows, range(1, 6)), *notes])


def memory_text(cells, plan):
    rows, notes = rows_of(cells, [("kib", ".1f"), ("kernel_kib", ".1f"), ("both_kib", ".1f"), ("idle", ".0f"), ("seconds", ".3f"), ("times", ".2f")], ["kib", "both_kib"])
    header = ["", "KiB per request", "in the kernel", "both", "idle server, MiB", "seconds", "by the ideal", "KiB by ours", "both by ours"]
    return "\n\n".join([f"## Memory: {plan.sleepers:,} at once in time.sleep({plan.sleep_seconds:g})", table(header, rows, range(1, 9)), *notes])


def inside_text(title, names, found):
    """``names``: what a figure is called, by its key. The first contender is compared with the others."""
    ours, *others = next(iter(found.values()))
    header = ["", *(CONTENDERS[key].name for key in (ours, *others)), *(f"by {CONTENDERS[key].name}" for key in others)]
    rows = []
    for name, cells in found.items():
        figures = [f"failed: {cell.trouble}" if cell.trouble else spread(cell.values("ns"), ",.0f") for cell in cells.values()]
        rows.append([names[name][0], *figures, *(spread(ratios(cells[ours], "ns", cells[key]), ".3f") for key in others)])
    return f"## {title}\n\n" + table(header, rows, range(1, len(header)))


def verdicts(results):
    """Everything that is wanted, of what has been measured."""
    found = []
    for key, cells in results.get("bursts", {}).items():
        ours, (peer, other) = cells["ugreen"], best_peer(cells, "seconds")
        found.append(Verdict(f"{key}: seconds by the ideal", BURST, True, ours.values("times"), note=f"failed: {ours.trouble}" if ours.trouble else ""))
        found.append(Verdict(f"{key}: seconds by the better peer's", 1, True, ratios(ours, "seconds", other), note=f"against {CONTENDERS[peer].name}" if peer else ""))
    if cells := results.get("memory"):
        found.append(Verdict("memory of a request that sleeps by gthread's", MEMORY, True, ratios(cells["ugreen"], "kib", cells["gthread"])))
        found.append(Verdict("the same, with what the kernel holds for it", MEMORY, True, ratios(cells["ugreen"], "both_kib", cells["gthread"])))
    for name, cells in results.get("calls", {}).items():
        title, _, limit = calls.CALLS[name]
        found.append(Verdict(f"{title}, by plain python3", limit, True, ratios(cells["ugreen"], "ns", cells["python"]), ".3f"))
        found.append(Verdict("the same, by python3 with a second thread", limit, True, ratios(cells["ugreen"], "ns", cells["two"]), ".3f"))
    for name, cells in results.get("trips", {}).items():
        found.append(Verdict(f"{trips.TRIPS[name][0]}, by OS threads", None, True, ratios(cells["ugreen"], "ns", cells["threads"])))
    return found


def verdict_text(results):
    return "## Ratios\n\n" + table(["UGreen.Py", "wanted", "measured", "", ""], [verdict.cells() for verdict in verdicts(results)], (1, 2))


def texts(part, found, plan):
    """The tables of one part."""
    if part == "bursts":
        return [burst_text(key, cells, plan) for key, cells in found.items()]
    if part == "memory":
        return [memory_text(found, plan)]
    if part == "calls":
        return [inside_text("Calls that do not block, ns", calls.CALLS, found)]
    return [inside_text("Round trips, ns: green threads beside OS threads", trips.TRIPS, found)]


def as_json(head, results):
    """Every sample: a row for each figure of a contender, and the ratios that are wanted."""
    rows = []
    for part, found in results.items():
        for name, cells in ({"memory": found} if part == "memory" else found).items():
            for key, cell in cells.items():
                rows += [{"part": part, "what": name, "contender": key, "metric": metric, "values": cell.values(metric), "failed": cell.trouble} for metric in cell.samples or [""]]
    wanted = [{"what": verdict.name, "wanted": verdict.limit, "measured": statistics.median(verdict.values) if verdict.values else None, "met": verdict.met} for verdict in verdicts(results)]
    return json.dumps({"head": head, "figures": rows, "ratios": wanted}, indent=1)
