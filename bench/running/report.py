"""What ``bench/run`` writes: Markdown for people, CSV for programs."""

import csv
import io

from bench.common.figures import spread
from bench.running.ratios import Ratios
from bench.running.results import LATENCIES, METRICS, ratios
from bench.running.servers import CONTENDERS
from bench.running.workloads import WORKLOADS

#: By what a contender is compared with this server in each kind of workload, and whether less is better.
COMPARED = {"load": ("rate", False), "database": ("seconds", True), "comet": ("beside_rate", False), "start": ("seconds", True)}


def table(header, rows, right=()):
    """Markdown; columns whose number is in ``right`` are numbers."""
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join("---:" if number in right else "---" for number in range(len(header))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in row) + " |" for row in rows])


def ours_in(cells):
    return next((key for key in cells if CONTENDERS[key].kind == "ours"), None)


def compared(workload, cells, key):
    """How many times as good this server is as another; empty for itself."""
    ours = ours_in(cells)
    if workload.kind not in COMPARED or ours in (None, key):
        return ""
    metric, less = COMPARED[workload.kind]
    found = ratios(cells[key], metric, cells[ours]) if less else ratios(cells[ours], metric, cells[key])
    return spread(found, ".2f") + "x" if found else "-"


def workload_table(workload, cells):
    """What a workload brought, one row for each contender; only metrics that somebody has. Latencies have a table of their own."""
    measured = [metric for metric in METRICS if any(cell.values(metric) for cell in cells.values())]
    metrics = [metric for metric in measured if metric not in LATENCIES]
    against = ["UGreen.Py against it"] if workload.kind in COMPARED else []
    header = ["", *(METRICS[metric][2] for metric in metrics), *against]
    rows, notes = [], []
    for key, cell in cells.items():
        name = CONTENDERS[key].name
        if cell.trouble:
            rows.append([name, f"failed: {cell.trouble}", *[""] * (len(header) - 2)])
            continue
        rows.append([name, *figures(cell, metrics), *([compared(workload, cells, key)] if against else [])])
        notes += [f"{name}: {note}." for note in cell.notes]
    parts = [f"## {workload.title}", table(header, rows, range(1, len(header))) if metrics else "\n".join(f"- {row[0]}: {row[1]}" for row in rows)]
    if latencies := [metric for metric in measured if metric in LATENCIES]:
        rows = [[CONTENDERS[key].name, *figures(cell, latencies)] for key, cell in cells.items() if not cell.trouble]
        parts.append(table(["latency", *(METRICS[metric][2] for metric in latencies)], rows, range(1, len(latencies) + 1)))
    return "\n\n".join(parts + notes)


def figures(cell, metrics):
    return [spread(cell.values(metric), METRICS[metric][1]) for metric in metrics]


def ratio_table(verdicts):
    return "## Ratios\n\n" + table(["this server", "wanted", "measured", "", ""], [verdict.cells() for verdict in verdicts], (1, 2))


def markdown(head, results):
    """The whole report."""
    parts = ["# bench/run", head, "Medians over the rounds (lowest-highest). Ratios are medians of the ratios of each round."]
    parts += [workload_table(WORKLOADS[name], cells) for name, cells in results.items()]
    return "\n\n".join([*parts, ratio_table(Ratios(results).all())]) + "\n"


def csv_text(results):
    """Every sample: a line for each workload, contender, metric and round; a contender that failed has one with the reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["workload", "contender", "metric", "unit", "round", "value", "failed"])
    for workload, cells in results.items():
        for key, cell in cells.items():
            if cell.trouble:
                writer.writerow([workload, key, "", "", "", "", cell.trouble])
                continue
            for metric, column in cell.samples.items():
                for number, value in enumerate(column):
                    if value is not None:
                        writer.writerow([workload, key, metric, METRICS[metric][0], number + 1, f"{value:.6g}", ""])
    return out.getvalue()
