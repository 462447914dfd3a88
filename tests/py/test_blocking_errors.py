"""An exception ends a call of C that fails in its own way because of that: the exception is what the application gets, and the error of C is its context.

No Python function runs between the call and the place where the exception must show itself.
"""

import json
import textwrap

import pytest

from serving import PATIENCE, Server, many, until

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


def test_harakiri():
    """The application has no handler: the error of C reaches the server's own code first."""
    with Server("silent_app", cores=4, options=["--harakiri", 1]) as server:
        assert [answer.status for answer in many(3, lambda i: server.get("/"))] == [504] * 3
        server.wait_log("harakiri: GET /")
        assert "ConnectionAbortedError" in server.log
        assert server.get("/quick", timeout=PATIENCE).status == 200


def _flat(code):
    return textwrap.dedent(code)
