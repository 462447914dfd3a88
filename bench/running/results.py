"""What was measured: for each workload and contender a cell, in it for each metric one value per round."""

import dataclasses
import statistics

#: name: (unit, format, heading)
METRICS = {
    "rate": ("1/s", ",.0f", "requests/s at peak"),
    "cpu_us": ("us", ",.1f", "CPU µs per request"),
    "front_cpu_us": ("us", ",.1f", "CPU µs of nginx"),
    "load_cpus": ("CPUs", ".2f", "CPUs of the load"),
    "memory": ("MiB", ",.0f", "memory, MiB"),
    "half_rate": ("1/s", ",.0f", "at half its peak, requests/s"),
    "p50": ("ms", ".2f", "p50, ms"),
    "p99": ("ms", ".2f", "p99, ms"),
    "p999": ("ms", ".2f", "p99.9, ms"),
    "same_rate": ("1/s", ",.0f", "at the same rate, requests/s"),
    "same_p50": ("ms", ".2f", "p50, ms"),
    "same_p99": ("ms", ".2f", "p99, ms"),
    "same_p999": ("ms", ".2f", "p99.9, ms"),
    "ns_30": ("ns", ",.0f", "30 cores, ns"),
    "ns_10000": ("ns", ",.0f", "10,000 cores, ns"),
    "ns_30_frames_50": ("ns", ",.0f", "30 cores, 50 frames held, ns"),
    "ns_yield": ("ns", ",.0f", "yielded, 30 requests, ns"),
    "seconds": ("s", ".3f", "seconds"),
    "alone_rate": ("1/s", ",.0f", "requests/s without listeners"),
    "beside_rate": ("1/s", ",.0f", "with 1,000"),
    "alone_p99": ("ms", ".2f", "p99 at half without, ms"),
    "beside_p99": ("ms", ".2f", "with 1,000, at the same rate, ms"),
}


#: Those of METRICS that have a table of their own.
LATENCIES = ["half_rate", "p50", "p99", "p999", "same_rate", "same_p50", "same_p99", "same_p999"]


@dataclasses.dataclass
class Cell:
    """One contender in one workload. A value is None in a round that has none; ``trouble`` is why it failed, ``notes`` what else is to be said."""

    samples: dict = dataclasses.field(default_factory=dict)
    trouble: str = ""
    notes: list = dataclasses.field(default_factory=list)

    def add(self, round_number, **values):
        for name, value in values.items():
            column = self.samples.setdefault(name, [])
            column += [None] * (round_number + 1 - len(column))
            column[round_number] = value

    def note(self, text):
        self.notes.append(text)

    def values(self, metric):
        """Those of all rounds that have one; none of a contender that failed."""
        return [] if self.trouble else [value for value in self.samples.get(metric, []) if value is not None]

    def median(self, metric):
        values = self.values(metric)
        return statistics.median(values) if values else None


def ratios(above, metric, below, other=None):
    """Of each round in which both have a value. What disturbs the machine for longer than a round disturbs both, so the median of these says more than the ratio of two medians."""
    if above is None or below is None or above.trouble or below.trouble:
        return []
    pairs = zip(above.samples.get(metric, []), below.samples.get(other or metric, []))
    return [one / two for one, two in pairs if one is not None and two]
