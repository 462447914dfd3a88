"""The commands that other benches stand on: ``bench/limit`` and what ``bench/start`` measures with. Figures are looked at for being there, not for their size."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys

import pytest
from serving import PATIENCE, ROOT, until

sys.path.insert(0, str(ROOT))

from bench.common import processes  # noqa: E402
from bench.starting import measure  # noqa: E402

LIMIT = str(ROOT / "bench" / "limit")
BUILD_SECONDS = 120  # on a busy machine, and only where a source has changed


def test_switches_in_c_have_figures():
    done = subprocess.run([LIMIT, "switch", "--json", "--rounds", "1", "--trips", "20000"], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    figures = {(row["kind"], row["contexts"], row["lines"]): row["nanoseconds"] for row in json.loads(done.stdout)}
    assert set(figures) == {(kind, contexts, lines) for kind in ("registers", "swapcontext") for contexts in (1, 30, 1000, 10000) for lines in (0, 8)}
    # Anything from the fastest CPU to one that is shared by many.
    assert all(len(each) == 1 and 1 < each[0] < 1e6 for each in figures.values()), figures


@pytest.mark.parametrize("server", ["nginx", "kestrel"])
def test_a_limit_serves_until_sigterm_and_leaves_nothing(server, tmp_path):
    port = processes.free_port()
    with subprocess.Popen([LIMIT, server, "--port", str(port)], env={**os.environ, "TMPDIR": str(tmp_path)}) as process:
        try:
            until(lambda: process.poll() is not None or hello(port), f"{server} answers", BUILD_SECONDS)
            assert process.poll() is None
            assert hello(port) == (200, "text/plain", b"Hello, world!")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
    assert list(tmp_path.glob("ugreen-bench-*")) == []


def hello(port):
    """Status, type and body of two GETs over one connection; None while nobody listens."""
    with contextlib.suppress(ConnectionRefusedError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        answers = []
        for _ in range(2):
            connection.request("GET", "/")
            response = connection.getresponse()
            answers.append((response.status, response.headers["Content-Type"], response.read()))
        assert answers[0] == answers[1]
        return answers[0]
    return None


def test_the_first_200_of_a_start_is_timed():
    command = [ROOT / "ugreen-py", "-w", "bench.limits.hello", "--http", "127.0.0.1:{port}", "--async", "2", "--ugreen"]
    seen = measure.start(command, processes.free_port(), {**os.environ, "BENCH_SAY_IMPORT": "1"})
    assert 0 < seen.accepted <= seen.seconds < PATIENCE
    imported = [at for at, line in seen.lines if line == "bench: imported"]
    assert len(imported) == 1 and imported[0] <= seen.seconds
    assert 0 < measure.first_200(command, processes.free_port()) < PATIENCE


def test_a_server_that_ends_is_no_start():
    with pytest.raises(measure.NotStarted, match="such is life"):
        measure.first_200(["sh", "-c", "echo such is life"], processes.free_port())
