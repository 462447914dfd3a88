"""What clients and the log get when an application fails: a 500 or a broken connection, never something that looks complete."""

import http.client
import json
import re

import pytest
from apps_http.wire import APPS_HTTP, Broken, Wire
from serving import Server, many, until


@pytest.fixture(scope="module")
def server():
    with Server("wsgi_app", cores=10, options=["--pp", APPS_HTTP]) as s:
        yield s


@pytest.fixture(autouse=True)
def _no_stack_traces_of_net(server):
    yield
    assert "   at UGreen" not in server.log
    assert "System." not in server.log


@pytest.fixture
def wire(server):
    with Wire(server) as w:
        yield w


def assert_usable(wire):
    assert wire.ask("/keywords").body == b"one two three"


def assert_500(answer):
    assert (answer.status, answer.reason, answer["content-type"]) == (500, "Internal Server Error", "text/plain; charset=utf-8")
    assert answer.body == b"Internal Server Error\n"
    assert answer["x-gone"] is None, "a header of the response that failed"


# :: Before the headers were sent


@pytest.mark.parametrize("when", ["before", "after", "first"])
@pytest.mark.parametrize("length", ["", "&length=1"])
def test_an_exception_before_the_first_byte(server, wire, when, length):
    mark = len(server.log)
    for _ in range(3):
        assert_500(wire.ask(f"/raises?when={when}{length}&note=e"))
        assert_usable(wire)
    server.wait_log(r"error wsgi: GET /raises\?when=.*: the application raised\n +Traceback \(most recent call last\):\n(.*\n)*? +wsgi_app\.OwnError: of our own$", start=mark)


def test_the_traceback_shows_the_application_only(server):
    mark = len(server.log)
    server.get("/raises?when=before")
    traceback = server.wait_log(r"Traceback(.*\n)*?.*OwnError: of our own", start=mark)[0]
    assert 'wsgi_app.py", line ' in traceback and "raise error" in traceback
    assert "_driver" not in traceback


@pytest.mark.parametrize("what", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "StopIteration", "MemoryError", "OSError", "BaseException", "Unprintable", "RecursionError"])
@pytest.mark.parametrize("when", ["before", "first"])
def test_every_kind_of_exception_is_only_that_requests(server, wire, what, when):
    mark = len(server.log)
    answer = wire.ask(f"/raises?when={when}&what={what}&note=kinds")
    if what == "StopIteration" and when == "first":
        # In __next__ that is the regular end.
        assert (answer.status, answer["content-length"]) == (200, "0")
    else:
        assert_500(answer)
        server.wait_log(rf"^ +(wsgi_app\.)?{what}\b", start=mark)
    assert_usable(wire)
    assert server.running


@pytest.mark.parametrize("code", ["", "0", "7", "text"])
def test_sys_exit_does_not_end_the_worker(server, wire, code):
    mark = len(server.log)
    assert_500(wire.ask(f"/exits?code={code}"))
    server.wait_log("SystemExit", start=mark)
    assert_usable(wire)


def test_head_of_a_failing_application(wire):
    answer = wire.ask("/raises?when=before", "HEAD")
    assert (answer.status, answer.body) == (500, b"")
    assert_usable(wire)


def test_a_failing_application_that_has_not_read_its_body(wire):
    assert_500(wire.ask("/raises?when=before", "POST", body=b"x" * 100_000))
    assert_usable(wire)


def test_a_chained_exception_with_control_characters(server):
    mark = len(server.log)
    assert server.get("/chained").status == 500
    server.wait_log(r"^ +KeyError: 'the cause'\n(.*\n)*? +The above exception was the direct cause(.*\n)*? +wsgi_app\.OwnError: the consequence\n +second line \\x1b\[31m of", start=mark)


@pytest.mark.parametrize("page, message", [
    ("returns-none", "'NoneType' object is not iterable"),
    ("returns-number", "'int' object is not iterable"),
    ("returns-str", "the response body must be made of bytes, not str"),
    ("returns-str-list", "the response body must be made of bytes, not str"),
    ("returns-str-list-of-two", "the response body must be made of bytes, not str"),
    ("write-str", "the response body must be made of bytes, not str"),
    ("returns-bytearray", "the response body must be made of bytes, not bytearray"),
    ("no-start", r"start_response\(\)"),
    ("no-start-empty", r"start_response\(\)"),
    ("no-start-generator", r"start_response\(\)"),
])
def test_a_wrong_answer_is_explained(server, wire, page, message):
    mark = len(server.log)
    assert_500(wire.ask(f"/{page}"))
    server.wait_log(rf"{message}", start=mark)
    assert_usable(wire)


# :: In the middle of the body


def cut(wire, target, protocol="HTTP/1.1"):
    """Ask, and return the body bytes that came before the connection broke; fails when the response looks complete."""
    wire.request(target, protocol=protocol)
    data = b""
    try:
        # Breaking off drops what was not on its way yet, so even the head may be missing.
        answer = wire.head()
        assert answer.status == 200
        if answer["transfer-encoding"] == "chunked":
            while piece := wire.chunk():
                data += piece
        elif answer["content-length"]:
            data = wire.exactly(int(answer["content-length"]))
        else:
            data = wire.rest()
    except (Broken, ConnectionResetError):
        return data
    raise AssertionError(f"a response that was broken off looks complete: {answer} {data}")


@pytest.mark.parametrize("page", ["raises?when=middle", "raises?when=middle&length=1", "raises-in-generator", "raises-after-write", "raises-twice", "returns-str-later"])
def test_an_exception_in_the_body_breaks_the_connection(server, wire, page):
    mark = len(server.log)
    came = cut(wire, f"/{page}{'&' if '?' in page else '?'}note=middle")
    assert any(sent.startswith(came) for sent in (b"the first half", b"half", b"bytes")), came
    server.wait_log(r"the application raised\n ", start=mark)
    server.wait_log(rf'request: GET "/{re.escape(page.partition("?")[0])}.* 200 .* aborted$', start=mark)
    assert server.get("/keywords").status == 200


@pytest.mark.parametrize("page", ["raises?when=middle", "raises-in-generator", "raises-after-write"])
def test_an_http10_client_notices_it_as_well(wire, page):
    """Where the end of the connection is the end of the body, only a reset tells that something is missing."""
    cut(wire, f"/{page}{'&' if '?' in page else '?'}note=middle10", "HTTP/1.0")


@pytest.mark.parametrize("length", ["", "&length=1"])
def test_the_standard_client_notices_it(server, length):
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        server.get(f"/raises?when=middle&note=client{length}")


def test_many_broken_responses(server):
    def client(i):
        for _ in range(10):
            with Wire(server) as w:
                cut(w, "/raises?when=middle&note=many")
        return True

    assert many(10, client) == [True] * 10
    assert server.get("/keywords").status == 200


def noted(server, label):
    return server.get(f"/noted?note={label}").json


def test_close_is_called_after_an_exception_in_the_body(server, wire):
    cut(wire, "/raises?when=middle&note=close-middle")
    assert until(lambda: noted(server, "close-middle"), "close()") == ["close"]


def test_an_exception_in_close_is_logged_and_hurts_nobody(server, wire):
    mark = len(server.log)
    answer = wire.ask("/raises-in-close?note=x")
    assert (answer.status, answer.body) == (200, b"one two three")
    assert_usable(wire)
    server.wait_log(r"^ +wsgi_app\.OwnError: in close$", start=mark)


def test_both_exceptions_are_logged(server, wire):
    mark = len(server.log)
    cut(wire, "/raises-twice?note=x")
    server.wait_log(r"OwnError: the first error(.*\n)*?.*OwnError: the second error", start=mark)


# :: Content-Length


@pytest.mark.parametrize("how", ["list", "generator", "write"])
def test_more_than_the_length(server, how):
    """Never more than declared on the wire; the log says what is wrong."""
    mark = len(server.log)
    if how == "generator":
        # Byte by byte: three were sent before the fourth turned out to be too many.
        with Wire(server) as w:
            w.request("/length?length=3&body=12345&how=generator")
            with pytest.raises(ConnectionResetError):
                answer = w.head()
                assert (answer.status, answer["content-length"]) == (200, "3")
                assert w.rest() == b"123"
    else:
        with Wire(server) as w:
            assert_500(w.ask(f"/length?length=3&body=12345&how={how}"))
            assert_usable(w)
    server.wait_log("more than its Content-Length", start=mark)


@pytest.mark.parametrize("how", ["generator", "write"])
def test_less_than_the_length(server, how):
    mark = len(server.log)
    with Wire(server) as w:
        assert b"123".startswith(cut(w, f"/length?length=5&body=123&how={how}"))
    server.wait_log("2 bytes less than its Content-Length", start=mark)


@pytest.mark.parametrize("how", ["list", "generator", "write"])
def test_nothing_where_a_length_was_promised(server, how):
    mark = len(server.log)
    with Wire(server) as w:
        assert_500(w.ask(f"/length?length=5&body=&how={how}"))
        assert_usable(w)
    server.wait_log("5 bytes less than its Content-Length", start=mark)


@pytest.mark.parametrize("how", ["list", "generator", "write"])
def test_the_right_length(wire, how):
    for _ in range(2):
        answer = wire.ask(f"/length?length=5&body=12345&how={how}")
        assert (answer["content-length"], answer["transfer-encoding"], answer.body) == ("5", None, b"12345")


@pytest.mark.parametrize("how", ["list", "generator", "write"])
@pytest.mark.parametrize("length, body", [("5", "12345"), ("3", "12345"), ("9", "12345"), ("7", "")])
def test_head_may_promise_any_length(wire, how, length, body):
    answer = wire.ask(f"/length?length={length}&body={body}&how={how}", "HEAD")
    assert (answer.status, answer["content-length"]) == (200, length)
    assert_usable(wire)


# :: Frameworks' own error pages


@pytest.fixture(scope="module")
def flask_server():
    with Server("flask_errors", cores=10, options=["--pp", APPS_HTTP]) as s:
        yield s


@pytest.fixture(scope="module")
def bottle_server():
    with Server("bottle_errors", cores=10, options=["--pp", APPS_HTTP]) as s:
        yield s


@pytest.mark.parametrize("framework", ["flask", "bottle"])
@pytest.mark.parametrize("path, status, text", [
    ("/", 200, "fine"), ("/raises", 500, "Internal Server Error"), ("/missing", 404, "Not"), ("/teapot", 418, "short and stout"), ("/handled", 503, "own page"),
    ("/post-only", 405, "not allowed"), ("/redirect", 302, ""),
])
def test_error_pages_of_frameworks(request, framework, path, status, text):
    server = request.getfixturevalue(f"{framework}_server")
    for _ in range(2):
        answer = server.get(path)
        assert answer.status == status
        assert text.lower() in answer.text.lower()
        if status == 302:
            assert answer.headers["Location"].endswith("/elsewhere")
    if path == "/raises":
        server.wait_log("KeyError: 'of the view'")


@pytest.mark.parametrize("framework", ["flask", "bottle"])
def test_forms_and_json_of_frameworks(request, framework):
    server = request.getfixturevalue(f"{framework}_server")
    form = server.post("/form", "name=%C5%BC%C3%B3%C5%82w&x=1", {"Content-Type": "application/x-www-form-urlencoded"})
    assert form.json == {"name": "żółw"}
    assert server.post("/json", json.dumps({"a": [1, 2]}), {"Content-Type": "application/json"}).json == {"a": [1, 2]}
    assert server.get("/stream").text == "".join(f"{i}\n" for i in range(5))
    assert server.get("/p%C3%A4th/%E2%82%AC?q=%C3%A4").json == {"name": "€", "q": "ä"}
