"""Request bodies, clients that are slow or vanish, and what happens when there are more requests than cores."""

import contextlib
import hashlib
import json
import os
import random
import re
import select
import socket
import time

import pytest
from apps_http.wire import APPS_HTTP, Wire
from serving import Control, Server, abort, background, many, until

# The front takes this much of a slow client's response at most (its own buffer), and the kernel's two socket buffers some megabytes more.
MAX_BUFFERED = 16 << 20


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("http_app", cores=10, options=["--pp", APPS_HTTP], env=control.env) as s:
        yield s


@pytest.fixture(scope="module")
def narrow(control):
    """One core and a queue of one."""
    with Server("http_app", cores=1, options=["--pp", APPS_HTTP, "--async-queue", "1"], env=control.env) as s:
        yield s


@pytest.fixture
def wire(server):
    with Wire(server) as w:
        yield w


def ask_json(wire, *args, **kwargs):
    answer = wire.ask(*args, **kwargs)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces if p) + b"0\r\n\r\n"


def random_bytes(n, seed=1):
    return random.Random(seed).randbytes(n)


# :: Reading


@pytest.mark.parametrize("size", [0, 1, 100, 65536, 65537, 1_000_000])
@pytest.mark.parametrize("step", [None, 1000, 65536, 10_000_000])
def test_a_body_arrives_whole(wire, size, step):
    body = random_bytes(size)
    found = ask_json(wire, "/digest" + (f"?size={step}" if step else ""), "POST", "" if body else "Content-Length: 0\r\n", body)
    assert (found["length"], found["sha"], found["CONTENT_LENGTH"]) == (size, hashlib.sha256(body).hexdigest(), str(size))
    # read(n) gives n bytes except at the end, as a file does.
    assert all(n == step for n in found["sizes"][:-1]) if step else len(found["sizes"]) <= 1
    assert wire.ask("/small?n=after").body == b"small after"


@pytest.mark.parametrize("step", [None, 7])
def test_a_chunked_body(wire, step):
    pieces = [b"a", b"bc" * 100, b"\r\n0\r\n\r\n", b"end"]
    found = ask_json(wire, "/digest" + (f"?size={step}" if step else ""), "POST", "Transfer-Encoding: chunked\r\n", chunked(*pieces))
    assert (found["length"], found["sha"]) == (sum(map(len, pieces)), hashlib.sha256(b"".join(pieces)).hexdigest())
    assert found["CONTENT_LENGTH"] is None and found["terminated"] is True
    assert wire.ask("/small?n=after").body == b"small after"


def test_a_large_chunked_body(wire):
    body = random_bytes(3_000_000)
    found = ask_json(wire, "/digest?size=50000", "POST", "Transfer-Encoding: chunked\r\n", chunked(*(body[i:i + 70_001] for i in range(0, len(body), 70_001))))
    assert found["sha"] == hashlib.sha256(body).hexdigest()


def test_an_empty_chunked_body_with_trailers(wire):
    assert ask_json(wire, "/digest", "POST", "Transfer-Encoding: chunked\r\n", b"0\r\nX-Trailer: 1\r\n\r\n")["length"] == 0
    assert wire.ask("/small?n=after").body == b"small after"


def test_a_malformed_chunk_is_an_error_in_the_application(server):
    with Wire(server) as w:
        w.send(b"POST /reader?note=malformed HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
        seen = until(lambda: server.get("/noted?note=malformed").json, "the end of the read")
        assert w.response().status in (400, 500)
        assert w.is_closed()
    assert [kind[1] for kind in seen] == [True], seen


BODY = b"one\ntwo two\n\nlast without end"


@pytest.mark.parametrize("how, expected", [
    ("readline", ["one\n", "two two\n", "\n", "last without end"]),
    ("readlines", ["one\n", "two two\n", "\n", "last without end"]),
    ("iteration", ["one\n", "two two\n", "\n", "last without end"]),
    ("hint", ["one\n", "two two\n", "\n", "last without end"]),
    ("limited", ["one\n", "two ", "two\n", "\n", "last", " wit", "hout", " end"]),
    ("mixed", ["one", "\n", "", "two two\n\nlast without end", "", ""]),
])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_lines(wire, how, expected, framing):
    if framing == "length":
        found = ask_json(wire, f"/lines?how={how}", "POST", "", BODY)
    else:
        found = ask_json(wire, f"/lines?how={how}", "POST", "Transfer-Encoding: chunked\r\n", chunked(BODY[:5], BODY[5:6], BODY[6:]))
    assert found == expected


@pytest.mark.parametrize("how", ["readline", "readlines", "iteration"])
def test_lines_of_no_body(wire, how):
    assert ask_json(wire, f"/lines?how={how}") == []


def test_expect_100_continue(wire):
    wire.send(b"POST /digest HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    interim = wire.head()
    assert (interim.status, interim.headers) == (100, [])
    wire.send(b"hello")
    assert json.loads(wire.response().body)["length"] == 5


def test_expect_100_continue_when_nobody_reads(server):
    """The final answer comes without the 100, and the client need not send the body."""
    with Wire(server) as w:
        w.send(b"POST /ignore?n=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        answer = w.head()
        assert answer.status == 200
        assert w.exactly(int(answer["content-length"])) == b"small 1"


@pytest.mark.parametrize("page", ["ignore?n=1", "half"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_the_application_does_not_read(wire, page, framing):
    """What is left is passed over; the next request on the connection is found."""
    body = b"GET /forged HTTP/1.1\r\nHost: t\r\n\r\n" * 3000
    for i in range(3):
        if framing == "length":
            wire.request("/" + page, "POST", "", body)
        else:
            wire.request("/" + page, "POST", "Transfer-Encoding: chunked\r\n", chunked(body, body))
        wire.request(f"/small?n=next{i}")
        assert wire.response().body == (b"G" if page == "half" else b"small 1")
        assert wire.response().body == f"small next{i}".encode()


# :: Slow clients


def test_a_slow_upload_does_not_hold_up_others(server, wire):
    block = random_bytes(65536)
    blocks = 20
    wire.send(f"POST /digest?size=65536&note=slow HTTP/1.1\r\nHost: t\r\nContent-Length: {len(block) * blocks}\r\n\r\n")
    for i in range(blocks):
        wire.send(block)
        # The application has this block before the next one is sent, and others are served meanwhile.
        until(lambda: server.get("/noted-length?note=slow").json > i, f"block {i} in the application")
    found = json.loads(wire.response().body)
    assert (found["sha"], found["sizes"]) == (hashlib.sha256(block * blocks).hexdigest(), [65536] * blocks)


def test_slow_uploads_on_all_cores_but_one(server):
    """Nine of ten cores wait for body bytes; the tenth serves."""
    wires = [Wire(server) for _ in range(9)]
    try:
        for w in wires:
            w.send(b"POST /digest HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n12345")
        for i in range(20):
            assert server.get(f"/small?n={i}").text == f"small {i}"
        for w in wires:
            w.send(b"67890")
        assert {json.loads(w.response().body)["length"] for w in wires} == {10}
    finally:
        for w in wires:
            w.close()


def memory(server, key="VmRSS"):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return int(re.search(rf"^{key}:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) * 1024


def test_a_slow_download_holds_the_application_back(server):
    """50 MB to a client that does not read: the application stops early, memory stays bounded, others are served; then all bytes arrive."""
    blocks = 800
    for i in range(50):
        server.get("/small")
    before = memory(server)
    with Wire(server, receive_buffer=65536) as w:
        w.request(f"/big?blocks={blocks}&note=slow-download")
        answer = w.head()
        assert answer["transfer-encoding"] == "chunked"

        progress = []

        def stands_still():
            progress.append(server.get("/noted-length?note=slow-download").json)
            return len(progress) > 50 and progress[-1] == progress[-50]

        until(stands_still, "the application to be held back")
        assert 0 < progress[-1] * 65536 < MAX_BUFFERED
        assert memory(server) - before < MAX_BUFFERED

        received, sha, expected = 0, hashlib.sha256(), hashlib.sha256()
        for chunk in iter(w.chunk, b""):
            sha.update(chunk)
            received += len(chunk)
        for i in range(blocks):
            expected.update(i.to_bytes(4, "big") * 16384)
        assert (received, sha.digest()) == (blocks * 65536, expected.digest())
    assert memory(server, "VmHWM") - before < MAX_BUFFERED


def test_slow_downloads_do_not_hold_up_others(server):
    wires = [Wire(server, receive_buffer=4096) for _ in range(5)]
    try:
        for i, w in enumerate(wires):
            w.request(f"/big?blocks=200&note=d{i}")
        assert many(20, lambda i: server.get(f"/small?n={i}").text) == [f"small {i}" for i in range(20)]
        assert [len(w.response().body) for w in wires] == [200 * 65536] * 5
    finally:
        for w in wires:
            w.close()


# :: Clients that vanish


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_client_that_vanishes_in_its_body(narrow, control, how, framing):
    """read() raises OSError, and the only core is free again."""
    note = f"vanish-{how}-{framing[0]}"
    s = narrow.connect()
    s.sendall(f"POST /reader?note={note} HTTP/1.1\r\nHost: t\r\n{framing}\r\n\r\n".encode() + (b"5\r\nhello\r\n" if "chunked" in framing else b"hello"))
    # A reset would take back what the server has not read yet, the request's head included.
    control.wait(note)
    if how == "reset":
        abort(s)
    elif how == "half-close":
        s.shutdown(socket.SHUT_WR)
    else:
        s.close()
    seen = until(lambda: narrow.get(f"/noted?note={note}").json, "the end of the read")
    s.close()
    assert len(seen) == 1 and seen[0][1] is True, seen
    assert "wsgi.input" in seen[0][2]
    assert narrow.get("/small?n=1").text == "small 1"


def test_a_client_that_vanishes_in_its_body_while_the_application_waits(narrow, control):
    """The application is parked in read() when the client goes."""
    s = narrow.connect()
    s.sendall(b"POST /reader?note=parked HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhello")
    # A reset would take back what the server has not read yet, and nothing would be tested.
    control.wait("parked")
    with background(narrow.get, "/small?n=queued") as queued:
        # The one core is in read(); this request waits for it.
        mark = len(narrow.log)
        abort(s)
        assert queued.result(30).text == "small queued"
    assert "Traceback" not in narrow.log[mark:], "a client that leaves is no error of the application"


def test_a_client_that_vanishes_while_its_response_waits(narrow):
    s = narrow.connect(receive_buffer=4096)
    s.sendall(b"GET /big?blocks=800&note=vanish-download HTTP/1.1\r\nHost: t\r\n\r\n")
    assert s.recv(1000)
    with background(narrow.get, "/small?n=queued") as queued:
        abort(s)
        assert queued.result(30).text == "small queued"
    assert narrow.get("/noted-length?note=vanish-download").json < 800


def test_clients_that_vanish_anywhere(control):
    """Hundreds of connections broken off at random places; afterwards every core is free and nothing is left of them."""
    dice = random.Random(7)
    requests = [
        b"GET /small HTTP/1.1\r\nHost: t\r\n\r\n" * 3,
        b"POST /digest?size=1000 HTTP/1.1\r\nHost: t\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000,
        b"POST /digest HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"x" * 500, b"y" * 5000),
        b"POST /ignore HTTP/1.1\r\nHost: t\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000,
        b"GET /big?blocks=100&note=chaos HTTP/1.1\r\nHost: t\r\n\r\n",
    ]

    def client(seed):
        mine = random.Random(seed)
        data = mine.choice(requests)
        s = server.connect(receive_buffer=mine.choice([None, 4096]))
        s.sendall(data[:mine.choice([len(data), mine.randrange(1, len(data))])])
        try:
            if mine.random() < 0.5 and data.count(b"GET"):
                s.settimeout(0.05)
                s.recv(mine.choice([1, 1000, 100_000]))
        except (TimeoutError, ConnectionResetError):
            pass
        (abort if mine.random() < 0.5 else socket.socket.close)(s)

    with Server("http_app", cores=5, options=["--pp", APPS_HTTP], env=control.env) as server:
        for _ in range(20):
            many(20, lambda i: client(dice.random()))
        with background(many, 5, lambda i: server.get("/park?point=after-chaos").text) as parked:
            points = control.wait_all("after-chaos", 5)
            assert sorted(p.data["core"] for p in points) == [0, 1, 2, 3, 4]
            for p in points:
                p.release("free")
            assert parked.result(30) == ["free"] * 5
        # Connections of the past are closed on the server's side, too.
        until(lambda: sockets(server) <= 10, "the server's sockets to be closed")
        assert "the driver failed" not in server.log and "crit" not in server.log


def sockets(server):
    count = 0
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"/proc/{server.pid}/fd/{fd}").startswith("socket:")
    return count


# :: More requests than cores


def test_503_when_cores_and_queue_are_full(narrow, control):
    mark, began = len(narrow.log), time.monotonic()
    with background(narrow.get, "/park?point=full") as parked, Wire(narrow) as a, Wire(narrow) as b:
        here = control.wait("full")

        # Whichever of the two comes first gets the one place in the queue; the other is refused.
        a.request("/small?n=wire")
        b.request("/small?n=wire")
        ready, _, _ = select.select([a.socket, b.socket], [], [], 30)
        assert len(ready) == 1
        refused, queued = (a, b) if ready[0] is a.socket else (b, a)
        answer = refused.response()
        assert (answer.status, answer["retry-after"]) == (503, "1")
        assert answer["content-type"].startswith("text/plain") and b"busy" in answer.body

        # The refused connection stays usable, for being refused again. Very many refusals, very few lines about them.
        refused.send(b"GET /small HTTP/1.1\r\nHost: t\r\n\r\n" * 200)
        assert [refused.response().status for _ in range(200)] == [503] * 200

        here.release("served")
        assert parked.result(30).text == "served"
        assert queued.response().body == b"small wire"
        assert refused.ask("/small?n=again").body == b"small again"
    narrow.wait_log("all 1 cores are busy", start=mark)
    warnings = re.findall(r"^.* warn .*all 1 cores are busy.*$", narrow.log[mark:], re.MULTILINE)
    # One in each second at most, however many were refused.
    assert len(warnings) <= time.monotonic() - began + 2, warnings
    assert "--async" in warnings[0] and "--async-queue" in warnings[0]


def test_the_queue_keeps_its_order(control):
    with Server("http_app", cores=1, options=["--pp", APPS_HTTP], env=control.env) as server:
        with background(server.get, "/park?point=first") as parked, Wire(server) as w:
            here = control.wait("first")
            w.send(b"".join(b"GET /small?n=%d HTTP/1.1\r\nHost: t\r\n\r\n" % i for i in range(100)))
            with background(many, 50, lambda i: server.get(f"/small?n={i}").text) as others:
                here.release("go")
                assert parked.result(30).text == "go"
                assert [w.response().body for _ in range(100)] == [b"small %d" % i for i in range(100)]
                assert others.result(60) == [f"small {i}" for i in range(50)]
