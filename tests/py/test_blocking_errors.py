"""An exception ends a call of C that fails in its own way because of that: the exception is what the application gets, and the error of C is its context.

No Python function runs between the call and the place where the exception must show itself.
"""

import json
import textwrap

import pytest

from serving import PATIENCE, Server, many, until

pytestmark = pytest.mark.green_waits

# Fails with ConnectionAbortedError when its wait is ended.
SILENT = "import ugreen\nleft, right = socket.socketpair()\nreceive = left.recv\n"


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=8) as s:
        yield s


def test_a_time_out(server):
    code = """
    try:
        with ugreen.timeout(0.2) as limit:
            receive(1)
    except ugreen.Timeout as error:
        return type(error.__context__).__name__, limit.expired, error.timeout is limit
    """
    assert many(4, lambda i: server.run(SILENT + _flat(code))) == [["ConnectionAbortedError", True, True]] * 4


def test_a_quiet_time_out(server):
    assert server.run(SILENT + "with ugreen.timeout(0.2, quiet=True) as limit:\n    receive(1)\nreturn limit.expired") is True


def test_an_outer_time_out(server):
    code = """
    try:
        with ugreen.timeout(0.2) as outer:
            with ugreen.timeout(60, quiet=True) as inner:
                receive(1)
    except ugreen.Timeout as error:
        return error.timeout is outer, outer.expired, inner.expired
    """
    assert server.run(SILENT + _flat(code)) == [True, True, False]


def test_it_is_raised_once(server):
    """What the application does about the error of C is no concern of what comes after the block."""
    code = """
    with ugreen.timeout(0.2, quiet=True):
        try:
            receive(1)
        except ConnectionError:
            pass
    for _ in range(3):
        time.sleep(0.01)
    return "went on"
    """
    assert server.run(SILENT + _flat(code)) == "went on"


def test_a_green_thread_that_is_killed(server):
    start = len(server.log)
    code = "thread = ugreen.spawn(receive, 1)\nugreen.sleep(0.1)\nthread.kill()\nreturn type(thread.exception(10)).__name__"
    assert server.run(SILENT + code) == "GreenExit"
    assert "failed" not in server.log[start:]


def test_a_client_that_left(server):
    server.run("shared.seen = None")
    code = SILENT + _flat("""
    try:
        with ugreen.while_connected():
            shared.seen = "waits"
            receive(1)
    except ugreen.ClientGone as error:
        shared.seen = type(error.__context__).__name__
    """)
    connection = server.client()
    connection.request("POST", "/", body=json.dumps({"code": code, "values": {}}))
    until(lambda: server.run("return shared.seen") == "waits", "the request waits")
    connection.close()
    until(lambda: server.run("return shared.seen") == "ConnectionAbortedError", "the request noticed")


@pytest.mark.parametrize("wait", ["select.select([left], [], [])", "poller.poll()"])
def test_pythons_own_code_keeps_its_sockets(server, wait):
    code = """
    import select
    poller = select.poll()
    poller.register(left, select.POLLIN)
    with ugreen.timeout(0.2, quiet=True) as limit:
        eval(wait)
    right.send(b"later")
    return limit.expired, left.recv(10).decode()
    """
    assert server.run(SILENT + _flat(code.replace("eval(wait)", wait))) == [True, "later"]


@pytest.mark.parametrize("wait", ["libc.poll(ready, 1, -1)", "libc.select(left.fileno() + 1, bits, None, None, None)"])
def test_a_c_library_finds_its_connection_broken(server, wait):
    """It might take what comes later for the answer to its next question."""
    code = """
    import ctypes
    libc = ctypes.CDLL(None)
    ready = (ctypes.c_int * 2)(left.fileno(), 1)
    bits = (ctypes.c_ulong * 16)()
    bits[left.fileno() // 64] = 1 << left.fileno() % 64
    with ugreen.timeout(0.2, quiet=True) as limit:
        WAIT
    return limit.expired, left.recv(10).decode()
    """
    assert server.run(SILENT + _flat(code.replace("WAIT", wait))) == [True, ""]


def test_a_listening_socket_goes_on(server):
    code = """
    import ctypes
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with ugreen.timeout(0.2, quiet=True):
            ctypes.CDLL(None).poll((ctypes.c_int * 2)(listener.fileno(), 1), 1, -1)
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
    return "accepted"
    """
    assert server.run(SILENT + _flat(code)) == "accepted"


def test_harakiri():
    """The application has no handler: the error of C reaches the server's own code first."""
    with Server("silent_app", cores=4, options=["--harakiri", 1]) as server:
        assert [answer.status for answer in many(3, lambda i: server.get("/"))] == [504] * 3
        server.wait_log("harakiri: GET /")
        assert "ConnectionAbortedError" in server.log
        assert server.get("/quick", timeout=PATIENCE).status == 200


def _flat(code):
    return textwrap.dedent(code)
