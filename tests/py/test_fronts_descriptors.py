"""When the process has no file descriptor left, connections wait in the kernel and are served as soon as there is one again."""

import contextlib
import resource

import pytest
from serving import Server, until

APP = '''
import os

held = []

def application(environ, start_response):
    if environ["PATH_INFO"] == "/hold":
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
    elif environ["PATH_INFO"] == "/let-go":
        while held:
            os.close(held.pop())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(held)).encode()]
'''


@pytest.fixture
def server(tmp_path):
    (tmp_path / "holding.py").write_text(APP)
    with Server("holding", options=["--pp", str(tmp_path), "--max-connections", "100"]) as s:
        # Not before the start: .NET raises its own limit to the highest that is allowed.
        resource.prlimit(s.pid, resource.RLIMIT_NOFILE, (600, 600))
        yield s


def ask(client, path):
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
    answer = b""
    # One item without a length of its own gets one: head and body come together.
    while not answer.partition(b"\r\n\r\n")[2]:
        more = client.recv(4096)
        assert more, answer
        answer += more
    return answer


def test_connections_wait_while_there_is_no_descriptor(server):
    with contextlib.ExitStack() as stack:
        inside = stack.enter_context(server.connect())
        # The first request opens files: libraries of .NET.
        assert b"200 OK" in ask(inside, "/count")
        assert b"200 OK" in ask(inside, "/hold")
        waiting = [stack.enter_context(server.connect()) for _ in range(5)]
        for client in waiting:
            client.sendall(b"GET /count HTTP/1.1\r\nHost: t\r\n\r\n")
        until(lambda: "no connection can be accepted now (EMFILE)" in server.log, "the warning")
        # Who is connected is served on.
        assert b"200 OK" in ask(inside, "/count")
        assert b"200 OK" in ask(inside, "/let-go")
        for client in waiting:
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
    # Once a second at most, however often it was tried.
    assert 1 <= server.log.count("no connection can be accepted now") <= 5
