"""PEP 3333 from the application's side: shapes of bodies, streaming, write(), start_response, environ."""

import json
import re
import socket

import pytest
from apps_http.wire import APPS_HTTP, Broken, Wire
from serving import Control, Server, abort, background, many, until


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("wsgi_app", cores=10, options=["--pp", APPS_HTTP], env={**control.env, "PYTHONUTF8": "1"}) as s:
        yield s


@pytest.fixture
def wire(server):
    with Wire(server) as w:
        yield w


def noted(server, label):
    return server.get(f"/noted?note={label}").json


def until_noted(server, label, n=1):
    return until(lambda: len(found := noted(server, label)) >= n and found, f"{n} notes of {label}")


# :: Shapes


@pytest.mark.parametrize("shape", [
    "as-list", "as-tuple", "as-generator", "as-custom", "as-set", "as-getitem", "as-class", "keywords", "as-file", "with-empty-chunks", "write-only", "write-then-iterate",
    "write-then-list", "write-with-length",
])
def test_shape(wire, shape):
    for i in range(3):
        answer = wire.ask(f"/{shape}?note=shape-{shape}")
        assert (answer.status, answer.body.replace(b" ", b"")) == (200, b"onetwothree"), answer
        assert answer["content-type"] == "text/plain"


def test_bytes_are_sent_as_one_piece_and_told_once(server, wire):
    """As uWSGI does it, where PEP 3333 gives a page of numbers."""
    for _ in range(3):
        answer = wire.ask("/as-bytes")
        assert (answer.status, answer.body) == (200, b"one two three")
    server.wait_log(r"warn .*GET /as-bytes: the application returned a bytes object and not a list of one; it is sent as one piece")
    assert server.log.count("returned a bytes object") == 1


HOP_BY_HOP = [
    ("Connection", "keep-alive"), ("connection", "close"), ("keep-alive", "timeout=5"), ("TRANSFER-ENCODING", "chunked"), ("Upgrade", "h2c"), ("Trailer", "X"), ("TE", "trailers"),
    ("Proxy-Authenticate", "Basic"), ("Proxy-Authorization", "x"), ("Proxy-Connection", "keep-alive"),
]


def test_hop_by_hop_headers_are_left_out_and_told_once(server):
    """Tutorials for server-sent events set Connection. What it says to a client is the server's business, and in HTTP/2 it would spoil the response."""
    mark = len(server.log)
    with Wire(server) as w:
        for _ in range(3):
            for header in HOP_BY_HOP:
                answer = w.ask("/start", "POST", body=repr(("200 OK", [("X-A", "1"), header, ("X-B", "2")])).encode())
                assert (answer.status, answer.body, answer["x-a"], answer["x-b"], answer["content-length"]) == (200, b"body", "1", "2", "4")
                assert [answer[name] for name, _ in HOP_BY_HOP if name != "TRANSFER-ENCODING"] == [None] * (len(HOP_BY_HOP) - 1)
    told = re.findall(r"warn .*POST /start: the application sets ([\w-]+), a hop-by-hop header, .* it is left out", server.log[mark:])
    assert sorted(told) == sorted(name for name, _ in HOP_BY_HOP if name != "connection")


@pytest.fixture(scope="module")
def strict():
    with Server("wsgi_app", cores=10, options=["--pp", APPS_HTTP, "--wsgi-strict"], env={"PYTHONUTF8": "1"}) as s:
        yield s


def test_strict_refuses_what_is_tolerated(strict):
    assert strict.get("/as-bytes").status == 500
    strict.wait_log("must be made of bytes, not int")
    with Wire(strict) as w:
        for i, (name, value) in enumerate(HOP_BY_HOP):
            assert w.ask(f"/start?note=strict{i}", "POST", body=repr(("200 OK", [(name, value)])).encode()).status == 500
            assert [(kind, f"'{name}' is a hop-by-hop header" in text) for kind, text in noted(strict, f"strict{i}")] == [("AssertionError", True)]
        assert w.ask("/keywords").body == b"one two three"
    assert not strict.warnings


@pytest.mark.parametrize("shape", ["only-empty-chunks", "no-chunks"])
def test_no_bytes_at_all(wire, shape):
    answer = wire.ask(f"/{shape}?note={shape}")
    assert (answer.status, answer["content-length"], answer.body) == (200, "0", b"")


def test_one_known_block_has_its_length(wire):
    assert wire.ask("/keywords")["content-length"] == "13"


def test_file_wrapper(server):
    assert server.get("/as-file?note=file-wrapper").text == "one two three"
    assert noted(server, "file-wrapper") == [10, 10, 10, 10, "close"]


def test_empty_chunks_are_not_sent(wire):
    """In a chunked body an empty chunk would be the end."""
    assert wire.ask("/with-empty-chunks?note=empty").chunks == [b"one ", b"two ", b"three"]


# :: Streaming


@pytest.mark.parametrize("how", ["yield", "write"])
@pytest.mark.parametrize("length", ["", "&length=18"])
def test_a_chunk_arrives_before_the_next_is_made(server, control, wire, how, length):
    label = f"steps-{how}-{len(length)}"
    wire.request(f"/steps?how={how}&note={label}{length}")
    answer = wire.head()
    assert answer.status == 200
    read = (lambda: wire.exactly(6)) if length else wire.chunk
    assert answer["content-length"] == ("18" if length else None)
    for i in (1, 2):
        assert read() == b"step %d" % (i - 1)
        here = control.wait(label)
        assert here.data["step"] == i
        assert noted(server, label) == [f"go {k}" for k in range(1, i)]
        here.release(f"go {i}")
    assert read() == b"step 2"
    if not length:
        assert wire.chunk() == b""
    until_noted(server, label, 3 if how == "yield" else 2)
    assert wire.ask("/keywords").status == 200


def test_thirty_streams_interleave(server, control):
    """Every stream has its first chunk while none has its second."""
    wires = [Wire(server) for _ in range(9)]
    try:
        for w in wires:
            w.request("/steps?how=yield&note=streams")
        points = control.wait_all("streams", 9)
        for w in wires:
            assert w.head().status == 200
            assert w.chunk() == b"step 0"
        for point in points:
            point.release("go")
        for point in control.wait_all("streams", 9):
            assert point.data["step"] == 2
            point.release("go")
        for w in wires:
            assert list(iter(w.chunk, b"")) == [b"step 1", b"step 2"]
    finally:
        for w in wires:
            w.close()


# :: close()


@pytest.mark.parametrize("page, status, expected", [
    ("as-custom", 200, ["close"]),
    ("no-chunks", 200, ["close"]),
    ("write-then-iterate", 200, ["close"]),
    ("raises?when=first", 500, ["close"]),
    ("raises-in-iter", 500, ["close"]),
    ("raises-in-close", 200, ["close"]),
])
def test_close_is_called_once(server, page, status, expected):
    label = "close-" + page.partition("?")[0]
    answer = server.get(f"/{page}{'&' if '?' in page else '?'}note={label}")
    assert answer.status == status
    until_noted(server, label)
    assert noted(server, label) == expected


def test_close_is_called_for_head(server):
    assert server.request("HEAD", "/as-custom?note=close-head").body == b""
    assert until_noted(server, "close-head") == ["close"]


@pytest.mark.parametrize("how, expected", [("custom", ["close"]), ("yield", ["GeneratorExit", "finally"])])
@pytest.mark.parametrize("end", [abort, socket.socket.close])
def test_close_is_called_when_the_client_leaves(server, how, expected, end):
    label = f"left-{how}-{end.__name__}"
    s = server.connect(receive_buffer=4096)
    s.sendall(f"GET /endless?how={how}&note={label} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
    assert s.recv(100)
    end(s)
    assert until_noted(server, label, len(expected)) == expected


def test_write_raises_oserror_when_the_client_leaves(server):
    s = server.connect(receive_buffer=4096)
    s.sendall(b"GET /endless?how=write&note=left-write HTTP/1.1\r\nHost: t\r\n\r\n")
    assert s.recv(100)
    mark = len(server.log)
    abort(s)
    [[kind, text]] = until_noted(server, "left-write")
    assert kind == "OSError" and "client" in text
    assert "Traceback" not in server.log[mark:]


@pytest.mark.parametrize("started", ["", "&started=1"])
def test_a_parked_request_is_woken_when_the_client_leaves(server, control, started):
    label = "parked" + started[1:]
    s = server.connect()
    s.sendall(f"GET /parked?note={label}{started} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
    control.wait(label)
    if started:
        assert s.recv(100)
    abort(s)
    found = until_noted(server, label, 3)
    assert found[0] == "gone" and found[1][0] == "OSError" and found[2] == "finally"


# :: start_response


def test_replaced_by_exc_info(wire):
    answer = wire.ask("/replaced")
    assert (answer.status, answer.reason, answer.body) == (503, "Sorry", b"the error page")
    assert (answer["content-type"], answer["x-new"], answer["x-old"], answer["content-length"]) == ("text/html", "1", None, "14")


@pytest.mark.parametrize("page", ["replaced-in-generator", "replaced-first"])
def test_exc_info_before_anything_was_sent(wire, page):
    answer = wire.ask("/" + page)
    assert (answer.status, answer.body) == (503, b"the error page")


def test_exc_info_after_the_headers_raises_the_original(server):
    mark = len(server.log)
    with Wire(server) as w:
        w.request("/replaced-too-late?note=too-late")
        with pytest.raises((Broken, ConnectionResetError)):
            w.response()
    assert until_noted(server, "too-late") == [True]
    server.wait_log("OwnError: the original", start=mark)


def test_a_second_call_is_an_error(server):
    mark = len(server.log)
    assert server.get("/twice").status == 500
    server.wait_log(r"AssertionError: .*start_response\(\) was called twice", start=mark)


def test_after_a_refused_second_call_the_first_holds(server):
    answer = server.get("/twice-caught?note=twice-caught")
    assert (answer.status, answer.text) == (200, "body")
    assert noted(server, "twice-caught") == ["AssertionError"]


def test_a_second_call_after_the_headers(server):
    with Wire(server) as w:
        w.request("/again-too-late?note=again-late")
        with pytest.raises((Broken, ConnectionResetError)):
            w.response()
    assert until_noted(server, "again-late") == ["AssertionError"]


@pytest.mark.parametrize("status, code, reason", [
    ("200 OK", 200, "OK"),
    ("200", 200, "OK"),
    ("404", 404, "Not Found"),
    ("404 ", 404, "Not Found"),
    ("200 Fine by me", 200, "Fine by me"),
    ("299 Own", 299, "Own"),
    ("599 Own", 599, "Own"),
    ("999 Highest", 999, "Highest"),
    ("418 I'm a teapot", 418, "I'm a teapot"),
])
def test_status(wire, status, code, reason):
    answer = wire.ask("/start", "POST", body=repr((status, [("Content-Type", "text/plain")])).encode())
    assert (answer.status, answer.reason, answer.body) == (code, reason, b"body")


@pytest.mark.parametrize("arguments, error, word", [
    ((200, []), "TypeError", "status"),
    ((b"200 OK", []), "TypeError", "status"),
    ((None, []), "TypeError", "status"),
    (("OK", []), "ValueError", "OK"),
    (("", []), "ValueError", "status"),
    (("20 OK", []), "ValueError", "20 OK"),
    (("2000 OK", []), "ValueError", "2000 OK"),
    (("200OK", []), "ValueError", "200OK"),
    (("abc Not", []), "ValueError", "abc Not"),
    (("-10 OK", []), "ValueError", "-10"),
    (("100 Continue", []), "ValueError", "interim"),
    (("199 Own", []), "ValueError", "interim"),
    (("200 OK\r\nX-Forged: 1", []), "ValueError", "control"),
    (("200 OK\n", []), "ValueError", "control"),
    (("200 OK\0", []), "ValueError", "control"),
    (("200 \u017b\xf3\u0142w", []), "TypeError", "status"),
    (("200 OK", None), "TypeError", "headers"),
    (("200 OK", (("A", "b"),)), "TypeError", "headers"),
    (("200 OK", {"A": "b"}), "TypeError", "headers"),
    (("200 OK", ["AB"]), "TypeError", "tuple"),
    (("200 OK", [["A", "b"]]), "TypeError", "tuple"),
    (("200 OK", [("A",)]), "TypeError", "tuple"),
    (("200 OK", [("A", "b", "c")]), "TypeError", "tuple"),
    (("200 OK", [("A", 1)]), "TypeError", "A"),
    (("200 OK", [("A", b"b")]), "TypeError", "A"),
    (("200 OK", [("A", None)]), "TypeError", "A"),
    (("200 OK", [("A", "\u017b")]), "TypeError", "latin-1"),
    (("200 OK", [(1, "b")]), "TypeError", "name"),
    (("200 OK", [(b"A", "b")]), "TypeError", "name"),
    (("200 OK", [("", "b")]), "ValueError", "name"),
    (("200 OK", [("A B", "b")]), "ValueError", "A B"),
    (("200 OK", [("A:", "b")]), "ValueError", "A:"),
    (("200 OK", [("A\r\nX-Forged", "1")]), "ValueError", "name"),
    (("200 OK", [("\xc4", "1")]), "ValueError", "name"),
    (("200 OK", [("A", "b\r\nX-Forged: 1")]), "ValueError", "control"),
    (("200 OK", [("A", "b\nX-Forged: 1")]), "ValueError", "control"),
    (("200 OK", [("A", "b\rX-Forged: 1")]), "ValueError", "control"),
    (("200 OK", [("A", "b\0")]), "ValueError", "control"),
    (("200 OK", [("A", "b\x7f")]), "ValueError", "control"),
    (("200 OK", [("Content-Length", "abc")]), "ValueError", "Content-Length"),
    (("200 OK", [("Content-Length", "-1")]), "ValueError", "Content-Length"),
    (("200 OK", [("Content-Length", "")]), "ValueError", "Content-Length"),
    (("200 OK", [("Content-Length", "4"), ("Content-Length", "5")]), "ValueError", "Content-Length"),
    ((), "TypeError", "start_response"),
    (("200 OK",), "TypeError", "start_response"),
    (("200 OK", [], None, 4), "TypeError", "start_response"),
])
def test_a_head_that_must_not_be_sent(server, arguments, error, word):
    label = "head"
    before = len(noted(server, label))
    with Wire(server) as w:
        answer = w.ask(f"/start?note={label}", "POST", body=repr(arguments).encode())
        assert answer.status == 500, answer
        assert answer["x-forged"] is None
        found = noted(server, label)[before:]
        assert [kind for kind, _ in found] == [error], found
        assert word in found[0][1], found
        # The connection is as good as before.
        assert w.ask("/keywords").body == b"one two three"


def test_a_reason_beyond_ascii_is_refused(server, wire):
    """Rather than sent with question marks in it: Kestrel writes reasons in ASCII, and HTTP/2 has none."""
    begin = len(server.log)
    answer = wire.ask("/start", "POST", body=repr(("200 Gr\xfcn", [])).encode())
    assert answer.status == 500
    server.wait_log("ValueError: start_response: status 'Gr.+' holds a character beyond ASCII".replace("Gr", "200 Gr"), start=begin)


def test_an_equal_length_may_be_given_twice(wire):
    answer = wire.ask("/start", "POST", body=repr(("200 OK", [("Content-Length", "4"), ("content-length", " 4 ")])).encode())
    assert (answer.status, answer["content-length"], answer.body) == (200, "4", b"body")


def test_own_date_and_server_headers(wire):
    answer = wire.ask("/start", "POST", body=repr(("200 OK", [("Date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Server", "own")])).encode())
    assert (answer["date"], answer["server"]) == ("Thu, 01 Jan 1970 00:00:00 GMT", "own")


def test_large_response_headers(wire):
    headers = [(f"X-{i}", "v" * 1000) for i in range(100)]
    for _ in range(2):
        answer = wire.ask("/start", "POST", body=repr(("200 OK", headers)).encode())
        assert [answer[f"x-{i}"] for i in range(100)] == ["v" * 1000] * 100


def test_the_application_may_recover_from_a_refused_head(wire):
    answer = wire.ask("/recovers")
    assert (answer.status, answer.reason, answer.body, answer["x-bad"]) == (500, "Own Page", b"recovered", None)


# :: Environ


def test_environ(server):
    with Wire(server) as w:
        found = json.loads(w.ask("/environ-types?q=1", "POST", "Content-Type: text/plain\r\n", b"body").body)
        types, values = found["types"], found["values"]
        port = w.socket.getsockname()[1]
    assert found["type"] == "dict"
    assert found["input"] == "body" and all(found["has"]) and all(found["errors"])
    others = {
        "wsgi.version": "tuple", "wsgi.multithread": "bool", "wsgi.multiprocess": "bool", "wsgi.run_once": "bool", "wsgi.input_terminated": "bool", "uwsgi.core": "int",
        "uwsgi.version": "bytes", "uwsgi.node": "bytes",
    }
    for key, kind in types.items():
        if key in others or key.isupper() or key == "wsgi.url_scheme":
            assert kind == others.get(key, "str"), key
    assert {key: values[key] for key in (
        "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST",
        "CONTENT_LENGTH", "CONTENT_TYPE", "wsgi.version", "wsgi.url_scheme", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
    )} == {
        "REQUEST_METHOD": "'POST'", "SCRIPT_NAME": "''", "PATH_INFO": "'/environ-types'", "QUERY_STRING": "'q=1'", "REQUEST_URI": "'/environ-types?q=1'",
        "SERVER_NAME": "'127.0.0.1'", "SERVER_PORT": f"'{server.port}'", "SERVER_PROTOCOL": "'HTTP/1.1'", "REMOTE_ADDR": "'127.0.0.1'", "REMOTE_PORT": f"'{port}'",
        "HTTP_HOST": "'test'", "CONTENT_LENGTH": "'4'", "CONTENT_TYPE": "'text/plain'", "wsgi.version": "(1, 0)", "wsgi.url_scheme": "'http'", "wsgi.multithread": "True",
        "wsgi.multiprocess": "False", "wsgi.run_once": "False",
    }
    assert 0 <= int(values["uwsgi.core"]) < 10
    assert {"wsgi.input", "wsgi.errors", "wsgi.file_wrapper", "x-wsgiorg.fdevent.readable", "x-wsgiorg.fdevent.writable", "x-wsgiorg.fdevent.timeout"} <= set(types)


def test_every_request_has_an_environ_of_its_own(wire):
    for method in ("GET", "POST", "GET", "GET"):
        assert wire.ask("/pollutes", method, body=b"body" if method == "POST" else b"").body == b"clean"
    found = json.loads(wire.ask("/environ-types").body)
    assert found["input"] == "" and all(found["has"])


def test_streams_go_to_the_log(server):
    mark = len(server.log)
    assert server.get("/errors-stream").text == "ok"
    for line in ("to wsgi.errors żółw", "line a", "line b", "printed żółw", "printed to stderr"):
        server.wait_log(f"^{line}$", start=mark)


# :: wsgiref.validate


@pytest.mark.parametrize("page, method, body, expected", [
    ("as-list", "GET", b"", b"one two three"),
    ("as-generator", "GET", b"", b"one two three"),
    ("as-custom", "GET", b"", b"one two three"),
    ("with-empty-chunks", "GET", b"", b"one two three"),
    ("write-then-iterate", "GET", b"", b"one two three"),
    ("reads-and-writes", "GET", b"", b"written read "),
    ("reads-and-writes", "POST", b"the\nbody", b"written read the\nbody"),
    ("validated-204", "GET", b"", b""),
    ("validated-error", "GET", b"", b"error page"),
    ("as-list", "HEAD", b"", b""),
    ("as-generator", "OPTIONS", b"", b"one two three"),
])
def test_the_validator_stays_silent(server, page, method, body, expected):
    mark = len(server.log)
    with Wire(server) as w:
        for _ in range(3):
            answer = w.ask(f"/validated/{page}?note=validated", method, "Cookie: a=b\r\nX-A: 1\r\n", body)
            assert (answer.status, answer.body) == ({"validated-204": 204, "validated-error": 500}.get(page, 200), expected)
    server.wait_log(rf'request: {method} "/validated/{page}', start=mark)
    assert "Error" not in server.log[mark:] and "Traceback" not in server.log[mark:], server.log[mark:]


def test_everything_at_once(server):
    """Applications of all shapes side by side; nobody gets another one's answer."""
    pages = ["as-list", "as-generator", "as-custom", "write-then-iterate", "write-with-length", "with-empty-chunks", "raises?when=before", "twice", "replaced", "validated/as-list"]

    def client(i):
        with Wire(server) as w:
            for page in pages[i % len(pages):] + pages[:i % len(pages)]:
                answer = w.ask(f"/{page}{'&' if '?' in page else '?'}note=everything")
                expected = {"raises?when=before": (500, b"Internal Server Error\n"), "twice": (500, b"Internal Server Error\n"), "replaced": (503, b"the error page")}
                assert (answer.status, answer.body) == expected.get(page, (200, b"one two three")), page
        return True

    with background(many, 30, client) as clients:
        assert clients.result(60) == [True] * 30
