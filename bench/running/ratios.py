"""The ratios that this server is to reach, with what was wanted, what was measured, and whether it was met."""

import dataclasses
import statistics

from bench.common.figures import spread
from bench.running.results import ratios
from bench.running.servers import CONTENDERS


@dataclasses.dataclass
class Verdict:
    """``limit`` is what is wanted, at least or, with ``most``, at most; None: only told. ``values``: one for each round."""

    name: str
    limit: float
    most: bool
    values: list
    form: str = ".2f"
    note: str = ""

    @property
    def wanted(self):
        return "-" if self.limit is None else f"{'≤' if self.most else '≥'} {self.limit:g}"

    @property
    def met(self):
        """None: not measured, or nothing is wanted."""
        if self.limit is None or not self.values:
            return None
        middle = statistics.median(self.values)
        return middle <= self.limit if self.most else middle >= self.limit

    @property
    def word(self):
        if self.limit is None:
            return ""
        return "not measured" if not self.values else "met" if self.met else "not met"

    def cells(self):
        return [self.name, self.wanted, spread(self.values, self.form), self.word, self.note]


class Ratios:
    """The verdicts on results (workload -> contender -> Cell)."""

    def __init__(self, results):
        self._results = results

    def cell(self, workload, key):
        return self._results.get(workload, {}).get(key)

    def best(self, workload, keys, metric, least=False):
        """(cell, name) of the best of those that work; (None, why) when there is none."""
        found = [(cell.median(metric), key) for key in keys if (cell := self.cell(workload, key)) and cell.median(metric) is not None]
        if not found:
            return None, "; ".join(f"{key}: {cell.trouble}" for key in keys if (cell := self.cell(workload, key)) and cell.trouble)
        key = (min if least else max)(found)[1]
        return self.cell(workload, key), CONTENDERS[key].name

    def ours_by_best(self, name, limit, workload, keys, metric="rate", most=False, ours="ugreen"):
        """This server's value divided by that of the best of the others."""
        other, note = self.best(workload, keys, metric, least=most)
        return Verdict(name, limit, most, ratios(self.cell(workload, ours), metric, other), note=f"against {note}" if other else note)

    def switches(self):
        ours, peer = self.cell("switch", "ugreen"), self.cell("switch", "uwsgi")
        return [
            Verdict("suspend round trip, 30 cores: greenlet's plain loop takes … times as long", 3.5, False, ratios(self.cell("switch", "greenlet"), "ns_30", ours)),
            Verdict("the same: uWSGI --ugreen takes … times as long", 6, False, ratios(peer, "ns_yield", ours, "ns_30"), note="uWSGI yields, which is what it survives"),
            Verdict("the same, and this server yields, too", None, False, ratios(peer, "ns_yield", self.cell("switch", "ugreen-yield"))),
            Verdict("suspend at 10,000 cores by that at 30", 2.5, True, ratios(ours, "ns_10000", ours, "ns_30")),
            Verdict("suspend with 50 Python frames held by that with none", 1.15, True, ratios(ours, "ns_30_frames_50", ours, "ns_30")),
        ]

    def rates(self):
        wait = self.cell("wait", "ugreen")
        return [
            self.ours_by_best("hello, connections kept, by uWSGI --ugreen", 2.3, "hello", ["uwsgi", "uwsgi-router"]),
            self.ours_by_best("the same, by uWSGI without green threads", None, "hello", ["uwsgi-sync"]),
            self.ours_by_best("the same, by gunicorn and gevent", 4.5, "hello", ["gunicorn-gevent"]),
            self.ours_by_best("the same, by Kestrel alone", 0.85, "hello", ["kestrel"]),
            self.ours_by_best("hello, a connection per request, by uWSGI --http-socket (aim: 1)", 0.8, "connection", ["uwsgi", "uwsgi-sync"]),
            self.ours_by_best("10 ms wait, 512 connections, by gunicorn and gevent", 3, "wait", ["gunicorn-gevent"]),
            Verdict("the same, by what 512 waits of 10 ms allow", None, False, [value / 51200 for value in wait.values("rate")] if wait else []),
            self.ours_by_best("behind nginx (uwsgi protocol), by uWSGI --ugreen", 1.3, "nginx", ["nginx-uwsgi"], ours="nginx-ugreen"),
            self.ours_by_best("Flask page, by the better of gunicorn with gevent and uWSGI", 1.3, "flask", ["gunicorn-gevent", "uwsgi", "uwsgi-sync"]),
        ]

    def costs(self):
        peers = [key for key in self._results.get("hello", {}) if CONTENDERS[key].kind == "peer"]
        comet, start, other = self.cell("comet", "ugreen"), self.cell("start", "ugreen"), self.cell("start", "uwsgi")
        note = f"uWSGI --ugreen: {spread(other.values('seconds'), '.0f', 1000)} ms" if other and not other.trouble else ""
        return [
            self.ours_by_best("CPU per hello, connections kept, by uWSGI's least", 1.0, "hello", ["uwsgi", "uwsgi-router", "uwsgi-sync"], "cpu_us", most=True),
            self.ours_by_best("p99 of hello by the best peer's, at half of the best peer's peak", 1.0, "hello", peers, "same_p99", most=True),
            Verdict("hello beside 1,000 idle listeners by hello without", 0.9, False, ratios(comet, "beside_rate", comet, "alone_rate")),
            Verdict("start to the first answer, ms", 600, True, [value * 1000 for value in start.values("seconds")] if start else [], ".0f", note),
        ]

    def all(self):
        return self.switches() + self.rates() + self.costs()
