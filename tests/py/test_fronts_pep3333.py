"""PEP 3333 to the letter, over every front."""

import re

import pytest

from fronts import Service
from serving import Control, until


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def service(control):
    with Service("fronts_app", control) as s:
        yield s
        s.assert_sound()
        assert "   at UGreen" not in s.log and "System." not in s.log, "a stack trace of .NET"


def noted(service, label):
    return service.get(f"/noted?note={label}").json


def until_noted(service, label, n=1):
    return until(lambda: len(found := noted(service, label)) >= n and found, f"{n} notes of {label}")


def usable(client):
    """The client can go on as if nothing had happened."""
    assert client.get("/keywords").body == b"one two three"


# :: environ


STRINGS = ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "HTTP_HOST", "wsgi.url_scheme"]
TYPES = {
    "wsgi.version": "tuple", "wsgi.multithread": "bool", "wsgi.multiprocess": "bool", "wsgi.run_once": "bool", "wsgi.input_terminated": "bool",
    "uwsgi.core": "int", "uwsgi.version": "bytes", "uwsgi.node": "bytes",
}


def test_environ(front):
    found = front.post("/environ-types?q=1", b"body", [("Content-Type", "text/plain")]).json
    types, values = found["types"], found["values"]
    assert found["type"] == "dict" and found["input"] == "body" and all(found["has"]) and all(found["errors"])
    assert {key: types[key] for key in TYPES} == TYPES
    assert {types[key] for key in types if key in STRINGS or key.isupper()} == {"str"}
    expected = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/environ-types", "QUERY_STRING": "q=1", "REQUEST_URI": "/environ-types?q=1", "HTTP_HOST": "site.example",
        "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "4", "wsgi.url_scheme": front.scheme, **front.environ,
    }
    assert {key: values[key] for key in expected} == {key: repr(value) for key, value in expected.items()}
    assert [values[key] for key in ("wsgi.version", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once")] == ["(1, 0)", "True", "False", "False"]
    assert ("HTTPS" in values) is (front.scheme == "https"), "for applications that look at it"
    assert "HTTP_CONTENT_TYPE" not in values and "HTTP_CONTENT_LENGTH" not in values


@pytest.mark.parametrize("target, path, query", [
    ("/environ/", "/environ/", ""),
    ("/environ/?", "/environ/", ""),
    ("/environ/a%20b", "/environ/a b", ""),
    ("/environ/%C3%A9%E2%82%AC", "/environ/\xc3\xa9\xe2\x82\xac", ""),
    ("/environ/%e9", "/environ/\xe9", ""),
    ("/environ/a+b;c=d,e@f:g!$&'()*", "/environ/a+b;c=d,e@f:g!$&'()*", ""),
    ("/environ/x%3Fy?a=%20%26+b&c=%C3%A9", "/environ/x?y", "a=%20%26+b&c=%C3%A9"),
    ("/environ/x??a=b?c/d", "/environ/x", "?a=b?c/d"),
    ("/environ/%2525?%2525", "/environ/%25", "%2525"),
])
def test_paths_are_decoded_and_queries_are_not(front, target, path, query):
    found = front.get(target).json
    assert (found["SCRIPT_NAME"], found["PATH_INFO"], found["QUERY_STRING"], found["REQUEST_URI"]) == ("", path, query, target)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "REPORT"])
def test_methods(front, method):
    assert front.request(method, "/environ/").json["REQUEST_METHOD"] == method


def test_request_headers(front):
    found = front.get("/environ/", [
        ("X-Twice", "one"), ("X-Mixed-Case", "v"), ("X-Twice", "two"), ("X-Latin", "\xe9"), ("Cookie", "a=1"), ("X-Empty", ""), ("Cookie", "b=2, c"), ("Accept", "text/html, */*;q=0.1"),
    ]).json
    assert [found[key] for key in ("HTTP_X_TWICE", "HTTP_X_MIXED_CASE", "HTTP_X_EMPTY", "HTTP_COOKIE", "HTTP_ACCEPT")] == ["one, two", "v", "", "a=1; b=2, c", "text/html, */*;q=0.1"]
    assert found["HTTP_X_LATIN"] == "\xe9", "bytes of headers are latin-1 characters"


def test_content_type_and_length_without_a_body(front):
    found = front.get("/environ/").json
    assert found.get("CONTENT_TYPE", "") == "" and found.get("CONTENT_LENGTH", "") == ""


def test_content_length_of_an_empty_body(front):
    found = front.post("/environ/", b"").json
    assert found["CONTENT_LENGTH"] == "0" and found.get("CONTENT_TYPE", "") == ""


def test_every_request_has_an_environ_of_its_own(front):
    with front.client() as client:
        for method, body in (("GET", None), ("POST", b"body"), ("GET", None), ("GET", None)):
            assert client.request(method, "/pollutes", body=body).body in (b"clean", b"polluted" if front.scheme != "http" else b"clean")
        found = client.get("/environ-types").json
    assert found["input"] == "" and all(found["has"]) and "own.key" not in found["types"]


# :: wsgi.input


BODY = b"one\ntwo two\n\nlast without end"


@pytest.mark.parametrize("how, expected", [
    ("readline", ["one\n", "two two\n", "\n", "last without end"]),
    ("readlines", ["one\n", "two two\n", "\n", "last without end"]),
    ("iteration", ["one\n", "two two\n", "\n", "last without end"]),
    ("limited", ["one\n", "two ", "two\n", "\n", "last", " wit", "hout", " end"]),
    ("mixed", ["one", "\n", "", "two two\n\nlast without end", "", ""]),
])
def test_lines_of_the_body(front, how, expected):
    assert front.post(f"/http/lines?how={how}", BODY).json == expected
    assert front.get(f"/http/lines?how={how}").json == ([] if how != "mixed" else [""] * 6)


def test_the_end_of_the_body(front):
    assert front.post("/body-end", BODY + b"\nmore\nand more").json == ["one", "", "\n", "tw", ["o two\n"], ["\n", "last without end\n", "more\n", "and more"], "", "", "", [], []]


# :: Bodies of responses


@pytest.mark.parametrize("shape", [
    "as-list", "as-tuple", "as-generator", "as-custom", "as-set", "as-getitem", "as-class", "keywords", "as-file", "with-empty-chunks", "write-only", "write-then-iterate",
    "write-then-list", "write-with-length",
])
def test_shapes(front, shape):
    with front.client() as client:
        for _ in range(2):
            answer = client.get(f"/{shape}?note=shape-{front.name}")
            assert (answer.status, answer.body.replace(b" ", b""), answer["content-type"], answer.complete) == (200, b"onetwothree", "text/plain", True), answer
            assert answer["transfer-encoding"] in (None, "chunked")


@pytest.mark.parametrize("shape", ["only-empty-chunks", "no-chunks"])
def test_no_bytes_at_all(front, shape):
    answer = front.get(f"/{shape}?note=x")
    assert (answer.status, answer.body, answer["content-type"], answer.complete) == (200, b"", "text/plain", True)


@pytest.mark.parametrize("page", ["as-list", "as-generator", "write-then-iterate", "as-custom", "write-with-length"])
def test_head_has_no_body(front, page):
    with front.client() as client:
        answer = client.request("HEAD", f"/{page}?note=x")
        assert (answer.status, answer.body, answer["content-type"], answer.complete) == (200, b"", "text/plain", True)
        usable(client)


@pytest.mark.parametrize("how", ["list", "generator"])
@pytest.mark.parametrize("code", ["204", "304"])
def test_statuses_without_a_body(front, code, how):
    with front.client() as client:
        answer = client.get(f"/http/status?code={code}&body=forbidden&how={how}")
        assert (answer.status, answer.body, answer.complete) == (int(code), b"", True)
        usable(client)


def test_response_headers(front):
    answer = front.get("/http/echo", [("X-Echo", "caf\xe9 \t x")])
    assert (answer["x-echo"], answer.all("x-also"), answer.all("set-cookie")) == ("caf\xe9 \t x", ["one", "two"], ["a=1", "b=2, c"])


def test_blanks_around_a_header_value_are_not_sent(front):
    """Django's cookies begin with one. HTTP/2 clients refuse a whole response for it."""
    answer = front.post("/start", repr(("200 OK", [("Set-Cookie", " a=1"), ("X-Both", " \t b c \t "), ("X-None", " ")])).encode())
    assert (answer["set-cookie"], answer["x-both"], answer["x-none"]) == ("a=1", "b c", "")


def test_large_response_headers(front):
    headers = [(f"X-{i}", "v" * 1000) for i in range(60)]
    answer = front.post("/start", repr(("200 OK", headers)).encode())
    assert [answer[f"x-{i}"] for i in range(60)] == ["v" * 1000] * 60


def test_a_file_wrapper_is_closed(front):
    front.get(f"/as-file?note=file-{front.name}")
    assert until_noted(front.service, f"file-{front.name}", 5) == [10, 10, 10, 10, "close"]


@pytest.mark.parametrize("page, status", [("as-custom", 200), ("no-chunks", 200), ("write-then-iterate", 200), ("raises?when=first", 500), ("raises-in-iter", 500), ("raises-in-close", 200)])
def test_close_is_called_once(front, page, status):
    label = f"close-{front.name}-{page.partition('?')[0]}"
    assert front.get(f"/{page}{'&' if '?' in page else '?'}note={label}").status == status
    assert until_noted(front.service, label) == ["close"]
    assert noted(front.service, label) == ["close"]


def test_close_is_called_after_an_exception_in_the_body(front):
    label = f"close-middle-{front.name}"
    front.get(f"/raises?when=middle&note={label}")
    assert until_noted(front.service, label) == ["close"]


# :: start_response


@pytest.mark.parametrize("status, code, reason", [
    ("200 OK", 200, "OK"), ("404", 404, "Not Found"), ("200 Fine by me", 200, "Fine by me"), ("299 Own", 299, "Own"), ("599 Own", 599, "Own"), ("418 I'm a teapot", 418, "I'm a teapot"),
])
def test_status(front, status, code, reason):
    answer = front.post("/start", repr((status, [("Content-Type", "text/plain")])).encode())
    assert (answer.status, answer.body, answer.reason) == (code, b"body", reason if front.kind.has_reason else "")


@pytest.mark.parametrize("arguments, error, word", [
    ((200, []), "TypeError", "status"),
    (("OK", []), "ValueError", "OK"),
    (("2000 OK", []), "ValueError", "2000 OK"),
    (("100 Continue", []), "ValueError", "interim"),
    (("200 OK\r\nX-Forged: 1", []), "ValueError", "control"),
    (("200 \u017b\xf3\u0142w", []), "TypeError", "status"),
    (("200 OK", None), "TypeError", "headers"),
    (("200 OK", {"A": "b"}), "TypeError", "headers"),
    (("200 OK", [["A", "b"]]), "TypeError", "tuple"),
    (("200 OK", [("A", 1)]), "TypeError", "A"),
    (("200 OK", [("A", b"b")]), "TypeError", "A"),
    (("200 OK", [("A", "\u017b")]), "TypeError", "latin-1"),
    (("200 OK", [("", "b")]), "ValueError", "name"),
    (("200 OK", [("A\r\nX-Forged", "1")]), "ValueError", "name"),
    (("200 OK", [("A", "b\r\nX-Forged: 1")]), "ValueError", "control"),
    (("200 OK", [("A", "b\nX-Forged: 1")]), "ValueError", "control"),
    (("200 OK", [("A", "b\0")]), "ValueError", "control"),
    (("200 OK", [("Content-Length", "abc")]), "ValueError", "Content-Length"),
    (("200 OK", [("Content-Length", "4"), ("Content-Length", "5")]), "ValueError", "Content-Length"),
    ((), "TypeError", "start_response"),
])
def test_a_head_that_must_not_be_sent(front, arguments, error, word):
    label = f"head-{front.name}"
    before, mark = len(noted(front.service, label)), len(front.service.log)
    with front.client() as client:
        answer = client.post(f"/start?note={label}", repr(arguments).encode())
        assert (answer.status, answer.body, answer["x-forged"]) == (500, b"Internal Server Error\n", None)
        assert [(kind, word in text) for kind, text in noted(front.service, label)[before:]] == [(error, True)]
        front.service.wait_log(rf"the application raised\n +Traceback (.*\n)*? +{error}", start=mark)
        usable(client)


@pytest.mark.parametrize("name", ["Connection", "keep-alive", "Transfer-Encoding", "UPGRADE", "Proxy-Connection"])
def test_a_hop_by_hop_header_is_left_out(front, name):
    with front.client() as client:
        for _ in range(2):
            answer = client.post("/start", repr(("200 OK", [("X-A", "1"), (name, "chunked"), ("X-B", "2")])).encode())
            assert (answer.status, answer.body, answer["x-a"], answer["x-b"], answer.complete) == (200, b"body", "1", "2", True)
            assert answer[name] != "chunked"
        usable(client)


@pytest.mark.parametrize("name", ["Content-Length", "Date", "Server"])
def test_headers_that_the_application_may_set_itself(front, name):
    value = {"Content-Length": "4", "Date": "Thu, 01 Jan 1970 00:00:00 GMT", "Server": "own"}[name]
    answer = front.post("/start", repr(("200 OK", [(name, value)])).encode())
    assert (answer[name], answer.body) == (value, b"body")


@pytest.mark.parametrize("page, status, body", [
    ("replaced", 503, b"the error page"), ("replaced-in-generator", 503, b"the error page"), ("replaced-first", 503, b"the error page"), ("recovers", 500, b"recovered"),
    ("twice", 500, b"Internal Server Error\n"), ("twice-caught", 200, b"body"),
])
def test_heads_that_are_replaced_or_repeated(front, page, status, body):
    with front.client() as client:
        answer = client.get(f"/{page}?note=replaced")
        assert (answer.status, answer.body, answer["x-old"], answer.complete) == (status, body, None, True)
        usable(client)


@pytest.mark.parametrize("page, expected", [("replaced-too-late", True), ("again-too-late", "AssertionError")])
def test_a_head_that_comes_too_late(front, page, expected):
    """With exc_info the original exception is raised again; in either case the response does not look complete."""
    label = f"{page}-{front.name}"
    answer = front.get(f"/{page}?note={label}")
    assert b"already sent".startswith(answer.body) and not (answer.complete and front.kind.shows_break)
    assert until_noted(front.service, label) == [expected]


# :: Errors


@pytest.mark.parametrize("when", ["before", "after", "first"])
@pytest.mark.parametrize("length", ["", "&length=1"])
def test_an_exception_before_the_first_byte(front, when, length):
    mark = len(front.service.log)
    with front.client() as client:
        answer = client.get(f"/raises?when={when}{length}&note=e")
        assert (answer.status, answer.body, answer["content-type"], answer["x-gone"]) == (500, b"Internal Server Error\n", "text/plain; charset=utf-8", None)
        front.service.wait_log(r"error wsgi: GET /raises\?when=.*: the application raised\n +Traceback \(most recent call last\):\n(.*\n)*? +wsgi_app\.OwnError: of our own$", start=mark)
        usable(client)


# Without a length only the end of the connection tells, which shows_break is about.
@pytest.mark.parametrize("page, sized", [
    ("raises?when=middle", False), ("raises?when=middle&length=1", True), ("raises-in-generator", False), ("raises-after-write", False), ("returns-str-later", False),
])
def test_an_exception_in_the_body_is_visible(front, page, sized):
    mark = len(front.service.log)
    answer = front.get(f"/{page}{'&' if '?' in page else '?'}note=middle")
    assert any(sent.startswith(answer.body) for sent in (b"the first half", b"bytes")), answer
    assert not answer.complete or not (sized or front.kind.shows_break)
    front.service.wait_log(rf'request: GET "/{re.escape(page.partition("?")[0])}.* 200 .* aborted$', start=mark)


def test_a_broken_response_leaves_the_other_requests_alone(front):
    with front.client() as client:
        good = client.open("GET", f"/http/park?point=beside-{front.name}")
        point = front.service.control.wait(f"beside-{front.name}")
        assert client.get("/raises?when=middle&length=1&note=beside").complete is False
        point.release("fine")
        assert good.reply().body == b"fine"


@pytest.mark.parametrize("code", ["", "7", "text"])
def test_sys_exit_does_not_end_the_worker(front, code):
    with front.client() as client:
        assert client.get(f"/exits?code={code}").status == 500
        usable(client)


@pytest.mark.parametrize("page, message", [
    ("returns-none", "'NoneType' object is not iterable"), ("returns-str", "must be made of bytes, not str"), ("as-bytes", "must be made of bytes, not int"),
    ("write-str", "must be made of bytes, not str"), ("no-start", r"start_response\(\)"), ("no-start-generator", r"start_response\(\)"),
])
def test_a_wrong_answer_is_explained(front, page, message):
    mark = len(front.service.log)
    with front.client() as client:
        assert client.get(f"/{page}").status == 500
        front.service.wait_log(message, start=mark)
        usable(client)


# :: Content-Length against the body


@pytest.mark.parametrize("how", ["list", "generator", "write"])
def test_the_right_length(front, how):
    answer = front.get(f"/length?length=5&body=12345&how={how}")
    assert (answer["content-length"], answer["transfer-encoding"], answer.body) == ("5", None, b"12345")


@pytest.mark.parametrize("how, status", [("list", 500), ("write", 500)])
def test_more_than_the_length_at_once(front, how, status):
    mark = len(front.service.log)
    with front.client() as client:
        assert client.get(f"/length?length=3&body=12345&how={how}").status == status
        front.service.wait_log("more than its Content-Length", start=mark)
        usable(client)


def test_more_than_the_length_later(front):
    """Never more than declared; that three of five bytes look complete cannot be helped, they were sent before the fourth came."""
    mark = len(front.service.log)
    with front.client() as client:
        assert b"123".startswith(client.get("/length?length=3&body=12345&how=generator").body)
        # While the connection is open: a client that leaves with its three bytes would end the generator before its mistake.
        front.service.wait_log("more than its Content-Length", start=mark)


@pytest.mark.parametrize("how", ["generator", "write"])
def test_less_than_the_length(front, how):
    mark = len(front.service.log)
    answer = front.get(f"/length?length=5&body=123&how={how}")
    assert b"123".startswith(answer.body) and not answer.complete
    front.service.wait_log("2 bytes less than its Content-Length", start=mark)


def test_head_may_promise_any_length(front):
    with front.client() as client:
        answer = client.request("HEAD", "/length?length=9&body=12345&how=list")
        assert (answer.status, answer["content-length"], answer.complete) == (200, "9", True)
        usable(client)


# :: wsgiref.validate


@pytest.mark.parametrize("page, method, body, status, expected", [
    ("as-list", "GET", None, 200, b"one two three"),
    ("as-generator", "GET", None, 200, b"one two three"),
    ("as-custom", "GET", None, 200, b"one two three"),
    ("with-empty-chunks", "GET", None, 200, b"one two three"),
    ("write-then-iterate", "GET", None, 200, b"one two three"),
    ("reads-and-writes", "GET", None, 200, b"written read "),
    ("reads-and-writes", "POST", b"the\nbody", 200, b"written read the\nbody"),
    ("reads-and-writes", "POST", b"", 200, b"written read "),
    ("validated-204", "GET", None, 204, b""),
    ("validated-error", "GET", None, 500, b"error page"),
    ("as-list", "HEAD", None, 200, b""),
    ("as-generator", "OPTIONS", None, 200, b"one two three"),
])
def test_the_validator_stays_silent(front, page, method, body, status, expected):
    mark = len(front.service.log)
    with front.client() as client:
        for _ in range(2):
            answer = client.request(method, f"/validated/{page}?note=validated", [("Cookie", "a=b"), ("X-A", "1")], body)
            assert (answer.status, answer.body, answer.complete) == (status, expected, True)
    front.service.wait_log(rf'request: {method} "/validated/{page}', start=mark)
    assert "Error" not in front.service.log[mark:] and "Traceback" not in front.service.log[mark:], front.service.log[mark:]
