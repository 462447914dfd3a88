"""Workers that are killed, and workers that are replaced, under steady load: the clients count what they see. ``-s`` shows the counts.

The suite takes a short time; UGREEN_CHAOS_SECONDS=60 kills for a whole minute.
"""

import functools
import os
import random
import signal
import statistics
import threading
import time

import pytest

from load import Http1, Http2, Load
from masters import Master, is_alive
from nginx import Nginx
from serving import PATIENCE, free_port, until

pytestmark = pytest.mark.waiting

SECONDS = float(os.environ.get("UGREEN_CHAOS_SECONDS", "12"))
RELOADS = 3
CLIENTS = 8

NGINX = """
upstream app {{ server unix:{socket}; }}
server {{
    listen 127.0.0.1:{port};
    keepalive_requests 1000000;
    location / {{
        include uwsgi_params;
        uwsgi_pass app;
        # Each failure shall be seen, none be mended by nginx.
        uwsgi_next_upstream off;
    }}
}}
"""


def report(text):
    print(f"\n  {text}", flush=True)


class Kill:
    """One ``kill -9``: ``begun`` before it, ``gone`` when the process was seen to be gone."""

    def __init__(self, server, worker, pid):
        self.worker, self.pid = worker, pid
        self.begun = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_alive(pid), f"worker {pid} is gone")
        self.gone = time.monotonic()
        self.ready = None
        self._watch = threading.Thread(target=self._wait, args=(server,), daemon=True)
        self._watch.start()

    def _wait(self, server):
        server.wait_served(self.worker, self.pid)
        self.ready = time.monotonic() - self.begun

    def respawned(self):
        self._watch.join(PATIENCE + 5)
        assert self.ready is not None, f"worker {self.worker} (pid {self.pid}) was killed and did not come back"
        return self.ready


def is_excused(failure, kills):
    """Its connection was open to a worker that was killed meanwhile; or nobody knows to which one, and one was killed while it was open. A connection that is refused never is."""
    if failure.stage in ("connect", "status"):
        return False
    return any(failure.worker in (None, kill.pid) and failure.opened <= kill.gone and failure.at >= kill.begun for kill in kills)


def test_workers_are_killed_every_second():
    kills, chance = [], random.Random(5)
    with Master("chaos_app", 3) as server:
        address = ("127.0.0.1", server.port)
        with Load([functools.partial(Http1, address, keep=i % 4 < 2) for i in range(CLIENTS)]) as load:
            until(lambda: load.done > 100, "the clients are at work")
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                due = time.monotonic() + 1
                worker, pid = chance.choice(sorted(until(server.workers, "a worker serves").items()))
                kills.append(Kill(server, worker, pid))
                threading.Event().wait(max(0, due - time.monotonic()))
            times = [kill.respawned() for kill in kills]
            before = load.done
            until(lambda: load.done > before + 100, "the clients still are at work")
        excused = [failure for failure in load.failures if is_excused(failure, kills)]
        others = [failure for failure in load.failures if failure not in excused]
        report(f"{len(kills)} kills in {SECONDS:.0f} s: {load.summary()}; of these {len(excused)} were in a killed worker, {len(others)} were not")
        report(f"from kill to the replacement serving: median {statistics.median(times):.2f} s ({min(times):.2f}-{max(times):.2f})")
        assert not others, others
        assert len(excused) <= len(kills) * CLIENTS
        assert len(kills) >= SECONDS / 3, "too few kills to say anything"
        assert len([line for line in server.log.splitlines() if "killed by SIGKILL" in line and "died" in line]) == len(kills), server.log[-8000:]
        server.wait_workers(3)


def reload_under(server, load):
    """Reloads several times while the clients ask; every worker is another one afterwards."""
    times = []
    until(lambda: load.done > 50, "the clients are at work")
    for _ in range(RELOADS):
        start, begun, old = len(server.log), time.monotonic(), set(server.workers().values())
        server.send_signal(signal.SIGHUP)
        server.wait_log(r"reload: done", start=start)
        times.append(time.monotonic() - begun)
        assert not old & set(server.workers().values()), server.log[-8000:]
        # The last one that was replaced still drains; its clients go elsewhere, and it ends.
        until(lambda: not any(map(is_alive, old)), f"the old workers {old} have ended")
        before = load.done
        until(lambda: load.done > before + 50, "the clients still are at work")
    return times


def judge(name, server, load, times):
    report(f"{name}: {RELOADS} reloads of {len(server.workers())} workers, {statistics.median(times):.1f} s each: {load.summary()}")
    assert load.failures == [], load.failures
    assert "did not end in time" not in server.log and "died" not in server.log, server.log[-8000:]


KINDS = {
    "keep-alive": lambda address: functools.partial(Http1, address, keep=True),
    "connection per request": lambda address: functools.partial(Http1, address, keep=False),
    "HTTP/2": lambda address: functools.partial(Http2, address),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_request_is_lost_by_reloads(kind):
    with Master("chaos_app", 2) as server:
        with Load([KINDS[kind](("127.0.0.1", server.port))] * CLIENTS) as load:
            times = reload_under(server, load)
        judge(kind, server, load, times)


@pytest.mark.parametrize("keep", [True, False], ids=["keep-alive", "connection per request"])
def test_no_request_is_lost_by_reloads_behind_nginx(keep, tmp_path):
    path, port = tmp_path / "app.sock", free_port()
    with Master("chaos_app", 2, options=["--socket", path], http=None, ready=False) as server:
        server.wait_log("listening on uwsgi://")
        server.wait_workers(2)
        with Nginx(NGINX.format(socket=path, port=port), [port]) as nginx:
            with Load([functools.partial(Http1, ("127.0.0.1", port), keep=keep)] * CLIENTS) as load:
                times = reload_under(server, load)
            judge(f"nginx, {'keep-alive' if keep else 'connection per request'}", server, load, times)
            assert "[error]" not in nginx.log, nginx.log
