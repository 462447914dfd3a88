"""Slow, oversized and half-finished requests: time-outs, limits, and what the client, the application and the log are told."""

import json
import re
import socket
import tempfile
import time

import pytest
from apps_http.wire import APPS_HTTP, Wire
from serving import Server, get_bytes, read_all, until

pytestmark = pytest.mark.waiting

TRACES = ("Traceback", "   at ", "nhandled")


def start(*options, app="corpus_app", cores=10, **more):
    return Server(app, cores=cores, options=["--pp", APPS_HTTP, *options], **more)


def head(path, length=None, extra=""):
    body = "Transfer-Encoding: chunked\r\n" if length is None else f"Content-Length: {length}\r\n"
    return f"POST {path} HTTP/1.1\r\nHost: t\r\n{body}{extra}\r\n".encode()


def packet(path="/a", length=0, **variables):
    """A packet of the uwsgi protocol."""
    variables = {"REQUEST_METHOD": "POST", "REQUEST_URI": path, "PATH_INFO": path, "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "t", "SERVER_PORT": "80",
                 "CONTENT_LENGTH": str(length), **variables}
    block = b"".join(len(part).to_bytes(2, "little") + part for pair in variables.items() for part in (p.encode() for p in pair))
    return b"\0" + len(block).to_bytes(2, "little") + b"\0" + block


class Uwsgi:
    """A server with a uwsgi socket beside HTTP."""

    def __init__(self, *options, **more):
        self._folder = tempfile.TemporaryDirectory(prefix="limits-")
        self.path = self._folder.name + "/app.sock"
        self.server = start("--socket", self.path, "--socket", "127.0.0.1:0", *options, **more)

    def __enter__(self):
        self.server.start()
        self.server.wait_log(r"listening on uwsgi://127.0.0.1:(\d+)")
        self.port = int(re.search(r"uwsgi://127\.0\.0\.1:(\d+)", self.server.log)[1])
        return self

    def __exit__(self, *exc):
        self.server.__exit__(*exc)
        self._folder.cleanup()

    def connect(self, unix=False):
        s = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        s.settimeout(30)
        s.connect(self.path if unix else ("127.0.0.1", self.port))
        return s


# :: A client that is silent in the middle of a body


@pytest.fixture(scope="module")
def hasty():
    """A server of little patience."""
    with Uwsgi("--http-timeout", "1", "--headers-timeout", "1.5", "--http-keepalive", "1.5") as u:
        yield u


def is_quiet(server, begin, lines):
    """One line for what the client did wrong, and no trace of anything."""
    server.wait_log(lines, start=begin)
    log = server.log[begin:]
    assert not [t for t in TRACES if t in log], log
    assert len(re.findall(lines, log)) == 1, log
    return log


@pytest.mark.parametrize("request_bytes", [head("/a", 10) + b"abc", head("/a") + b"3\r\nabc\r\n", head("/a") + b"a\r\nabc", head("/a", 10)])
def test_a_silent_upload_gets_408(hasty, request_bytes):
    server = hasty.server
    begin = len(server.log)
    with Wire(server) as w:
        w.send(request_bytes)
        began = time.monotonic()
        answer = w.response()
        assert (answer.status, answer["connection"]) == (408, "close")
        assert 0.9 < time.monotonic() - began < 10
        assert w.is_closed()
    assert server.get("/seen").json == ["POST /a TimeoutError"]
    server.wait_log('request: POST "/a" 408', start=begin)
    is_quiet(server, begin, r"POST /a: timeout: the client sent nothing for 1 s")


@pytest.mark.parametrize("unix", [False, True])
def test_a_silent_upload_over_uwsgi_gets_408(hasty, unix):
    begin = len(hasty.server.log)
    with hasty.connect(unix) as s:
        s.sendall(packet(length=10) + b"abc")
        assert read_all(s).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert hasty.server.get("/seen").json == ["POST /a TimeoutError"]
    hasty.server.wait_log('request: POST "/a" 408', start=begin)
    is_quiet(hasty.server, begin, r"POST /a: timeout: the client sent nothing for 1 s")


def test_an_application_may_answer_itself_after_a_timeout(hasty):
    begin = len(hasty.server.log)
    with Wire(hasty.server) as w:
        w.send(head("/caught", 10) + b"abc")
        answer = w.response()
        assert (answer.status, answer["connection"]) == (200, "close")
        assert answer.body == b"[Errno 110] error during read on wsgi.input: timeout: the client sent nothing for 1 s"
        assert w.is_closed()
    assert hasty.server.get("/seen").json == ["POST /caught TimeoutError 110"]
    is_quiet(hasty.server, begin, "POST /caught: timeout")


@pytest.fixture(scope="module")
def patient():
    """A time-out that this test's own sleeps do not exceed by accident, even on a machine that stands still for two seconds."""
    with Uwsgi("--http-timeout", "3") as u:
        yield u


def drip(send, data):
    """One byte at a time, with pauses that are shorter than the time-out and together longer."""
    for i in range(len(data)):
        send(data[i:i + 1])
        time.sleep(0.8)


def test_a_slow_upload_that_lives_is_served(patient):
    with Wire(patient.server) as w:
        w.send(head("/a", 6))
        drip(w.send, b"abcdef")
        assert w.response().status == 200
    assert patient.server.get("/seen").json == ["POST /a 6"]


def test_a_slow_upload_over_uwsgi_that_lives_is_served(patient):
    with patient.connect() as s:
        s.sendall(packet(length=6))
        drip(s.sendall, b"abcdef")
        assert read_all(s).startswith(b"HTTP/1.1 200 ")
    assert patient.server.get("/seen").json == ["POST /a 6"]


def test_a_parked_application_is_no_timeout():
    code = "def later():\n    uwsgi.async_sleep(1.5)\n    yield b''\n    yield b'late'\nreturn later()"
    with start("--http-timeout", "0.5", app="run_code") as server:
        answer = server.post("/", json.dumps({"code": code, "values": {}}))
        assert (answer.status, answer.body) == (200, b"late")


def test_without_a_timeout_a_silent_upload_is_waited_for():
    with start("--http-timeout", "0") as server, Wire(server) as w:
        w.send(head("/a", 3) + b"a")
        w.socket.settimeout(1.5)
        with pytest.raises(TimeoutError):
            w.socket.recv(1)
        w.socket.settimeout(30)
        w.send(b"bc")
        assert b" 200 OK\r\n" in w.socket.recv(100)


# :: A client that takes nothing of a response

ENDLESS = """
def blocks():
    shared.ended = None
    try:
        while True:
            yield b"x" * 65536
    except BaseException as error:
        shared.ended = type(error).__name__
        raise
    finally:
        shared.closed = True
shared.closed = False
return blocks()
"""


@pytest.mark.parametrize("how", ["http", "uwsgi", "unix"])
def test_a_response_that_nobody_takes_is_broken_off(how):
    body = json.dumps({"code": ENDLESS, "values": {}}).encode()
    with Uwsgi("--http-timeout", "1", app="run_code") as u:
        begin = len(u.server.log)
        s = u.server.connect(receive_buffer=4096) if how == "http" else u.connect(unix=how == "unix")
        with s:
            s.sendall(head("/", len(body)) + body if how == "http" else packet("/", len(body)) + body)
            found = u.server.wait_log(r'request: POST "/" (.*)', start=begin)
            assert found[1].endswith("aborted"), found[0]
            # close() runs after the response has ended, which is when its line is written.
            until(lambda: u.server.run("return shared.closed"), "close()")
        assert not [t for t in TRACES if t in u.server.log], u.server.log


def test_a_response_that_is_taken_slowly_arrives():
    """Never does the client take nothing for as long as the time-out, and the whole takes far longer."""
    code = "def blocks():\n    for i in range(64):\n        yield b'x' * 65536\nreturn blocks()"
    with start("--http-timeout", "3", app="run_code") as server, server.connect(receive_buffer=65536) as s:
        body = json.dumps({"code": code, "values": {}}).encode()
        s.sendall(head("/", len(body), "Connection: close\r\n") + body)
        size, began = 0, time.monotonic()
        while True:
            piece = s.recv(200_000)
            if not piece:
                break
            size += len(piece)
            if time.monotonic() - began < 5:
                # The pace of this reader is what is tested: slow, and never as slow as the time-out.
                time.sleep(0.3)
        assert size > 64 * 65536


# :: Heads and idle connections


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\nHost: t\r\nA: "])
def test_a_head_must_be_complete_in_time(hasty, begun):
    server = hasty.server
    begin = len(server.log)
    with Wire(server) as w:
        w.send(begun)
        answer = w.response()
        assert answer.status == 408
        assert w.is_closed()
    log = server.log[begin:]
    assert not [t for t in TRACES if t in log], log


def test_slow_heads_do_not_hold_the_server(hasty):
    """Many that send a header now and then, for ever: each is ended in time, and others are served meanwhile."""
    slow = [hasty.server.connect() for _ in range(50)]
    try:
        for s in slow:
            s.sendall(b"GET / HTTP/1.1\r\nHost: t\r\n")
        ended = time.monotonic() + 10
        left = list(slow)
        while left:
            assert time.monotonic() < ended, f"{len(left)} connections are still open"
            for s in list(left):
                try:
                    s.sendall(b"A: b\r\n")
                except OSError:
                    left.remove(s)
            assert hasty.server.get("/a").status == 200
            # The attack's pace: a header now and then, to look alive.
            time.sleep(0.2)
    finally:
        for s in slow:
            s.close()
        hasty.server.get("/seen")


def test_a_uwsgi_packet_must_be_complete_in_time(hasty):
    with hasty.connect() as s:
        s.sendall(packet()[:20])
        assert read_all(s) == b""


def test_an_idle_connection_is_closed(hasty):
    with Wire(hasty.server) as w:
        assert w.ask("/seen").status == 200
        assert w.is_closed()
    with Wire(hasty.server) as w:
        assert w.is_closed()


def test_without_keepalive_each_request_has_its_connection():
    with start("--http-keepalive", "0") as server, Wire(server) as w:
        w.send(get_bytes("/a") + get_bytes("/b"))
        answer = w.response()
        assert (answer.status, answer["connection"]) == (200, "close")
        assert w.is_closed()
        assert server.get("/seen").json == ["GET /a 0"]


# :: Sizes


@pytest.fixture(scope="module")
def small():
    with Uwsgi("--limit-post", "1000", "--buffer-size", "600", "--max-headers", "5") as u:
        yield u


@pytest.mark.parametrize("size, status, seen", [(1000, 200, ["POST /a 1000"]), (1001, 413, [])])
def test_a_declared_length_is_limited(small, size, status, seen):
    with Wire(small.server) as w:
        w.send(head("/a", size) + b"x" * size)
        answer = w.response()
        assert answer.status == status
        assert status == 200 or (answer["connection"] == "close" and w.is_closed())
    assert small.server.get("/seen").json == seen


@pytest.mark.parametrize("unix", [False, True])
@pytest.mark.parametrize("size, status, seen", [(1000, 200, ["POST /a 1000"]), (1001, 413, [])])
def test_a_declared_length_is_limited_over_uwsgi(small, unix, size, status, seen):
    with small.connect(unix) as s:
        s.sendall(packet(length=size) + b"x" * size)
        assert read_all(s).startswith(f"HTTP/1.1 {status} ".encode())
    assert small.server.get("/seen").json == seen


@pytest.mark.parametrize("pieces, status, seen", [
    ([500, 500], 200, ["POST /a 1000"]), ([1] * 1000, 200, ["POST /a 1000"]), ([500, 501], 413, ["POST /a OSError"]), ([1001], 413, ["POST /a OSError"]),
    ([1 << 20], 413, ["POST /a OSError"]),
])
def test_chunks_are_counted(small, pieces, status, seen):
    begin = len(small.server.log)
    with Wire(small.server) as w:
        w.send(head("/a") + b"".join(b"%x\r\n" % n + b"x" * n + b"\r\n" for n in pieces) + b"0\r\n\r\n" + (b"" if status == 200 else get_bytes("/smuggled")))
        answer = w.response()
        assert answer.status == status
        assert status == 200 or (answer["connection"] == "close" and w.is_closed())
    assert small.server.get("/seen").json == seen
    if status == 413:
        # One line a second, which stands for the others.
        small.server.wait_log("POST /a: the body has more than the 1000 bytes of --limit-post")
        assert not [t for t in TRACES if t in small.server.log[begin:]]


def test_an_expectation_is_not_met_when_the_body_is_too_long(small):
    with Wire(small.server) as w:
        w.send(head("/a", 5000, "Expect: 100-continue\r\n"))
        assert w.head().status == 413


@pytest.mark.parametrize("target, headers, status", [
    ("/" + "a" * 500, "", 200), ("/" + "a" * 700, "", 414), ("/a", "A: " + "b" * 500 + "\r\n", 200), ("/a", "A: " + "b" * 700 + "\r\n", 431), ("/a", "A: b\r\n" * 4, 200),
    ("/a", "A: b\r\n" * 5, 431),
])
def test_the_head_is_limited(small, target, headers, status):
    with Wire(small.server) as w:
        w.request(target, headers=headers)
        assert w.response().status == status
        assert status == 200 or w.is_closed()


def test_a_block_of_variables_is_limited(small):
    with small.connect() as s:
        s.sendall(packet(HTTP_A="b" * 700))
        assert read_all(s).startswith(b"HTTP/1.1 431 ")


# :: Bodies


def test_a_body_that_ends_early_is_no_error_of_the_server(hasty):
    begin = len(hasty.server.log)
    with hasty.server.connect() as s:
        s.sendall(head("/a", 10) + b"abc")
    found = hasty.server.wait_log(r'request: POST "/a" (\d+) .*', start=begin)
    assert found[1] == "499" and found[0].endswith(" aborted"), found[0]
    assert not [t for t in TRACES if t in hasty.server.log[begin:]], hasty.server.log[begin:]
    assert hasty.server.get("/seen").json == ["POST /a OSError"]


def test_a_body_over_uwsgi_that_ends_early_is_no_error_of_the_server(hasty):
    begin = len(hasty.server.log)
    with hasty.connect() as s:
        s.sendall(packet(length=10) + b"abc")
    found = hasty.server.wait_log(r'request: POST "/a" (\d+) .*', start=begin)
    assert found[1] == "499" and found[0].endswith(" aborted"), found[0]
    assert hasty.server.get("/seen").json == ["POST /a OSError"]


def test_100_continue_comes_only_when_the_body_is_read(hasty):
    with Wire(hasty.server) as w:
        w.send(head("/ignore", 3, "Expect: 100-continue\r\n"))
        assert w.head().status == 200
    with Wire(hasty.server) as w:
        w.send(head("/a", 3, "Expect: 100-continue\r\n"))
        assert w.head().status == 100
        w.send(b"abc")
        assert w.response().status == 200
    assert hasty.server.get("/seen").json == ["POST /ignore", "POST /a 3"]


def test_what_is_left_of_an_ignored_body_is_not_waited_for_long(hasty):
    """The rest may come late, but not for ever: the server takes it in for 5 s and closes then."""
    with Wire(hasty.server) as w:
        w.send(head("/ignore", 10) + b"abc")
        assert w.response().status == 200
        w.send(b"defghij" + get_bytes("/ignore"))
        assert w.response().status == 200
        w.send(head("/ignore", 10) + b"abc")
        assert w.response().status == 200
        began = time.monotonic()
        assert w.is_closed()
        assert time.monotonic() - began < 15
    hasty.server.get("/seen")


# :: Connections


def test_connections_are_limited_over_all_sockets():
    with Uwsgi("--max-connections", "4") as u:
        begin = len(u.server.log)
        held = [Wire(u.server) for _ in range(2)]
        for w in held:
            assert w.ask("/a").status == 200
        others = [u.connect(), u.connect(unix=True)]
        for s in others:
            # Begun and not complete: these stay.
            s.sendall(packet()[:20])
        until(lambda: sockets_of(u.server.pid) >= 4, "the server to accept")
        waiting = u.server.connect()
        waiting.sendall(get_bytes("/late", "Connection: close\r\n"))
        u.server.wait_log(r"warn  http: 4 connections are open, as many as --max-connections allows: new ones wait", start=begin)
        waiting.settimeout(0.5)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        held[0].close()
        waiting.settimeout(30)
        assert read_all(waiting).startswith(b"HTTP/1.1 200 ")
        waiting.close()
        for s in (held[1], *others):
            s.close()
        # All places are free again.
        for _ in range(20):
            assert u.server.get("/a").status == 200


def sockets_of(pid):
    """Accepted connections on the server's own three sockets, at least."""
    import os
    return sum(os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:") for fd in os.listdir(f"/proc/{pid}/fd") if os.path.islink(f"/proc/{pid}/fd/{fd}")) - 3


@pytest.mark.parametrize("how", ["http", "uwsgi"])
def test_a_full_queue_says_when_to_come_back(how):
    with Uwsgi("--async-queue", "0", cores=1) as u:
        begin = len(u.server.log)
        with Wire(u.server) as busy:
            # "100 Continue" is sent when the application reads: from then on the core is taken.
            busy.send(head("/a", 3, "Expect: 100-continue\r\n"))
            assert busy.head().status == 100
            began = time.monotonic()
            for _ in range(20):
                answer = refused(u, how)
                assert "HTTP/1.1 503 Service Unavailable\r\n" in answer and "Retry-After: 1\r\n" in answer, answer
            # One line in each second that this took.
            most = time.monotonic() - began + 2
            u.server.wait_log("all 1 cores are busy", start=begin)
            assert u.server.log.count("all 1 cores are busy", begin) <= most, u.server.log[begin:]
            busy.send(b"abc")
            assert busy.response().status == 200


def refused(u, how):
    if how == "http":
        return u.server.raw(get_bytes("/b", "Connection: close\r\n")).decode()
    with u.connect() as s:
        s.sendall(packet("/b"))
        return read_all(s).decode()


# :: Wrong options


@pytest.mark.parametrize("option, value, message", [
    ("--http-timeout", "-1", "--http-timeout: -1 is out of range (0.1 to 86400 s, or 0)"),
    ("--http-timeout", "soon", "--http-timeout: 'soon' is not a number of seconds"),
    ("--headers-timeout", "0", "--headers-timeout: 0 is out of range (0.1 to 86400 s)"),
    ("--http-keepalive", "1e3", "--http-keepalive: '1e3' is not a number of seconds"),
    ("--limit-post", "1k", "--limit-post: '1k' is not a whole number"),
    ("--limit-post", "-1", "--limit-post: -1 is out of range (0 to 9223372036854775807)"),
    ("--max-headers", "0", "--max-headers: 0 is out of range (1 to 65535)"),
    ("--max-connections", "x", "--max-connections: 'x' is not a whole number"),
    ("--buffer-size", "65536", "--buffer-size: 65536 is out of range (64 to 65535)"),
])
def test_a_wrong_value_is_told_in_one_line(option, value, message):
    server = start(f"{option}={value}", ready=False)
    server.start()
    assert server.wait_exit() == 2
    assert f"ugreen-py: {message}\n" in server.log


@pytest.mark.parametrize("connections, warned", [(8, True), (9, False)])
def test_fewer_connections_than_cores_are_told_at_the_start(connections, warned):
    with Server("run_code", cores=8, options=["--max-connections", connections]) as server:
        pass
    assert (f"{connections} connections are allowed and there are 8 cores" in server.log) == warned
