"""gevent within requests, without its monkey patches: its loops wait in epoll, and that waits green; each core has one."""

import time

import pytest

from serving import Probe, Server, many

pytestmark = pytest.mark.green_waits

CLIENTS = 20


@pytest.fixture(scope="module")
def server():
    with Server("gevent_app", cores=2 * CLIENTS + 1) as s:
        # The first request of each core makes a loop.
        many(CLIENTS, lambda i: s.get("/sleep"))
        yield s


@pytest.mark.parametrize("path, text", [("sleep", "slept"), ("spawn", "[0, 1, 2, 3, 4]"), ("pool", "[0, 1, 2, 3, 4, 5]"), ("ask", "napped"), ("threadpool", "7")])
def test_requests_wait_side_by_side(server, path, text):
    with Probe(server.port, "/quick") as probe:
        began = time.monotonic()
        assert [answer.text for answer in many(CLIENTS, lambda i: server.get("/" + path))] == [text] * CLIENTS
        assert time.monotonic() - began < CLIENTS * 0.2 / 2
        probe.wait_for(2)
    probe.check(0.25)
