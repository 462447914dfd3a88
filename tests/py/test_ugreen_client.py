"""ugreen.while_connected: a departed client ends whatever its request waits for."""

import socket

import pytest

from serving import PATIENCE, Control, Server, abort, get_bytes, until

APP = """
import json, os, ugreen, uwsgi, checkpoint
seen = []
reader, writer = os.pipe()
def waits(kind):
    if kind == "event": ugreen.Event().wait()
    elif kind == "sleep": ugreen.sleep(600)
    elif kind == "fd": ugreen.wait_read(reader)
    elif kind == "join":
        thread = ugreen.spawn(ugreen.sleep, 600)
        thread.daemon = True        # nobody waits for it at the end
        thread.join()
    elif kind == "suspend":
        uwsgi.wait_fd_read(reader)
        uwsgi.suspend()
    elif kind == "nested":
        with ugreen.while_connected():
            ugreen.sleep(600)
    elif kind == "timeout":
        with ugreen.timeout(600):
            ugreen.Event().wait()
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/seen":
        start_response("200 OK", [])
        return [json.dumps(seen).encode()]
    if path == "/unwatched":
        with ugreen.while_connected():
            pass
        with checkpoint.connect("parks", request="unwatched"):
            try:
                ugreen.sleep(0.3)
                seen.append("slept on")
                with ugreen.while_connected():
                    seen.append("not reached")
            except ugreen.ClientGone:
                seen.append("gone at entry")
        return []
    if path == "/elsewhere":
        def outside():
            with ugreen.while_connected(): pass
        try:
            ugreen.spawn(outside).result(10)
        except SystemError as error:
            start_response("200 OK", [])
            return [str(error).encode()]
    if path == "/stays":
        with ugreen.while_connected():
            ugreen.sleep(0.01)
        start_response("200 OK", [])
        return [b"stayed"]
    if path == "/streams":
        return streams(start_response)
    try:
        with ugreen.while_connected():
            with checkpoint.connect("parks", request=path):
                waits(path[1:])
    except ConnectionError as error:
        seen.append([path[1:], type(error).__name__, str(error)])
    return []
def streams(start_response):
    start_response("200 OK", [])
    yield b"first"
    try:
        with ugreen.while_connected():
            ugreen.Event().wait()
    except ugreen.ClientGone:
        seen.append("stream gone")
    finally:
        seen.append("stream closed")
"""


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control, tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    (folder / "client_app.py").write_text(APP)
    with Server("client_app", cores=3, env=control.env, options=["--pythonpath", folder]) as s:
        yield s


def seen(server, what):
    return until(lambda: what in server.get("/seen").json, f"{what} in /seen") or True


@pytest.mark.parametrize("leave", [abort, socket.socket.close], ids=["reset", "close"])
@pytest.mark.parametrize("kind", ["event", "sleep", "fd", "join", "suspend", "nested", "timeout"])
def test_it_ends_any_wait(server, control, kind, leave):
    s = server.connect()
    s.sendall(get_bytes("/" + kind))
    control.wait("parks")
    leave(s)
    assert seen(server, [kind, "ClientGone", "the client of this request went away"])


def test_after_the_block_the_wait_goes_on_and_the_next_block_is_not_entered(server, control):
    s = server.connect()
    s.sendall(get_bytes("/unwatched"))
    control.wait("parks")
    abort(s)
    assert seen(server, "gone at entry")
    events = server.get("/seen").json
    assert "slept on" in events and "not reached" not in events


def test_in_a_stream_close_runs(server):
    s = server.connect()
    s.sendall(get_bytes("/streams"))
    received = b""
    while b"first" not in received:
        received += s.recv(4096)
    abort(s)
    assert seen(server, "stream closed") and seen(server, "stream gone")


def test_a_client_that_stays_gets_its_answer_and_keeps_its_connection(server):
    connection = server.client()
    for _ in range(3):
        connection.request("GET", "/stays")
        assert connection.getresponse().read() == b"stayed"
    connection.close()


def test_without_a_request_it_says_so(server):
    assert server.get("/elsewhere", timeout=PATIENCE).text == "you can call uwsgi api function only from the main callable"
