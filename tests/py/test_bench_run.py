"""bench/run: what it makes of the output of load programs, of failures and of figures; and a run that is as small as one can be."""

import contextlib
import csv
import importlib.machinery
import importlib.util
import json
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

import pytest

from serving import ROOT

sys.path.insert(0, str(ROOT))

from bench.common.figures import spread  # noqa: E402
from bench.common.processes import Child, Trouble, free_port  # noqa: E402
from bench.running import chart, report  # noqa: E402
from bench.running.load import REPEATS, Request, Steady, hold, look, read_steady, read_wrk  # noqa: E402
from bench.running.ratios import Ratios, Verdict  # noqa: E402
from bench.running.results import Cell, ratios  # noqa: E402
from bench.running.servers import CONTENDERS  # noqa: E402
from bench.running.workloads import WORKLOADS  # noqa: E402

WRK = """Running 2s test @ http://127.0.0.1:1/
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.50ms    0.90ms  20.00ms   90.00%
  {requests} requests in {time}, 5.00MB read
{errors}Requests/sec:  {rate}
Transfer/sec:      2.50MB
"""

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ndone\n"


def wrk(requests=1000, time="2.00s", rate="500.00", errors=""):
    return WRK.format(requests=requests, time=time, rate=rate, errors=errors)


def cell(trouble="", **samples):
    return Cell({name: list(values) for name, values in samples.items()}, trouble)


# :: Load programs


def test_wrk_is_read():
    assert read_wrk(wrk(), closes=False) == (1000, 2.0, 500.0)
    assert read_wrk(wrk(time="800.00ms", rate="1250.00"), closes=False) == (1000, 0.8, 1250.0)
    assert read_wrk(wrk(time="1.50m"), closes=False)[1] == 90


@pytest.mark.parametrize("text, why", [
    (wrk(errors="  Non-2xx or 3xx responses: 7\n"), "7 of 1000 answers were not 2xx"),
    (wrk(errors="  Socket errors: connect 0, read 0, write 0, timeout 3\n"), "socket errors: 3 timeout"),
    (wrk(errors="  Socket errors: connect 2, read 5, write 0, timeout 0\n"), "socket errors: 2 connect, 5 read"),
    (wrk(requests=0, rate="0.00"), "no request was answered"),
    ("unable to connect to 127.0.0.1:1 Connection refused\n", "unable to connect"),
    ("", "no output"),
])
def test_what_wrk_complains_of_fails(text, why):
    with pytest.raises(Trouble, match=why):
        read_wrk(text, closes=False)


def test_a_close_after_each_answer_is_no_error_of_a_server_that_does_so():
    closed = wrk(errors="  Socket errors: connect 0, read 1000, write 0, timeout 0\n")
    assert read_wrk(closed, closes=True)[0] == 1000
    with pytest.raises(Trouble, match="1000 read"):
        read_wrk(closed, closes=False)
    with pytest.raises(Trouble, match="50 read"):
        read_wrk(wrk(errors="  Socket errors: connect 0, read 1050, write 0, timeout 0\n"), closes=True)


def test_steady_is_read():
    text = '{"planned": 100, "done": %d, "failed": %d, "wrong": %d, "seconds": %.1f, "p50": 1500.0, "p99": 2500.0, "p999": 9000.0, "max": 9000.0}'
    got = read_steady(text % (100, 0, 0, 1.0), 100, 1)
    assert (got.p50, got.p99, got.p999) == (1.5, 2.5, 9.0)
    with pytest.raises(Trouble, match="1 failed and 2 had a wrong answer"):
        read_steady(text % (97, 1, 2, 1.0), 100, 1)
    with pytest.raises(Trouble, match="cannot keep up with 100 requests per second: 60 of 100"):
        read_steady(text % (60, 0, 0, 3.0), 100, 1)
    with pytest.raises(Trouble, match="100 of 100 answered 1.3 s after the start of 1 s"):
        read_steady(text % (100, 0, 0, 1.3), 100, 1)


@contextlib.contextmanager
def server(serve):
    """A thread that accepts connections and calls ``serve`` with each; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        def accept():
            with contextlib.suppress(OSError):
                while True:
                    serve(listening.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def answers(delay, answer=ANSWER):
    def talk(client):
        with client, contextlib.suppress(OSError):
            while client.recv(65536):
                time.sleep(delay)
                client.sendall(answer)

    return lambda client: threading.Thread(target=talk, args=(client,), daemon=True).start()


@pytest.fixture(scope="module")
def steady():
    with contextlib.closing(Steady()) as program:
        yield program


def test_steady_measures_a_known_delay(steady):
    with server(answers(0.02)) as port:
        got = steady.run(port, Request("/", 5), 100, 1, 50)
    # The upper bound is for a machine on which other tests run.
    assert 20 <= got.p50 < 60 and got.p50 <= got.p99 <= got.p999


def test_steady_counts_the_wait_for_a_connection(steady):
    """One connection and 20 ms for each answer are 50 requests per second. At 60, those that are due wait, and that is their latency; a tool that sends the next request after the
    last answer would say 20 ms. That is nothing that a server can keep up with."""
    with server(answers(0.02)) as port:
        with pytest.raises(Trouble, match="cannot keep up"):
            steady.run(port, Request("/", 5), 100, 0.5, 1)
        # At 40 they come by chance in bunches.
        assert steady.run(port, Request("/", 5), 40, 1, 1).p99 > 40


@pytest.mark.parametrize(("lost", "counts", "samples"), [([0.01], 1, 1), ([0.05, 0.02], 2, 2), ([0.05, 0.08], 1, 2)])
def test_a_sample_during_which_the_machine_stood_still_is_taken_again(monkeypatch, lost, counts, samples):
    taken = []

    def sample(command, sent, seconds):
        taken.append(command)
        return json.dumps({"planned": 1, "done": 1, "failed": 0, "wrong": 0, "seconds": 1, "p50": 1000 * len(taken), "p99": 1, "p999": 1}), lost[len(taken) - 1]

    with contextlib.closing(Steady()) as program:
        monkeypatch.setattr(program, "_sample", sample)
        assert program.run(1, Request("/", 5), 1, 1, 1).p50 == counts
        assert (len(taken), program.repeated) == (samples, samples - 1)
        program.repeated = REPEATS
        lost[:] = [1] * 9
        assert program.run(1, Request("/", 5), 1, 1, 1).p50 == samples + 1


def test_steady_takes_no_wrong_answer(steady):
    for wrong in (ANSWER.replace(b"200 OK", b"503 No"), ANSWER.replace(b"5\r\n\r\ndone\n", b"4\r\n\r\ndone")):
        with server(answers(0, wrong)) as port, pytest.raises(Trouble, match="wrong answer"):
            steady.run(port, Request("/", 5), 50, 0.2, 5)


def test_steady_reconnects_to_a_server_that_closes(steady):
    def serve(client):
        with client:
            client.recv(65536)
            client.sendall(ANSWER)

    with server(serve) as port:
        assert steady.run(port, Request("/", 5), 200, 0.5, 5, closes=True).p50 > 0


def test_an_answer_is_looked_at():
    with server(answers(0)) as port:
        assert look(port, Request("/", 5, check=lambda body: body == b"done\n")) == 5
        with pytest.raises(Trouble, match="a body of 5 bytes instead of 6"):
            look(port, Request("/", 6))
        with pytest.raises(Trouble, match="wrong body"):
            look(port, Request("/", 5, check=lambda body: False))
    with pytest.raises(Trouble, match="no answer: ConnectionRefusedError"):
        look(free_port(), Request("/", 5))


def test_a_server_of_one_connection_at_a_time_is_found():
    def serve(client):
        with client:
            while client.recv(65536):
                client.sendall(ANSWER)

    with server(answers(0)) as port:
        hold(port, Request("/", 5), 10)
    with server(serve) as port, pytest.raises(Trouble, match="connection 2 of 10 has no answer after 0.3 s"):
        hold(port, Request("/", 5), 10, seconds=0.3)


def test_a_server_that_does_not_start_says_why():
    child = Child("sh", ["sh", "-c", "echo no such option >&2; exit 3"], [free_port()])
    try:
        with pytest.raises(Trouble, match="it did not start: exit code 3: no such option"):
            child.wait(10)
    finally:
        child.stop()
    with pytest.raises(Trouble, match="not there: no-such-program"):
        Child("x", ["no-such-program"], [])


# :: Figures


def test_medians_and_ratios():
    assert spread([3.0, 1.0, 2.0], ".1f") == "2.0 (1.0-3.0)"
    assert spread([1234.5], ",.0f") == "1,234" and spread([], ".0f") == "-"
    ours, other = cell(rate=[10, None, 30]), cell(rate=[5, 5, 10])
    assert ratios(ours, "rate", other) == [2, 3]
    assert ratios(ours, "rate", cell("it died", rate=[5, 5, 5])) == [] and ratios(None, "rate", ours) == []
    assert cell("it died", rate=[5]).median("rate") is None


def test_samples_of_a_round_stay_in_their_round():
    sample = Cell()
    sample.add(2, rate=7)
    sample.add(0, rate=5)
    assert sample.samples == {"rate": [5, None, 7]} and sample.values("rate") == [5, 7]


def test_verdicts():
    assert Verdict("a", 2, False, [1.9, 2.1, 2.2]).word == "met" and Verdict("a", 2, False, [1.9]).word == "not met"
    assert Verdict("a", 2, True, [1.9]).word == "met" and Verdict("a", 2, True, [2.1]).word == "not met"
    assert Verdict("a", 2, True, []).word == "not measured" and Verdict("a", 2, True, []).met is None
    assert Verdict("a", None, False, [1]).cells() == ["a", "-", "1.00", "", ""]


def some_results():
    return {
        "hello": {
            "ugreen": cell(rate=[300, 310], cpu_us=[30, 30], same_p99=[2, 2]),
            "uwsgi": cell(rate=[100, 100], cpu_us=[40, 40], same_p99=[1, 1]),
            "uwsgi-router": cell(rate=[150, 155], cpu_us=[100, 100], same_p99=[4, 4]),
            "gunicorn-gevent": cell("its worker <died>", rate=[50]),
        },
        "switch": {"ugreen": cell(ns_30=[100, 100], ns_10000=[300, 300]), "greenlet": cell(ns_30=[400, 360])},
        "start": {"ugreen": cell(seconds=[0.5, 0.4]), "uwsgi": cell(seconds=[0.04, 0.06])},
    }


def test_ratios_take_the_best_that_works():
    found = {verdict.name: verdict for verdict in Ratios(some_results()).all()}
    hello = found["hello, connections kept, by uWSGI --ugreen"]
    assert hello.values == [2, 2] and hello.word == "not met" and hello.note == "against uWSGI --ugreen, --http"
    gunicorn = found["the same, by gunicorn and gevent"]
    assert gunicorn.word == "not measured" and "its worker <died>" in gunicorn.note
    assert found["CPU per hello, connections kept, by uWSGI's least"].values == [0.75, 0.75]
    assert found["p99 of hello by the best peer's, at half of the best peer's peak"].word == "not met"
    assert found["suspend round trip, 30 cores: greenlet's plain loop takes … times as long"].values == [4, 3.6]
    assert found["suspend at 10,000 cores by that at 30"].word == "not met"
    start = found["start to the first answer, ms"]
    assert start.word == "met" and start.note == "uWSGI --ugreen: 50 (40-60) ms"
    assert found["Flask page, by the better of gunicorn with gevent and uWSGI"].word == "not measured"


def test_report_shows_who_failed():
    text = report.markdown("- a machine", some_results())
    assert "| gunicorn -k gevent | failed: its worker <died> |" in text
    assert "| uWSGI --ugreen | 100 (100-100) |" in text and "| 3.05 (3.00-3.10)x |" in text
    assert "| start to the first answer, ms | ≤ 600 | 450 (400-500) | met |" in text
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) == 5 and all(len({line.count("|") for line in part.splitlines()}) == 1 for part in tables)
    everybody_failed = report.workload_table(WORKLOADS["hello"], {"ugreen": cell("x"), "uwsgi": cell("y")})
    assert "- UGreen.Py: failed: x\n- uWSGI --ugreen: failed: y" in everybody_failed


def test_csv_has_every_sample():
    rows = list(csv.DictReader(report.csv_text(some_results()).splitlines()))
    assert [row["value"] for row in rows if (row["workload"], row["contender"], row["metric"]) == ("hello", "ugreen", "rate")] == ["300", "310"]
    failed = [row for row in rows if row["failed"]]
    assert [(row["contender"], row["value"], row["failed"]) for row in failed] == [("gunicorn-gevent", "", "its worker <died>")]


def test_chart_is_well_formed():
    text = chart.chart(some_results())
    assert text == chart.chart(some_results())
    root = xml.etree.ElementTree.fromstring(text)
    spaces = {"svg": "http://www.w3.org/2000/svg"}
    widths = [float(bar.get("width")) for bar in root.findall("svg:rect", spaces)][1:]
    assert widths[0] == chart.BARS and widths[1] == pytest.approx(chart.BARS * 100 / 305, abs=0.1) and len(widths) == 3
    assert "failed: its worker <died>" in [label.text for label in root.findall("svg:text", spaces)]
    assert xml.etree.ElementTree.fromstring(chart.chart({})).tag.endswith("svg")


# :: The run


def script():
    loader = importlib.machinery.SourceFileLoader("bench_run", str(ROOT / "bench" / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def test_workloads_name_contenders_that_there_are():
    for workload in WORKLOADS.values():
        assert set(workload.contenders) <= set(CONTENDERS) and set(workload.quick) <= set(CONTENDERS)


def test_a_full_run_is_planned_to_take_less_than_25_minutes():
    run = script()
    assert sum(run.FULL.expected(workload, len(workload.contenders)) for workload in WORKLOADS.values()) < 25 * 60


def test_a_tiny_run(tmp_path):
    command = [str(ROOT / "bench" / "run"), "--only", "hello", "--server", "ugreen", "--seconds", "0.3", "--rounds", "1", "--out", str(tmp_path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "## Ratios" in done.stdout and "failed:" not in done.stdout, done.stdout
    with open(tmp_path / "results.csv", encoding="utf-8", newline="") as file:
        found = {row["metric"]: float(row["value"]) for row in csv.DictReader(file) if row["workload"] == "hello" and row["contender"] == "ugreen"}
    assert found["rate"] > 100 and found["cpu_us"] > 0 and found["memory"] > 5
    assert 0 < found["p50"] <= found["p99"] <= found["p999"]
    assert (tmp_path / "results.md").read_text(encoding="utf-8").startswith("# bench/run")
    xml.etree.ElementTree.parse(tmp_path / "chart.svg")
