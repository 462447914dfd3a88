"""Request lines and where logs go, on the real server."""

import contextlib
import json
import os
import random
import re
import signal
import socket
import stat
import struct
import threading

import pytest
from apps_http.wire import APPS_HTTP, Wire
from serving import PATIENCE, Server, free_port, many, read_all, read_until, until

NAMES = (
    "uri method user addr host proto uagent referer status rsize hsize size cl micros msecs secs tmsecs tmicros time ltime ftime ctime epoch pid wid switches vars core vsz rss "
    "vszM rssM pktsize modifier1 modifier2 headers werr rerr ioerr aborted"
).split()


def serving(*options, **more):
    return Server("logs_app", options=["--pp", APPS_HTTP, *options], cores=more.pop("cores", 3), **more)


def uwsgi_request(path, variables):
    """The answer of a uwsgi socket to one request; variables: dict of str to bytes."""
    block = b"".join(
        struct.pack("<H", len(part)) + part
        for name, value in variables.items() for part in (name.encode("latin-1"), value))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(path)
        s.sendall(struct.pack("<BHB", 0, len(block), 0) + block)
        # A refusal has a length, and the server waits a moment for the rest of such a request before it closes.
        head = read_until(s, b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
        while length and len(head.partition(b"\r\n\r\n")[2]) < int(length[1]):
            head += s.recv(65536)
        return head if length else head + read_all(s)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def lines_of(path):
    return path.read_text("utf-8").splitlines() if path.exists() else []


# :: Formats


def test_all_variables(folder):
    form = " ".join(f"{name}=<%({name})>" for name in [*NAMES, "var.HTTP_X_REQUEST_ID", "var.QUERY_STRING", "unset"])
    with serving("--log-format", "LINE " + form) as server:
        server.request("POST", "/?a=b", b"12345", {"X-Request-Id": "id 7", "User-Agent": "me", "Referer": "http://r/"})
        line = server.wait_log(r"^LINE .*$")[0]
        shown = dict(re.findall(r"(\S+?)=<(.*?)>", line))
        assert list(shown) == [*NAMES, "var.HTTP_X_REQUEST_ID", "var.QUERY_STRING", "unset"]
        expected = {
            "uri": "/?a=b", "method": "POST", "user": "-", "addr": "127.0.0.1", "host": f"127.0.0.1:{server.port}", "proto": "HTTP/1.1", "uagent": "me", "referer": "http://r/",
            "status": "200", "rsize": "5", "cl": "5", "pid": str(server.pid), "wid": "1", "switches": "0", "modifier1": "0", "modifier2": "0", "headers": "2", "werr": "0",
            "rerr": "0", "ioerr": "0", "aborted": "-", "var.HTTP_X_REQUEST_ID": "id 7", "var.QUERY_STRING": "a=b", "unset": "-", "secs": "0",
        }
        assert {name: shown[name] for name in expected} == expected
        assert int(shown["size"]) == int(shown["rsize"]) + int(shown["hsize"]) and int(shown["core"]) in range(3)
        assert int(shown["tmicros"]) // 10**6 == int(shown["tmsecs"]) // 1000 == int(shown["time"]) <= int(shown["epoch"])
        assert int(shown["micros"]) // 1000 == int(shown["msecs"])
        assert int(shown["vsz"]) > int(shown["rss"]) > 10 << 20 and int(shown["rss"]) >> 20 == int(shown["rssM"])
        assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}", shown["ltime"]) and shown["ftime"] == shown["ltime"]
        assert re.fullmatch(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}", shown["ctime"])


def test_variables_of_the_uwsgi_protocol(folder):
    path = str(folder / "s")
    with serving("--socket", path, "--log-format", "LINE %(method) %(user) %(addr) %(host) %(var.MY) %(who)") as server:
        answer = uwsgi_request(path, {
            "REQUEST_METHOD": b"GET", "REQUEST_URI": b"/set?x", "PATH_INFO": b"/set", "QUERY_STRING": b"x", "REMOTE_ADDR": b"192.0.2.9", "REMOTE_USER": b"ann", "HTTP_HOST": b"h", "MY": b"own",
        })
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert server.wait_log(r"^LINE .*$")[0] == "LINE GET ann 192.0.2.9 h own x"


def test_a_format_without_variables_is_warned_of():
    with serving("--log-format", "always the same") as server:
        server.wait_log("--log-format has no %\\(variable\\) in it")
        server.get("/")
        server.wait_log("^always the same$")


def test_json():
    with serving("--log-json", "--log-x-forwarded-for") as server:
        server.get("/set?%C5%BC&<b>", {"User-Agent": 'a "b" \\ \t', "X-Forwarded-For": "192.0.2.1, 10.0.0.1", "Referer": "é".encode().decode("latin-1")})
        server.get("/raises")
        server.wait_log("/raises.*aborted")
        server.stop()
        entries = [json.loads(line) for line in server.log.splitlines()]
    assert server.log.isascii()
    assert all(list(entry)[:3] == ["time", "level", "logger"] for entry in entries)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", entry["time"]) for entry in entries)
    first, second = (entry for entry in entries if entry["logger"] == "request")
    del first["time"], first["ms"]
    assert first == {
        "level": "info", "logger": "request", "method": "GET", "uri": "/set?%C5%BC&<b>", "proto": "HTTP/1.1", "host": f"{server.host}:{server.port}", "addr": "192.0.2.1",
        "user_agent": 'a "b" \\', "referer": "é".encode().decode("latin-1"), "status": 200, "bytes": first["bytes"], "core": first["core"], "switches": 0, "aborted": False,
        "logvars": {"who": "%C5%BC&<b>", "raw": "\xff\n\x1b[31m\"", "view": "v"},
    }
    assert (second["status"], second["uri"]) == (500, "/raises")
    trace = next(entry for entry in entries if "the application raised" in entry.get("message", ""))
    assert trace["level"] == "error" and trace["message"].endswith('\nValueError: a "quoted" message') and "Traceback (most recent call last):\n  File " in trace["message"]
    assert any("listening on http://" in entry.get("message", "") for entry in entries)


def test_json_says_why_it_cannot_start():
    with Server("no_such_module_here", options=["--log-json"], ready=False) as server:
        assert server.wait_exit() == 1
    entry = json.loads(server.log.splitlines()[-1])
    assert entry["level"] == "critical" and "there is no module 'no_such_module_here'" in entry["message"]


# :: No line can be forged

NASTY = [b"\x1b[2J", b"\"", b"\\", b"\x85", b"\x9b31m", b"\xe2\x80\xa8", b"\x7f", b"%(uri)", b"' 200", b"\xff", b"x", b" "]


@pytest.mark.parametrize("options, check", [
    (["--log-format", 'LINE "%(method)" "%(uri)" "%(host)" "%(uagent)" "%(referer)" "%(addr)" "%(who)" %(status)'], re.compile(r'LINE (?:"[ !#-~]*" ){7}\d{3}').fullmatch),
    (["--log-json"], lambda line: json.loads(line)["logger"] == "request"),
    ([], re.compile(r'\d\d:\d\d:\d\d\.\d{3} info  request: [!-~]+ "[ !#-~]*" \d{3} \d+ bytes [\d.]+ ms(?: core \d+ switches \d+)?').fullmatch),
])
def test_no_line_can_be_forged(folder, options, check):
    path, file, dice = str(folder / "s"), folder / "requests", random.Random(7)

    def nasty(extra=()):
        return b"".join(dice.choice([*NASTY, *extra]) for _ in range(dice.randrange(8)))

    with serving("--socket", path, "--req-logger", f"file:{file}", "--log-x-forwarded-for", *options) as server:
        served = 0
        for _ in range(60):
            headers = b"".join(name + b": " + nasty() + b"\r\n" for name in (b"User-Agent", b"Referer", b"X-Forwarded-For"))
            answer = server.raw(b"GET /set?" + nasty().replace(b" ", b"").replace(b"\xe2\x80\xa8", b"") + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + headers + b"\r\n")
            served += answer.startswith(b"HTTP/1.1 200 ")
        assert served > 0
        for _ in range(60):
            # Here a value is any bytes, line ends and zeros too.
            values = {name: nasty([b"\n", b"\r\n", b"\0"]) for name in ("HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_X_FORWARDED_FOR", "HTTP_HOST", "QUERY_STRING")}
            answer = uwsgi_request(path, {"REQUEST_METHOD": b"GET", "REQUEST_URI": b"/set?" + nasty([b"\n", b"\r\n18:00:00.000 info  request: forged"]), "PATH_INFO": b"/set", **values})
            served += answer.startswith(b"HTTP/1.1 200 ")
        server.get("/?last")
        until(lambda: b"/?last" in file.read_bytes(), "the last line")
    written = file.read_bytes()
    assert not re.search(rb"[^\n -~]", written)
    lines = written.decode("ascii").splitlines()
    # Requests that the server itself refuses may have a line as well, each one.
    assert served + 1 <= len(lines) <= 121
    for line in lines:
        assert check(line), line


# :: Files


def test_logto_takes_everything(folder):
    file = folder / "log"
    with serving("--logto", str(file), ready=False) as server:
        found = until(lambda: re.search(r"listening on http://(\S+):(\d+)", "\n".join(lines_of(file))), "the address in the log file")
        server.host, server.port = found[1], int(found[2])
        server.get("/prints")
        assert int(server.get("/size").text) > 100
        until(lambda: "/size" in file.read_text(), "the last line")
        server.stop()
    text = file.read_text()
    for expected in ("printed by Python\n", "said by a child\n", "complained by a child\n", "printed by C\n", "said to the log\n", 'request: GET "/prints" 200', "stopped\n"):
        assert expected in text, (expected, text)
    assert server.log == ""
    assert stat.S_IMODE(file.stat().st_mode) & 0o137 == 0


def test_logto_that_cannot_be_written(folder):
    with serving("--logto", str(folder / "none" / "log"), ready=False) as server:
        assert server.wait_exit() == 1
    assert server.log == f"ugreen-py: --logto '{folder}/none/log' cannot be opened for writing: No such file or directory\n"


def test_why_it_cannot_start_is_told_in_both_places(folder):
    with Server("no_such_module_here", options=["--logto", folder / "log"], ready=False) as server:
        assert server.wait_exit() == 1
    assert server.log.startswith("ugreen-py: ") and "no_such_module_here" in server.log and server.log.count("\n") == 1
    assert "no_such_module_here" in (folder / "log").read_text()


@pytest.mark.parametrize("option", ["--logto", "--req-logger"])
def test_a_rotation_under_load_loses_no_line(folder, option):
    file, clients, each, port = folder / "log", 8, 60, free_port()
    with serving(option, str(file) if option == "--logto" else f"file:{file}", "--log-format", "LINE %(uri)", http=f"127.0.0.1:{port}", ready=False, cores=10) as server:
        server.host, server.port = "127.0.0.1", port

        def answers():
            with contextlib.suppress(OSError):
                return server.get("/").status == 200

        until(answers, "the server to answer")
        done, rotations = threading.Event(), []

        def rotate():
            while not done.is_set():
                old = folder / f"log.{len(rotations)}"
                os.rename(file, old)
                rotations.append(old)
                server.send_signal(signal.SIGUSR1)
                until(lambda: file.exists() or done.is_set(), "a new file")

        def client(i):
            with contextlib.closing(server.client()) as connection:
                for j in range(each):
                    connection.request("GET", f"/?{i}.{j}.")
                    connection.getresponse().read()

        rotating = threading.Thread(target=rotate)
        rotating.start()
        try:
            many(clients, client)
        finally:
            done.set()
            rotating.join(PATIENCE)
        assert len(rotations) > 1
        # Only what is in use is held open: space of a file that was deleted would never be free again.
        server.send_signal(signal.SIGUSR1)
        held = lambda: [target for target in open_files(server.pid) if target.startswith(str(folder))]
        until(lambda: set(held()) == {str(file)}, "the old files to be closed")
        server.stop()
    lines = [line for path in [*rotations, file] for line in lines_of(path) if line.startswith("LINE /?")]
    assert sorted(lines) == sorted(f"LINE /?{i}.{j}." for i in range(clients) for j in range(each))


def open_files(pid):
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


def test_a_rotation_that_fails_goes_on_in_the_old_file(folder):
    (folder / "d").mkdir()
    with serving("--req-logger", f"file:{folder}/d/log") as server:
        os.rename(folder / "d", folder / "e")
        server.send_signal(signal.SIGUSR1)
        server.wait_log(r"warn  server: SIGUSR1: --req-logger '.*/d/log' cannot be opened for writing: No such file or directory; the log goes on in the old file")
        server.get("/?still")
        until(lambda: "/?still" in (folder / "e" / "log").read_text(), "the line in the old file")
    assert "request:" not in server.log


def test_sigusr1_without_a_file_ends_nothing():
    with serving() as server:
        server.send_signal(signal.SIGUSR1)
        server.wait_log("there is no log file to open again")
        assert server.get("/").text == "hello"


def test_a_full_disk_stops_nothing():
    with serving("--req-logger", "file:/dev/full") as server:
        assert many(20, lambda i: server.get("/").text) == ["hello"] * 20


# :: Which requests have a line


@pytest.mark.parametrize("options, logged", [
    ([], ["/wanted"]),
    (["--log-4xx"], ["/missing", "/wanted"]),
    (["--log-5xx"], ["/broken", "/raises", "/wanted"]),
    (["--log-zero"], ["/empty", "/wanted"]),
    (["--log-big", "5000"], ["/big", "/wanted"]),
    (["--log-slow", "190"], ["/slow", "/wanted"]),
])
def test_filters(folder, options, logged):
    file = folder / "log"
    with serving("-L", "--req-logger", f"file:{file}", "--log-format", "%(uri)", *options) as server:
        # One connection: what one request asks for must not reach the next.
        with Wire(server) as wire:
            for path in ("/wanted", "/", "/missing", "/broken", "/raises", "/empty", "/big", "/slow", "/wanted?last"):
                wire.request(path)
                wire.response()
        until(lambda: "/wanted?last" in lines_of(file), "the last line")
    shown = [line for line in lines_of(file) if line != "/wanted?last"]
    # On a machine that stands still others are slow, too.
    assert sorted(shown) == logged or (options[:1] == ["--log-slow"] and set(logged) <= set(shown)), shown


def test_log_variables():
    with serving("--log-format", "LINE %(uri) <%(who)> <%(raw)>") as server:
        with Wire(server) as wire:
            wire.request("/set?me")
            assert wire.response().body.decode() == r"""[None, None, None, b'me', b'\xff\n\x1b[31m"', b'v', None]"""
            wire.request("/get")
            assert wire.response().body == b"[None, None]"
        server.wait_log(r"^LINE /get <-> <->$")
        assert r"LINE /set?me <me> <\xff\x0a\x1b[31m\x22>" in server.log.splitlines()


def test_what_log_functions_refuse():
    with serving() as server:
        outside = "SystemError: you can call uwsgi api function only from the main callable"
        kind = "must be str (without lone surrogates) or bytes-like"
        assert server.get("/refuse").text.split("\n") == [
            "ValueError: set_logvar(): this request has 64 log variables already", "ValueError: set_logvar(): the name is empty", f"TypeError: set_logvar(): name {kind}",
            f"TypeError: set_logvar(): value {kind}", "TypeError: set_logvar() takes 2 arguments (1 given)", f"TypeError: get_logvar(): name {kind}", outside, outside, outside, "0",
        ]
