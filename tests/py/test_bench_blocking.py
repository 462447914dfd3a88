"""bench/blocking: what it makes of figures and of failures, its parts by themselves; and a run that is as small as one can be."""

import json
import subprocess
import sys
import time

import pytest

from serving import ROOT

sys.path.insert(0, str(ROOT))

from bench.common.processes import cpu_of, kernel_memory_of  # noqa: E402
from bench.running.results import Cell  # noqa: E402
from bench.waiting import calls, measure, report, trips  # noqa: E402
from bench.waiting.contenders import CONTENDERS, WORKLOADS, Services  # noqa: E402

REQUESTS = 10


def cell(trouble="", **samples):
    return Cell({name: list(values) for name, values in samples.items()}, trouble)


def some_results():
    return {
        "bursts": {
            "mysqldb": {
                "ugreen": cell(seconds=[0.11, 0.12, 0.13], times=[1.1, 1.2, 1.3], cpu_us=[200, 100, 100]),
                "gthread": cell(seconds=[0.22, 0.12, 0.26], times=[2.2, 1.2, 2.6], cpu_us=[400, 200, 200]),
                "gevent": cell(seconds=[10], times=[100], cpu_us=[700]),
                "python": cell(cpu_us=[50]),
            },
            "redis": {"ugreen": cell("it died", seconds=[0.1]), "gthread": cell("no | redis"), "python": cell("no | redis")},
        },
        "memory": {"ugreen": cell(kib=[10], kernel_kib=[1], both_kib=[11], idle=[40], seconds=[1.1], times=[1.1]), "gthread": cell(kib=[25], kernel_kib=[19], both_kib=[44], idle=[20], seconds=[2], times=[2])},
        "calls": {"pipe": {"ugreen": cell(ns=[110, 120]), "off": cell(ns=[100, 100]), "two": cell(ns=[100, 100]), "python": cell(ns=[100, 100])}},
        "trips": {"queue_trip": {"ugreen": cell(ns=[5000]), "threads": cell(ns=[20000])}},
    }


def verdicts():
    return {verdict.name: verdict for verdict in report.verdicts(some_results())}


# :: Figures


def test_a_burst_is_compared_with_the_ideal_and_the_better_peer():
    found = verdicts()
    assert found["mysqldb: seconds by the ideal"].values == [1.1, 1.2, 1.3] and found["mysqldb: seconds by the ideal"].word == "not met"
    peer = found["mysqldb: seconds by the better peer's"]
    assert peer.values == [0.5, 1, 0.5] and peer.word == "met" and peer.note == "against gunicorn -k gthread"
    assert found["redis: seconds by the ideal"].word == "not measured" and "it died" in found["redis: seconds by the ideal"].note


def test_other_verdicts():
    found = verdicts()
    assert found["memory of a request that sleeps by gthread's"].values == [0.4] and found["the same, with what the kernel holds for it"].values == [0.25]
    assert found["write and read, a pipe, by plain python3"].values == [1.1, 1.2] and found["write and read, a pipe, by plain python3"].met
    assert found["an item to and fro over two queue.Queue, by OS threads"].values == [0.25]


def test_tables_show_who_failed_and_what_a_call_costs_alone():
    class Plan:
        requests, seconds, sleepers, sleep_seconds = 100, 0.1, 1000, 1

    text = "\n\n".join("\n\n".join(report.texts(part, found, Plan)) for part, found in some_results().items()) + "\n\n" + report.verdict_text(some_results())
    assert "| gunicorn -k gthread | 0.220 (0.120-0.260) | 2.20 (1.20-2.60) | 200 (200-400) | 2.00 (1.00-2.00)x | 2.00 (2.00-2.00)x |" in text
    assert "| gunicorn -k gevent | 10.000 | 100.00 | 700 | 90.91x | 3.50x |" in text
    assert "100 of them take 0.005 s of one CPU" in text
    assert "| UGreen.Py | failed: it died |" in text and "| gunicorn -k gthread | failed: no \\| redis |" in text
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) == 6 and all(len({line.replace("\\|", "").count("|") for line in part.splitlines()}) == 1 for part in tables)


def test_json_has_every_sample():
    found = json.loads(report.as_json("a machine", some_results()))
    rows = {(row["part"], row["what"], row["contender"], row["metric"]): row for row in found["figures"]}
    assert rows["bursts", "mysqldb", "ugreen", "seconds"]["values"] == [0.11, 0.12, 0.13]
    assert rows["memory", "memory", "gthread", "kib"]["values"] == [25]
    assert rows["bursts", "redis", "gthread", ""]["failed"] == "no | redis"
    assert {"what": "mysqldb: seconds by the ideal", "wanted": 1.15, "measured": 1.2, "met": False} in found["ratios"]


# :: Parts


def test_contenders_of_workloads_exist():
    assert all(set(workload.contenders) <= set(CONTENDERS) for workload in WORKLOADS.values())


def test_the_cpu_of_another_process_is_exact():
    with subprocess.Popen([sys.executable, "-c", "import sys, time\nwhile time.process_time() < 0.2: pass\nprint(time.process_time(), flush=True)\nsys.stdin.read()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        own = float(process.stdout.readline())
        assert own <= cpu_of(process.pid) < own + 0.1
    assert cpu_of(process.pid) == 0


def test_what_the_kernel_holds_for_a_process_grows_with_its_threads():
    code = "import sys, threading\nfor _ in range(int(sys.argv[1])): threading.Thread(target=threading.Event().wait, daemon=True).start()\nprint(flush=True)\nsys.stdin.read()"
    held = []
    for threads in ("0", "50"):
        with subprocess.Popen([sys.executable, "-c", code, threads], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            held.append(kernel_memory_of(process.pid))
    assert 50 * 16384 <= held[1] - held[0] < 50 * 65536


@pytest.mark.parametrize("name", calls.CALLS)
def test_calls_are_measured(name, tmp_path):
    assert 1 < calls.measure(name, 10, tmp_path / "file") < 1e7


@pytest.mark.parametrize("name", trips.TRIPS)
def test_round_trips_are_measured(name):
    assert 100 < trips.measure(name, 10, trips.start_os_thread) < 1e8


def test_a_program_that_fails_says_why():
    program = measure.Program("calls", "python")
    try:
        assert program.ask("lock 10") > 1
        with pytest.raises(measure.Trouble, match="KeyError: 'no-such-call'"):
            program.ask("no-such-call 10")
    finally:
        program.stop()


def test_a_service_that_is_not_there_fails_its_workload(monkeypatch):
    def missing(services):
        raise RuntimeError("there is no redis-server")

    monkeypatch.setattr(Services, "_redis", missing)
    with Services(REQUESTS) as services:
        cells = measure.bursts("redis", None, services)
    assert {cell.trouble for cell in cells.values()} == {"redis: there is no redis-server"}


def test_the_slow_server_holds_many_at_once():
    with Services(REQUESTS) as services:
        url = services.env("slow")["BENCH_URL"]
        began = time.monotonic()
        assert measure.burst(int(url.rpartition(":")[2]), 50, "/0.2", b"done\n") < 5
        assert time.monotonic() - began >= 0.2


# :: The run


def tiny_run(*parts):
    """The figures of a run of these parts: (what, contender, metric): one for each round."""
    command = [str(ROOT / "bench" / "blocking"), "--quick", "--json", "--rounds", "1", "-n", str(REQUESTS), "--sleepers", "50"]
    for part in parts:
        command += ["--only", part]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=170)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["figures"]
    assert not [row for row in rows if row["failed"] or not row["values"]]
    return {(row["what"], row["contender"], row["metric"]): row["values"] for row in rows}


@pytest.mark.parametrize("key", WORKLOADS)
def test_a_tiny_burst(key):
    found = tiny_run(key)
    one_by_one = REQUESTS * 0.1
    for name in WORKLOADS[key].contenders:
        (seconds,), (cpu,) = found[key, name, "seconds"], found[key, name, "cpu_us"]
        # Where C waits, gevent serves one after the other; half of what that takes is a lot for all others.
        blocks = name == "gevent" and key in ("psycopg2", "mysqldb")
        assert (one_by_one * 0.9 if blocks else 0.09) < seconds < (60 if blocks else one_by_one / 2), (name, seconds)
        assert 10 < cpu < 1e6, (name, cpu)
    assert 1 < found[key, "python", "cpu_us"][0] < 1e6


def test_a_tiny_run_of_the_rest():
    found = tiny_run("memory", "calls", "trips")
    assert {what for what, _, _ in found} == {"memory", *calls.CALLS, *trips.TRIPS}
    assert all(1 < found["memory", name, "kib"][0] < 2000 and 0 <= found["memory", name, "kernel_kib"][0] < 200 for name in ("ugreen", "gthread", "gevent"))
    assert all(10 < value < 1e7 for (_, _, metric), values in found.items() if metric == "ns" for value in values)
