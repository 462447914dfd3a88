"""The rounds: every contender of a workload is started and looked at, then they are measured in turns."""

import collections
import contextlib
import dataclasses
import sys

from bench.common.processes import Trouble
from bench.running import special
from bench.running.load import Steady, TooSlow, hold, look, peak
from bench.running.results import Cell
from bench.running.servers import CONTENDERS, Running


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long and how often."""

    rounds: int
    peak_seconds: float
    steady_seconds: float
    warm_seconds: float

    def expected(self, workload, contenders):
        """About how many seconds a workload takes."""
        if workload.kind == "load":
            each = max(1, self.peak_seconds) + self.steady_seconds * (2 if workload.same_rate else 1) + 0.2
            return contenders * (0.5 + max(1, self.warm_seconds) + self.rounds * each)
        if workload.kind == "comet":
            return contenders * (3 + self.rounds * (2 * max(1, self.peak_seconds) + 2 * self.steady_seconds + 1))
        return contenders * (4 + self.rounds * {"switch": 2, "database": 0.3, "start": 1.2}[workload.kind])


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(workload, keys, plan, steady):
    """The cells of one workload, by contender."""
    say(f"{workload.title} …")
    if workload.kind == "load":
        cells = LoadRun(workload, keys, plan, steady).run()
    else:
        cells = special.RUNS[workload.kind](workload, keys, plan, steady)
    for key, cell in cells.items():
        if cell.trouble:
            say(f"  {key}: failed: {cell.trouble}")
    return cells


#: CPUs of the load program from which on it is what limits the peak: it has one thread.
LOAD_AT_LIMIT = 0.95


class LoadRun:
    """A workload of wrk and steady."""

    def __init__(self, workload, keys, plan, steady: Steady):
        self._workload, self._plan, self._steady = workload, plan, steady
        self._request = workload.request
        self._cells = {key: Cell() for key in keys}
        self._running = {}
        self._too_slow = collections.Counter()

    def run(self):
        with contextlib.ExitStack() as stack:
            for key in self._cells:
                with self._trouble(key):
                    self._start(key, stack)
            for number in range(self._plan.rounds):
                self._round(number)
        for (key, rate), rounds in self._too_slow.items():
            self._cells[key].note(f"did not keep up with {rate} in {rounds} of {self._plan.rounds} rounds")
        for cell in self._cells.values():
            if (cell.median("load_cpus") or 0) >= LOAD_AT_LIMIT:
                cell.note("wrk itself was at its limit; the server may be able to do more")
        return self._cells

    def _start(self, key, stack):
        """Started, looked at, and warm: code loaded, the JIT's last tier reached."""
        workload, contender = self._workload, CONTENDERS[key]
        server = stack.enter_context(Running(contender, workload.app(contender), workload.cores))
        self._running[key] = server
        server.wait()
        length = look(server.port, self._request, workload.keep_alive)
        # A page whose length nobody has written down is as long as the first contender's.
        self._request = dataclasses.replace(self._request, length=length)
        if workload.keep_alive and not self._request.body:
            hold(server.port, self._request, workload.connections)
        self._peak(server, self._plan.warm_seconds)

    def _round(self, number):
        # Each begins once, so that nobody always comes after the same neighbour.
        alive = list(self._running)
        alive = alive[number % len(alive):] + alive[:number % len(alive)] if alive else []
        for key in alive:
            with self._trouble(key):
                self._cells[key].add(number, **self._peak_sample(self._running[key]))
        for key in [key for key in alive if key in self._running]:
            with self._trouble(key):
                self._latency(key, number, self._cells[key].samples["rate"][number] / 2, "")
        if self._workload.same_rate:
            rate = self._same_rate(number)
            for key in [key for key in alive if key in self._running and rate]:
                with self._trouble(key):
                    self._latency(key, number, rate, "same_")

    def _same_rate(self, number):
        """Half of what the best peer did in this round; of what there is when no peer is measured."""
        rates = {CONTENDERS[key].kind: [] for key in self._running}
        for key in self._running:
            rates[CONTENDERS[key].kind].append(self._cells[key].samples["rate"][number])
        return max(rates.get("peer") or rates.get("ours") or [0]) / 2

    def _peak(self, server, seconds):
        return peak(server.port, self._request, seconds, self._workload.connections, self._workload.keep_alive, server.contender.closes)

    def _peak_sample(self, server):
        cpu, front = server.cpu(), server.front_cpu()
        got = self._peak(server, self._plan.peak_seconds)
        sample = {"rate": got.rate, "cpu_us": (server.cpu() - cpu) / got.requests * 1e6, "load_cpus": got.load_cpus, "memory": server.memory()}
        if server.contender.behind:
            sample["front_cpu_us"] = (server.front_cpu() - front) / got.requests * 1e6
        return sample

    def _latency(self, key, number, rate, prefix):
        server, cell = self._running[key], self._cells[key]
        try:
            got = self._steady.run(server.port, self._request, rate, self._plan.steady_seconds, self._workload.connections, self._workload.keep_alive, server.contender.closes)
        except TooSlow:
            # What else it did counts.
            self._too_slow[key, "the same rate" if prefix else "half of its own peak"] += 1
            return
        cell.add(number, **{prefix + name: getattr(got, name) for name in ("p50", "p99", "p999")}, **{prefix + "rate" if prefix else "half_rate": rate})

    @contextlib.contextmanager
    def _trouble(self, key):
        """A contender that fails says why, and takes no part any more."""
        try:
            yield
        except Trouble as trouble:
            server = self._running.pop(key, None)
            self._cells[key].trouble = str(trouble) + (server.why() if server else "")
            if server:
                server.stop()
