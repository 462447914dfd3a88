"""A chart of requests per second as SVG: for each workload a group of bars, the longest of a group as long as the others' longest. Readable on light and on dark pages."""

from xml.sax.saxutils import escape

from bench.running.results import METRICS
from bench.running.servers import CONTENDERS
from bench.running.workloads import WORKLOADS

WIDTH, NAMES, BARS = 860, 230, 480
ROW, BAR, TITLE, GAP, TOP = 20, 13, 26, 12, 16

#: The shade of a bar by the kind of its contender.
CLASSES = {"ours": "ours", "limit": "limit"}

STYLE = """
  .page { fill: #ffffff; }
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .value, .failed { font-size: 12px; fill: #57606a; }
  .ours { fill: #1a7f37; }
  .peer { fill: #8c959f; }
  .limit { fill: none; stroke: #8c959f; stroke-dasharray: 3 2; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .value, .failed { fill: #9da7b3; }
    .ours { fill: #3fb950; }
    .peer { fill: #6e7681; }
    .limit { stroke: #6e7681; }
  }
"""


def chart(results, metric="rate"):
    """The text of the SVG file. Its layout depends on nothing but the results."""
    groups = [(WORKLOADS[name].title, cells) for name, cells in results.items() if any(cell.values(metric) for cell in cells.values())]
    parts, y = [], TOP
    for title, cells in groups:
        parts.append(f'<text class="title" x="{NAMES}" y="{y + 14}">{escape(title)}</text>')
        y += TITLE
        longest = max(cell.median(metric) or 0 for cell in cells.values())
        for key, cell in cells.items():
            # Settings that were only tried do not belong into a picture.
            if CONTENDERS[key].kind == "variant":
                continue
            parts += bar(CONTENDERS[key], cell, metric, longest, y)
            y += ROW
        y += GAP
    height = y + TITLE
    note = "Requests per second, medians; one worker each, one machine for servers and load. Each group has a scale of its own."
    parts.append(f'<text class="value" x="12" y="{y + 8}">{escape(note)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(note)}">'
    return "\n".join([head, f"<style>{STYLE}</style>", f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>', *parts, "</svg>", ""])


def bar(contender, cell, metric, longest, y):
    """A name, a bar and its value; a failed contender has the reason instead of a bar."""
    parts = [f'<text x="{NAMES - 10}" y="{y + 12}" text-anchor="end">{escape(contender.name)}</text>']
    value = cell.median(metric)
    if value is None:
        return [*parts, f'<text class="failed" x="{NAMES}" y="{y + 12}">{escape(("failed: " + cell.trouble)[:70] if cell.trouble else "-")}</text>']
    length = BARS * value / longest
    parts.append(f'<rect class="{CLASSES.get(contender.kind, "peer")}" x="{NAMES}" y="{y + 2}" width="{length:.1f}" height="{BAR}" rx="2"/>')
    parts.append(f'<text class="value" x="{NAMES + length + 8:.1f}" y="{y + 12}">{value:{METRICS[metric][1]}}</text>')
    return parts
