"""The process: logs, signals, its end."""

import contextlib
import os
import re
import signal
import tempfile

import pytest
from apps_http.wire import APPS_HTTP, Wire
from serving import Control, Server, background, many, until

pytestmark = pytest.mark.waiting

TIME = r"\d\d:\d\d:\d\d\.\d{3}"


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module", autouse=True)
def _signals_are_not_ignored():
    """A shell starts what it puts in the background with SIGINT and SIGQUIT ignored; servers inherit that, and .NET leaves ignored signals alone, as it should."""
    ignored = [number for number in (signal.SIGINT, signal.SIGQUIT) if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def serving(control, *options, app="cli_app", **more):
    return Server(app, options=["--pp", APPS_HTTP, *options], env={**control.env, **more.pop("env", {})}, cores=more.pop("cores", 3), **more)


# :: Log


def test_the_first_lines(control):
    with serving(control) as server:
        assert re.match(
            rf"ugreen-py \d+\.\d+\.\d+\S*\n  python +3\.11\.\d+ \(/\S+\)\n  engine +ugreen, direct switch\n  cores +3, \d+ KiB stack each\n  spawn cores +1000, \d+ KiB stack each\n"
            rf"  application +cli_app:application\n  pid +{server.pid}\nlistening on http://127\.0\.0\.1:{server.port}\n", server.log), server.log


def test_one_line_per_request(control):
    with serving(control, app="wsgi_app") as server:
        lines = []
        for method, path, status, sent in [
            ("GET", "/as-list?a=b", 200, 13), ("POST", "/keywords", 200, 13), ("HEAD", "/keywords", 200, 0), ("GET", "/raises?when=before", 500, 22), ("GET", "/replaced", 503, 14),
            ("GET", "/only-empty-chunks?note=x", 200, 0),
        ]:
            mark = len(server.log)
            server.request(method, path)
            line = server.wait_log(r"^.* request: .*$", start=mark)[0]
            assert re.fullmatch(rf'{TIME} info  request: {method} "{re.escape(path)}" {status} {sent} bytes \d+\.\d ms core \d+ switches \d+', line), line
            lines.append(line)
        switches = [int(line.rsplit(" ", 1)[1]) for line in lines]
        # Each piece of an iterable is a switch point; a single block needs none.
        assert switches[0] >= 3 and switches[1] == 0


def test_stop_is_logged(control):
    with serving(control) as server:
        server.send_signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        assert re.search(rf"^{TIME} info  server: SIGTERM: no new requests; running ones have 10 s to finish$", server.log, re.MULTILINE)
        assert re.search(rf"^{TIME} info  server: stopped$", server.log, re.MULTILINE)


FORGED = '00:00:00.000 info  request: GET "/forged" 200 1 bytes 0.1 ms core 0 switches 0'


@pytest.mark.parametrize("target", [
    "/\x1b[31mred\x07\x08", "/\x01\x02\x7f", '/"quoted" \\back'.replace(" ", "%20"), "/%0a" + FORGED.replace(" ", "%20").replace('"', "%22"), "/a\tb",
    "/keywords?" + "long" * 1990,
])
def test_a_request_target_cannot_forge_the_log(control, shared, target):
    mark = len(shared.log)
    with Wire(shared) as w:
        w.request(target)
        assert w.response().status in (200, 400, 404, 500)
    assert shared.get("/keywords").status == 200
    shared.wait_log('request: GET "/keywords"', start=mark)
    log = shared.log[mark:]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log), repr(log)
    assert FORGED not in log.splitlines()
    assert all(re.match(rf"{TIME} \w+ +\w+: |    ", line) for line in log.splitlines()), log
    assert max(map(len, re.findall(r"^.* request: .*$", log, re.MULTILINE))) <= 2048


@pytest.fixture(scope="module")
def shared(control):
    with serving(control, app="wsgi_app") as server:
        yield server


def test_entries_do_not_land_inside_each_other(control, shared):
    """Tracebacks and request lines come from different threads; each is written whole."""
    mark = len(shared.log)

    def client(i):
        with Wire(shared) as w:
            for _ in range(20):
                assert w.ask("/raises?when=before&" + "x" * 1000).status == 500
                assert w.ask("/keywords").status == 200

    many(10, client)
    until(lambda: shared.log.count('"/keywords"', mark) == 200 and shared.log.count("OwnError: of our own\n", mark) == 200, "all log entries")
    assert all(re.match(rf"{TIME} \w+ +\w+: |    ", line) for line in shared.log[mark:].splitlines()), shared.log[mark:]


def test_a_traceback_cannot_forge_the_log(control, shared):
    """A newline in an exception's message does not begin a line of the log."""
    mark = len(shared.log)
    shared.get("/chained")
    shared.wait_log('request: GET "/chained"', start=mark)
    assert all(re.match(rf"{TIME} |    ", line) for line in shared.log[mark:].splitlines()), shared.log[mark:]


def test_uwsgi_log(control):
    with serving(control) as server:
        server.get("/module")
        server.wait_log(rf"^{TIME} info  app: a line from uwsgi\.log żółw\n    with a second line \\x1b\[31m$")
        server.wait_log(rf"^{TIME} info  app: a line from a thread$")


@pytest.mark.parametrize("option", ["--disable-logging", "-L"])
def test_disable_logging(control, option):
    with serving(control, option, app="wsgi_app") as server:
        server.get("/as-list")
        server.get("/raises?when=before")
        server.wait_log("OwnError: of our own")
    assert "request:" not in server.log and "stopped" in server.log


@pytest.mark.parametrize("level, shown, hidden", [
    ("debug", ["debug", "info  request", "error wsgi", "listening on", "cores "], []),
    ("INFO", ["info  request", "error wsgi", "listening on", "cores "], ["debug "]),
    ("warning", ["error wsgi", "listening on"], ["info ", "debug ", "cores "]),
    ("error", ["error wsgi", "listening on"], ["info ", "warn ", "debug "]),
    ("critical", ["listening on"], ["info ", "warn ", "error ", "Traceback"]),
])
def test_log_level(control, level, shown, hidden):
    with serving(control, "--log-level", level, app="wsgi_app") as server:
        with Wire(server) as w:
            w.ask("/as-list", headers="X_Dropped: 1\r\n")
        assert server.get("/raises?when=before").status == 500
        assert server.get("/as-list").status == 200
    for text in shown:
        assert text in server.log, server.log
    for text in hidden:
        assert text not in server.log, server.log


def test_no_log_at_all(control):
    server = serving(control, "--log-level", "none", ready=False)
    with server:
        # Nothing tells the port: look for it in the process's own table of sockets.
        port = until(lambda: listening_port(server.pid), "a listening socket")
        server.host, server.port = "127.0.0.1", port
        assert server.get("/").json == "hello"
    assert server.log == ""


def listening_port(pid):
    with contextlib.suppress(FileNotFoundError), open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
        inodes = {row[9]: int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A"}
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
                if found and found[1] in inodes:
                    return inodes[found[1]]
    return None


def test_everything_goes_to_stderr_but_what_the_application_prints(control, tmp_path):
    """stdout belongs to the application."""
    server = serving(control, app="wsgi_app")
    server.args = ["sh", "-c", f'exec "$@" >{tmp_path}/stdout', "sh", *server.args]
    with server:
        server.get("/errors-stream")
    assert (tmp_path / "stdout").read_text() == "printed żółw\n"
    assert "printed to stderr" in server.log and "to wsgi.errors żółw" in server.log


# :: Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_requests_finish(control, tmp_path, number):
    marker = tmp_path / "atexit"
    with serving(control, env={"UGREEN_TEST_ATEXIT": str(marker)}) as server:
        with background(server.get, "/park") as parked:
            here = control.wait("parked")
            server.send_signal(number)
            server.wait_log(rf"server: {number.name}: no new requests")
            until(lambda: refuses(server), "new connections to be refused")
            assert not parked.done() and not marker.exists()
            here.release("finished")
            assert parked.result(30).json == "finished"
        assert server.wait_exit() == 0
    # atexit functions ran, with output, and one that raised did not stop the others.
    assert marker.read_text() == "atexit\n"
    assert "atexit ran on -1" in server.log and "ZeroDivisionError" in server.log
    assert re.search(r'request: GET "/park" 200 ', server.log)
    assert "   at " not in server.log


def refuses(server):
    try:
        server.connect().close()
        return False
    except ConnectionRefusedError:
        return True


def test_an_idle_connection_does_not_hold_up_the_end(control):
    with serving(control) as server, Wire(server) as w:
        assert w.ask("/").status == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        assert w.is_closed()
        assert "cut" not in server.log


@pytest.mark.parametrize("first, second, code", [(signal.SIGINT, signal.SIGINT, 130), (signal.SIGTERM, signal.SIGINT, 130)])
def test_a_second_signal_stops_at_once(control, first, second, code):
    with serving(control, "--shutdown-timeout", "1000") as server:
        with server.connect() as s:
            s.sendall(b"GET /park HTTP/1.1\r\nHost: t\r\n\r\n")
            control.wait("parked")
            server.send_signal(first)
            server.wait_log("no new requests; running ones have 1000 s")
            server.send_signal(second)
            assert server.wait_exit() == code
        assert f"{second.name}: stopping at once" in server.log


def test_sigquit_stops_at_once(control):
    with serving(control) as server:
        server.send_signal(signal.SIGQUIT)
        assert server.wait_exit() == 131


def test_the_grace_period_ends(control, tmp_path):
    """A request that never ends is cut; the server still leaves in an orderly way."""
    marker = tmp_path / "atexit"
    with serving(control, "--shutdown-timeout", "1", env={"UGREEN_TEST_ATEXIT": str(marker)}) as server:
        with server.connect() as s:
            s.sendall(b"GET /stubborn HTTP/1.1\r\nHost: t\r\n\r\n")
            control.wait("stubborn")
            server.send_signal(signal.SIGTERM)
            assert server.wait_exit() == 0
    assert "still ran after" in server.log
    assert marker.exists()


def test_queued_requests_are_served_before_the_end(control):
    """What was taken is answered, also what still waited for a core."""
    with serving(control, cores=1) as server:
        with background(server.get, "/park") as parked, Wire(server) as w:
            here = control.wait("parked")
            w.send(b"GET /hello HTTP/1.1\r\nHost: t\r\n\r\n")
            # The server has it when it has acknowledged the bytes and reads the socket; a second connection behind it is no proof, so ask the kernel.
            until(lambda: unread(server, w.socket.getsockname()[1]) == 0, "the server to read the request")
            server.send_signal(signal.SIGTERM)
            server.wait_log("no new requests")
            here.release("first")
            assert parked.result(30).json == "first"
            answer = w.response()
            assert answer.status in (200, 503), answer
        assert server.wait_exit() == 0


def unread(server, client_port):
    """Bytes that wait in the receive queue of the server's socket of this connection."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        for row in (line.split() for line in table.readlines()[1:]):
            if row[1].endswith(f":{server.port:04X}") and row[2].endswith(f":{client_port:04X}"):
                return int(row[4].split(":")[1], 16)
    return None


def test_a_request_that_never_lets_go_cannot_prevent_the_end(control):
    """A busy loop in Python holds the hub itself."""
    with serving(control, "--shutdown-timeout", "1") as server:
        with server.connect() as s:
            s.sendall(b"GET /spin HTTP/1.1\r\nHost: t\r\n\r\n")
            control.wait("spin")
            server.send_signal(signal.SIGTERM)
            assert server.wait_exit() == 0
    assert "still ran after" in server.log


def test_the_reader_of_the_log_may_go_away(control):
    """As in: ugreen-py … 2>&1 | head -1."""
    server = serving(control, app="wsgi_app", ready=False)
    server.args = ["sh", "-c", 'exec "$@" 2>"$UGREEN_TEST_LOG"', "sh", *server.args]
    with tempfile.TemporaryDirectory() as folder:
        pipe = os.path.join(folder, "log")
        os.mkfifo(pipe)
        server.env["UGREEN_TEST_LOG"] = pipe
        with server:
            with open(pipe, encoding="utf-8") as log:
                for line in log:
                    if found := re.match(r"listening on http://(\S+):(\d+)", line):
                        server.host, server.port = found[1], int(found[2])
                        break
            for _ in range(5):
                assert server.get("/keywords").status == 200
                assert server.get("/raises?when=before").status == 500


def test_stop_without_a_request(control):
    for number in (signal.SIGTERM, signal.SIGINT):
        with serving(control) as server:
            server.send_signal(number)
            assert server.wait_exit() == 0


def test_a_signal_while_the_application_is_imported(control, tmp_path):
    """Not ready yet: nothing to be graceful about."""
    (tmp_path / "slow_import.py").write_text("import checkpoint\ncheckpoint.reach('importing')\n")
    with serving(control, "--pp", tmp_path, app="slow_import", ready=False) as server:
        control.wait("importing")
        server.send_signal(signal.SIGTERM)
        assert server.wait_exit() == 143
        assert "listening on" not in server.log


def test_requests_that_come_while_the_application_is_imported(control, tmp_path):
    """The socket is open before the application is loaded; such requests wait and are served."""
    (tmp_path / "slow_app.py").write_text("import checkpoint\ncheckpoint.reach('loading')\nfrom cli_app import application\n")
    with serving(control, "--pp", tmp_path, app="slow_app", ready=False) as server:
        here = control.wait("loading")
        server.host, server.port = "127.0.0.1", until(lambda: listening_port(server.pid), "a listening socket")
        with background(server.get, "/") as early:
            here.release("go")
            assert early.result(30).json == "hello"
        server.wait_ready()


def test_the_applications_signal_handlers_are_python_s_own_business(control, tmp_path):
    """Python installs no handlers: signal.getsignal(SIGINT) of the embedded interpreter does not swallow ours, and SIGPIPE does not kill."""
    with serving(control, app="wsgi_app") as server:
        server.send_signal(signal.SIGPIPE)
        assert server.get("/keywords").status == 200
        for _ in range(10):
            with server.connect() as s:
                s.sendall(b"GET /as-list HTTP/1.1\r\nHost: t\r\n\r\n")
        assert server.get("/keywords").status == 200
