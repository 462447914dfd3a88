"""Requests that take too long: ``--harakiri``, ``uwsgi.set_user_harakiri()`` and ``uwsgidecorators.harakiri``."""

import re
import time

import pytest
from serving import PATIENCE, Server, background, get_bytes, many, read_until

pytestmark = pytest.mark.waiting

#: Seconds; so that what is not ended is told from what is, PATIENCE is much longer.
LIMIT = 0.5
#: Hangs are bounded in the application, too, so that a failure is a failure and not a hang.
GIVE_UP = 20


@pytest.fixture(scope="module")
def server():
    with Server("harakiri_app", cores=20, options=["--harakiri", LIMIT, "--harakiri-graceful-timeout", 1]) as s:
        yield s


@pytest.fixture(scope="module")
def unlimited():
    with Server("harakiri_app", cores=20) as s:
        yield s


def ended(server, path, start):
    """The log line of a request that was ended, with its traceback."""
    found = server.wait_log(rf"harakiri: GET {re.escape(path)} on core \d+ took too long and was ended after ([0-9.]+) s\n(?s:(.*?))^\s+ugreen\.\S*Harakiri: the request took longer", start=start)
    assert float(found[1]) >= LIMIT * 0.9
    return found[2]


@pytest.mark.parametrize("way", ["sleep", "suspend", "fd", "event", "busy", "busy_except", "busy_calls", "thread_lock"])
def test_is_ended_where_it_is(server, way):
    start, path = len(server.log), f"/{way}?give_up={GIVE_UP}"
    answer = server.get(path)
    assert (answer.status, answer.reason) == (504, "Gateway Timeout")
    assert f"in {way}\n" in ended(server, path, start)
    server.wait_log(rf"finally of {way}\n", start=start)
    assert server.get("/quick").text == "quick"


def test_body_read(server):
    with server.connect() as s:
        s.sendall(b"POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc")
        assert read_until(s, b"\r\n").startswith(b"HTTP/1.1 504 ")


def test_neighbours_finish_meanwhile(server):
    with background(server.get, f"/sleep?give_up={GIVE_UP}") as slow:
        assert many(10, lambda i: server.get(f"/quick?{i}").text) == ["quick"] * 10
        assert slow.result(PATIENCE).status == 504


@pytest.mark.parametrize("way", ["sleep", "busy"])
def test_caught_and_answered(server, way):
    start = len(server.log)
    answer = server.get(f"/caught?way={way}&give_up={GIVE_UP}")
    assert (answer.status, answer.text) == (200, "caught Harakiri True")
    server.wait_log(r"harakiri: GET /caught\S* on core \d+ took too long; the application went on", start=start)


@pytest.mark.parametrize("way", ["sleep", "busy"])
def test_after_the_head_was_sent_the_response_breaks_off(server, way):
    with server.connect() as s:
        s.sendall(get_bytes(f"/streamed?way={way}&give_up={GIVE_UP}"))
        data = read_until(s, b"part")
        assert data.startswith(b"HTTP/1.1 200 ")
        try:
            rest = b"".join(iter(lambda: s.recv(65536), b""))
        except ConnectionResetError:
            rest = b""
        assert not (data + rest).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("way", ["sleep", "busy"])
def test_swallowed_for_ever(server, way):
    start = len(server.log)
    # It ends by itself in the end, so that the server can stop.
    with background(server.get, f"/swallowed?way={way}&seconds=4") as request:
        server.wait_log(r"harakiri: GET /swallowed\S* on core \d+ is stuck: .*--master", start=start)
        assert request.result(PATIENCE).status == 200
    assert len(re.findall("is stuck", server.log[start:])) == 1


def test_call_outside_python(server):
    start = len(server.log)
    answer = server.get("/blocked?seconds=3")
    assert answer.status == 504
    server.wait_log(r"harakiri: GET /blocked\S* on core \d+, which began .* holds up all requests", start=start)


def test_time_in_the_queue_does_not_count():
    with Server("harakiri_app", cores=1, options=["-t", 1]) as server:
        answers = many(6, lambda i: server.get("/pause?seconds=0.4").status)
        assert answers == [200] * 6


@pytest.mark.parametrize("way", ["sleep", "busy"])
def test_user_harakiri(unlimited, way):
    start = len(unlimited.log)
    assert unlimited.get(f"/user?way={way}&limit=0.3&give_up={GIVE_UP}").status == 504
    unlimited.wait_log(r"harakiri: GET /user", start=start)


def test_user_harakiri_taken_back_and_reset(unlimited):
    # The next request on the same core has no limit.
    assert unlimited.get("/user_back?limit=0.2&seconds=0.6").text == "done"
    assert unlimited.get("/user_left?limit=0.2").text == "done"
    assert unlimited.get("/pause?seconds=0.6").text == "paused"


def test_user_harakiri_outside_a_request(unlimited):
    assert unlimited.get("/user_outside").text == "SystemError SystemError"


def test_decorator(unlimited):
    assert unlimited.get(f"/decorated?limit=0.3&give_up={GIVE_UP}").status == 504
    assert unlimited.get("/decorated_quick").text == "value decorated True"


def test_user_limit_caught_then_the_servers(server):
    start, path = len(server.log), f"/both?give_up={GIVE_UP}"
    assert server.get(path).status == 504
    ended(server, path, start)
    server.wait_log("caught the first", start=start)


def test_storm(server):
    """Many short requests among overdue ones that compute, wait or do both: each response is its own."""
    rounds, clients = 12, 16

    def client(i):
        for n in range(rounds):
            if n == 5 and i % 2 == 0:
                way = ("sleep", "busy_yielding", "mixed")[i // 2 % 3]
                assert server.get(f"/{way}?give_up={GIVE_UP}", timeout=60).status == 504
                continue
            answer = server.get(f"/echo?client={i}&n={n}", timeout=60)
            # The busy neighbours let the others run, but each takes its share.
            assert (answer.status, answer.text) == (200, f"client={i}&n={n}"), answer
        return i

    start, before = len(server.log), time.monotonic()
    assert many(clients, client) == list(range(clients))
    assert time.monotonic() - before < 120
    server.wait_log(r"(?s:(was ended after.*?){%d})" % (clients // 2), start=start)
    assert "driver failed" not in server.log[start:]
    assert "/echo" not in "".join(line for line in server.log[start:].splitlines(True) if "harakiri:" in line)
    assert len(re.findall("was ended after", server.log[start:])) == clients // 2
