"""A hundred thousand requests of all kinds leave nothing behind: neither Python objects and references, nor file descriptors, nor memory."""

import pytest

from serving import Server, many

CLIENTS = 8
PATHS = ["/plain", "/switching", "/waiting", "/streaming", "/failing", "/cyclic"]


@pytest.fixture(scope="module", params=["direct", "posix"])
def server(request):
    with Server("leaks", cores=20, options=["--disable-logging", "--ugreen-switch", request.param]) as s:
        yield s


def send(server, total, paths):
    """Send so many requests over a few keep-alive connections, pipelined: the client's own time is what such a test costs."""
    batch = 100
    rounds = total // (CLIENTS * batch)

    def client(i):
        order = [paths[(i + k) % len(paths)] for k in range(batch)]
        data = b"".join(f"GET {path} HTTP/1.1\r\nHost: test\r\nX-Round: {k % 7}\r\n\r\n".encode() for k, path in enumerate(order))
        with server.connect() as s:
            for _ in range(rounds):
                s.sendall(data)
                got, tail = 0, b""
                while got < batch:
                    piece = s.recv(1 << 18)
                    assert piece, "the server closed a keep-alive connection"
                    # A marker may be cut by the border of two pieces; all that is looked at twice is shorter than the marker.
                    text = tail + piece
                    got += text.count(b"HTTP/1.1 200 OK")
                    assert b"HTTP/1.1 5" not in text and b"HTTP/1.1 4" not in text
                    tail = text[-14:]
                # The last response's body may still be on its way.
                while not (tail := (tail + piece)[-64:]).rstrip(b"\r\n0").endswith(b"hello"):
                    piece = s.recv(1 << 18)
        return rounds * batch

    assert sum(many(CLIENTS, client)) == total


def test_a_hundred_thousand_requests_leave_nothing(server):
    send(server, 16_000, PATHS)
    server.get("/counts")
    before = server.get("/counts").json
    send(server, 100_000, PATHS)
    server.get("/counts")
    after = server.get("/counts").json

    grown = {k: after["kinds"][k] - before["kinds"].get(k, 0) for k in after["kinds"] if after["kinds"][k] > before["kinds"].get(k, 0) + 20}
    # A leak of one per request would be 100,000 (a sixth of it for one kind of request); caches and the connections that just end may differ by some.
    assert after["objects"] - before["objects"] < 500, grown
    assert after["blocks"] - before["blocks"] < 3000, grown
    assert after["contexts"] <= before["contexts"] + 20
    for name in before:
        if name.startswith("references"):
            assert abs(after[name] - before[name]) < 3000, name
    assert after["fds"] <= before["fds"] + 10
    assert after["threads"] == before["threads"]
    # 400 bytes per request would be 40 MB. The .NET heap breathes by some of that.
    assert after["resident"] - before["resident"] < 40 << 20, f"{(after['resident'] - before['resident']) >> 20} MiB"


def test_connections_leave_nothing(server):
    """As above for connections instead of requests."""
    def client(i):
        for k in range(250):
            assert server.get(PATHS[(i + k) % len(PATHS)]).body in (b"hello", b"hellohello")

    many(4, client)
    before = server.get("/counts").json
    many(8, client)
    after = server.get("/counts").json
    assert after["objects"] - before["objects"] < 500
    assert after["fds"] <= before["fds"] + 10


def test_failed_requests_leave_nothing():
    """Tracebacks hold frames, and frames hold everything: exceptions must not be kept by whoever logs them."""
    code = """
        class Marker: pass
        mine = Marker()
        def down(n):
            if n: return down(n - 1)
            uwsgi.suspend()
            raise error()
        down(20)
    """
    count = "import gc\nfor _ in range(3): gc.collect()\nreturn [sum(type(o).__name__ == 'Marker' for o in gc.get_objects()), sum(type(o).__name__ == 'frame' for o in gc.get_objects())]"
    import json
    import textwrap

    bodies = [json.dumps({"code": textwrap.dedent(code.replace("error()", kind)), "values": {}}) for kind in ("SystemExit(1)", "KeyboardInterrupt()", "GeneratorExit()")]
    with Server("run_code", cores=5, options=["--disable-logging"]) as server:
        assert {server.post("/", b).status for b in bodies} == {500}
        before = server.run(count)
        for b in bodies * 50:
            assert server.post("/", b).status == 500
        after = server.run(count)
    assert after[0] <= before[0] and after[1] <= before[1] + 5, (before, after)
