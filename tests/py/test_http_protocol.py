"""HTTP/1.x as clients see it: connections, framing, targets, headers."""

import hashlib
import json
import re
import socket
import struct

import pytest
from apps_http.wire import APPS_HTTP, Broken, Wire
from serving import Server, free_port, many, read_all


@pytest.fixture(scope="module")
def server():
    with Server("http_app", cores=30, options=["--pp", APPS_HTTP]) as s:
        yield s


@pytest.fixture
def wire(server):
    with Wire(server) as w:
        yield w


def environ(wire, target, headers="", method="GET", **more):
    answer = wire.ask(target, method, headers, **more)
    assert answer.status == 200, answer
    return json.loads(answer.body)


# :: Connections


def test_many_requests_share_a_connection(wire):
    ports = {environ(wire, f"/environ?{i}")["REMOTE_PORT"] for i in range(200)}
    assert ports == {str(wire.socket.getsockname()[1])}


def test_requests_sent_at_once_are_answered_in_order(wire):
    requests = []
    for i in range(50):
        body = b"x" * (i * 37)
        requests.append(f"POST /digest?{i} HTTP/1.1\r\nHost: t\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        requests.append(f"GET /small?n={i} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
    wire.send(b"".join(requests))
    for i in range(50):
        assert json.loads(wire.response().body)["length"] == i * 37
        assert wire.response().body == f"small {i}".encode()


def test_a_request_may_come_byte_by_byte(wire):
    wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b"POST /digest HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc":
        wire.send(bytes([byte]))
    assert json.loads(wire.response().body)["length"] == 3


def test_connection_close_is_honoured(wire):
    answer = wire.ask("/small", headers="Connection: close\r\n")
    assert (answer.status, answer["connection"]) == (200, "close")
    assert wire.is_closed()


def test_http10_closes_after_the_response(wire):
    answer = wire.ask("/small?n=10", protocol="HTTP/1.0")
    assert (answer.status, answer.body) == (200, b"small 10")
    assert wire.is_closed()


def test_http10_can_ask_for_keep_alive(wire):
    for i in range(3):
        answer = wire.ask(f"/small?n={i}", headers="Connection: keep-alive\r\n", protocol="HTTP/1.0")
        assert (answer.body, answer["connection"]) == (f"small {i}".encode(), "keep-alive")


#: A body that looks like a request, and must not be touched.
LOOKS_LIKE_ONE = b"POST /x HTTP/1.0\r\n\r\n"


def post10(target, *headers, method="POST", body=b""):
    return "\r\n".join([f"{method} {target} HTTP/1.0", "Host: t", "Connection: keep-alive", *headers, "", ""]).encode() + body


#: Requests of one connection with the method and the digest's length that belong to each.
OLD_REQUESTS = [
    (post10("/echo-method"), "POST", None), (post10("/digest"), None, 0), (post10("/digest", method="PUT"), None, 0),
    (post10("/digest", f"Content-Length: {len(LOOKS_LIKE_ONE)}", body=LOOKS_LIKE_ONE), None, LOOKS_LIKE_ONE), (b"\r\n" + post10("/echo-method", method="PUT"), "PUT", None),
    (post10("/ignore?n=1", f"Content-Length: {len(LOOKS_LIKE_ONE)}", body=LOOKS_LIKE_ONE), None, None), (post10("/digest", "Content-Length: 0"), None, 0),
    (b"POST /digest HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(LOOKS_LIKE_ONE) + LOOKS_LIKE_ONE + b"\r\n0\r\n\r\n", None, LOOKS_LIKE_ONE),
    (post10("/echo-method", "Content-Length: 0", method="PUT"), "PUT", None), (post10("/digest"), None, 0),
]


@pytest.mark.parametrize("pieces", ["one by one", "together", "byte by byte"])
def test_http10_needs_no_length(wire, pieces):
    """POST and PUT with neither Content-Length nor Transfer-Encoding have an empty body, wherever on a connection they come; bodies that look like one stay as they are."""
    if pieces == "together":
        wire.send(b"".join(data for data, _, _ in OLD_REQUESTS))
    for data, method, body in OLD_REQUESTS:
        if pieces == "one by one":
            wire.send(data)
        elif pieces == "byte by byte":
            for byte in data:
                wire.send(bytes([byte]))
        answer = wire.response()
        assert answer.status == 200, answer
        if method is not None:
            assert json.loads(answer.body)["REQUEST_METHOD"] == method
        if body is not None:
            found = json.loads(answer.body)
            assert found["length"] == (body if body == 0 else len(body)) and (body == 0 or found["sha"] == hashlib.sha256(body).hexdigest()), found


@pytest.mark.parametrize("target, host, expected", [
    ("http://other.example:99/x", "test", "other.example:99"), ("http://t/x", "t:80", "t:80"), ("http://user@other/x", "test", "other"), ("/x", "name:", "name"), ("/x", "[::1]:", "[::1]"),
    ("http://[::1]:99/x", "test", "[::1]:99"), ("/x", "a_b", "a_b"), ("/x", "", ""),
])
def test_host(wire, target, host, expected):
    """Of an absolute target and Host the target counts (RFC 9112, section 3.2.2); an empty port is none."""
    for _ in range(2):
        wire.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert json.loads(wire.response().body)["HTTP_HOST"] == expected


def test_host_of_an_absolute_target_in_http10(wire):
    wire.send("GET http://user@other.example:99/x HTTP/1.0\r\n\r\n")
    assert json.loads(wire.response().body)["HTTP_HOST"] == "other.example:99"


def test_a_coding_that_was_taken_off_is_not_announced(wire):
    wire.send(b"POST /environ HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    found = json.loads(wire.response().body)
    assert "HTTP_TRANSFER_ENCODING" not in found and found["wsgi.input_terminated"] is True


def test_http10_streams_without_chunks_and_ends_by_closing(wire):
    answer = wire.ask("/status?body=streamed&how=generator", protocol="HTTP/1.0")
    assert (answer["transfer-encoding"], answer["content-length"], answer.body) == (None, None, b"streamed")


def test_http10_needs_no_host(server):
    assert server.raw(b"GET /small HTTP/1.0\r\n\r\n").endswith(b"small ")


def test_many_connections_at_once(server):
    def client(i):
        with Wire(server) as w:
            return [w.ask(f"/small?n={i}.{k}").body.decode() for k in range(20)]

    assert many(50, client) == [[f"small {i}.{k}" for k in range(20)] for i in range(50)]


def test_a_small_response_is_one_segment(wire):
    """Head and body leave in one write; counted by the kernel, which knows better than recv()."""
    data_segments_received = struct.Struct("152xI")  # tcpi_data_segs_in of struct tcp_info
    for i in range(50):
        wire.send(b"GET /small HTTP/1.1\r\nHost: t\r\n\r\n")
        data = wire.socket.recv(65536)
        assert data.startswith(b"HTTP/1.1 200 OK\r\n") and data.endswith(b"\r\n\r\nsmall ")
    info = wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    assert data_segments_received.unpack_from(info)[0] == 50


# :: Malformed requests


@pytest.mark.parametrize("request_bytes, statuses", [
    (b"nonsense\r\n\r\n", {400}),
    (b"GET /small HTTP/1.1\r\n\r\n", {400}),
    (b"GET /small HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}),
    (b"GET /small HTTP/3.7\r\nHost: t\r\n\r\n", {400, 505}),
    (b"GET small HTTP/1.1\r\nHost: t\r\n\r\n", {400, 405}),
    (b"GET /a b HTTP/1.1\r\nHost: t\r\n\r\n", {400}),
    (b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: t\r\n\r\n", {400}),
    (b"GET /%00 HTTP/1.1\r\nHost: t\r\n\r\n", {400}),
    (b"GET /small HTTP/1.1\r\nHost: t\r\nBad Name: x\r\n\r\n", {400}),
    (b"GET /small HTTP/1.1\r\nHost: t\r\nNoColon\r\n\r\n", {400}),
    (b"GET /small HTTP/1.1\r\nHost: t\r\nA: b\r\n folded\r\n\r\n", {400}),
    (b"GET /small HTTP/1.1\r\nHost: t\r\nA: nul\0\r\n\r\n", {400}),
    (b"POST /digest HTTP/1.1\r\nHost: t\r\nContent-Length: +3\r\n\r\nabc", {400}),
    (b"POST /digest HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n", {400}),
    (b"POST /digest HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", {400}),
    (b"POST /digest HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    (b"POST /digest HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    (b"POST /digest HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50), {400}),
    (b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\nHost: t\r\n\r\n", {414}),
    (b"GET /small HTTP/1.1\r\nHost: t\r\nX: " + b"x" * 70000 + b"\r\n\r\n", {431}),
    (b"GET /small HTTP/1.1\r\nHost: t\r\n" + b"X: y\r\n" * 2000 + b"\r\n", {431}),
])
def test_a_malformed_request_is_refused_and_the_connection_closed(server, request_bytes, statuses):
    with Wire(server) as w:
        w.send(request_bytes)
        answer = w.response()
        assert answer.status in statuses, answer
        assert w.is_closed()


def test_the_server_lives_after_malformed_requests(server):
    assert server.get("/small").text == "small "


# :: Target


@pytest.mark.parametrize("target, path, query", [
    ("/", "/", ""),
    ("/a%20b", "/a b", ""),
    ("/caf%C3%A9", "/caf\xc3\xa9", ""),
    ("/%ff%80%7F", "/\xff\x80\x7f", ""),
    ("/a%2Fb%2f..%2F", "/a/b/../", ""),
    ("/a/../b/./c//d", "/a/../b/./c//d", ""),
    ("/a+b%2Bc", "/a+b+c", ""),
    ("/x?", "/x", ""),
    ("/x?a=%20+%2F&b=%C3%A9&&=", "/x", "a=%20+%2F&b=%C3%A9&&="),
    ("/x?a?b?c", "/x", "a?b?c"),
    ("/%3Fno?yes", "/?no", "yes"),
    ("/a;b=c:d@e,f", "/a;b=c:d@e,f", ""),
    ("/%0A%0D%1B", "/\n\r\x1b", ""),
    ("http://example.org:99/a%20b?c", "/a b", "c"),
    ("http://example.org", "/", ""),
])
def test_target(wire, target, path, query):
    # An absolute target must agree with Host (RFC 9112, section 3.2.2), so the request is written by hand.
    host = re.match(r"http://([^/?]+)|", target)[1] or "test"
    wire.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    answer = wire.response()
    assert answer.status == 200, answer
    found = json.loads(answer.body)
    assert (found["PATH_INFO"], found["QUERY_STRING"], found["REQUEST_URI"], found["SCRIPT_NAME"]) == (path, query, target, "")


def test_a_long_target(wire):
    found = environ(wire, "/" + "%41" * 2000 + "?" + "q" * 1500)
    assert (found["PATH_INFO"], found["QUERY_STRING"]) == ("/" + "A" * 2000, "q" * 1500)


def test_options_for_the_whole_server(wire):
    assert environ(wire, "*", method="OPTIONS")["PATH_INFO"] == "*"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "X-OWN"])
def test_methods(wire, method):
    assert environ(wire, "/environ", method=method)["REQUEST_METHOD"] == method


def test_a_request_to_upgrade_is_an_ordinary_one(wire):
    """Nobody here speaks the other protocol; the body is empty and not what would follow an upgrade."""
    answer = wire.ask("/digest", headers="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    assert (answer.status, json.loads(answer.body)["length"]) == (200, 0)


# :: Headers


def test_latin1_values_both_ways(wire):
    every = "".join(map(chr, [9, *range(32, 127), *range(0xA0, 0x100)])).strip()
    answer = wire.ask("/echo", headers=f"X-Echo: {every}\r\n")
    assert answer["x-echo"] == every
    assert answer.body.decode() == repr(every)


def test_utf8_in_a_value_arrives_as_its_bytes(wire):
    wire.send("GET /echo HTTP/1.1\r\nHost: t\r\nX-Echo: żółw\r\n\r\n".encode())
    answer = wire.response()
    assert answer["x-echo"].encode("latin-1").decode() == "żółw"


def test_repeated_response_headers_stay_separate(wire):
    answer = wire.ask("/echo")
    assert answer.all("set-cookie") == ["a=1", "b=2, c"]
    assert answer.all("x-also") in (["one", "two"], ["one, two"])


def test_repeated_request_headers_are_joined(wire):
    found = environ(wire, "/", "X-A: 1\r\nAccept: a\r\nCookie: x=1\r\nX-A: 2\r\nAccept: b, c\r\nCookie: y=2\r\nx-a: 3\r\n")
    assert (found["HTTP_X_A"], found["HTTP_ACCEPT"], found["HTTP_COOKIE"]) == ("1, 2, 3", "a, b, c", "x=1; y=2")


def test_a_header_with_an_underscore_is_dropped(wire):
    found = environ(wire, "/", "X_Real_IP: forged\r\nX-Real-IP: true\r\nContent_Length: 7\r\n")
    assert found["HTTP_X_REAL_IP"] == "true"
    assert "CONTENT_LENGTH" not in found and "HTTP_CONTENT_LENGTH" not in found
    assert "HTTP_OTHER_ONE" not in environ(wire, "/", "Other_One: x\r\n")


def test_blanks_around_a_value_are_not_part_of_it(wire):
    assert environ(wire, "/", "X-A: \t a b \t\r\nX-Empty:\r\n")["HTTP_X_A"] == "a b"
    assert environ(wire, "/", "X-Empty:\r\n")["HTTP_X_EMPTY"] == ""


def test_content_type_and_length_have_no_prefix(wire):
    answer = wire.ask("/environ", "POST", "Content-Type: text/x-own; a=b\r\n", b"12345")
    found = json.loads(answer.body)
    assert (found["CONTENT_TYPE"], found["CONTENT_LENGTH"]) == ("text/x-own; a=b", "5")
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(found)


def test_the_same_connection_does_not_remember_headers(wire):
    assert environ(wire, "/", "X-Once: 1\r\n")["HTTP_X_ONCE"] == "1"
    assert "HTTP_X_ONCE" not in environ(wire, "/")


def test_many_different_header_names(wire):
    """More names than the server keeps."""
    for block in range(20):
        found = environ(wire, "/", "".join(f"X-Name-{block}-{i}: {i}\r\n" for i in range(60)))
        assert all(found[f"HTTP_X_NAME_{block}_{i}"] == str(i) for i in range(60))


def test_date_is_sent_and_server_is_not(wire):
    answer = wire.ask("/small")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer["date"])
    assert answer["server"] is None


# :: Responses without a body


@pytest.mark.parametrize("how", ["list", "generator"])
@pytest.mark.parametrize("target, method, status, length", [
    ("/status?body=hello", "HEAD", 200, {"list": "5", "generator": None}),
    ("/status?body=hello&length=5", "HEAD", 200, "5"),
    ("/status?length=1234", "HEAD", 200, "1234"),
    ("/status?code=404&body=hello", "HEAD", 404, {"list": "5", "generator": None}),
    ("/status?code=204", "GET", 204, None),
    ("/status?code=204&body=hello", "GET", 204, None),
    ("/status?code=304&length=5", "GET", 304, "5"),
    ("/status?code=304&body=hello", "GET", 304, None),
    ("/status?code=204", "HEAD", 204, None),
])
def test_no_body(wire, how, target, method, status, length):
    for _ in range(2):
        answer = wire.ask(f"{target}&how={how}", method)
        assert answer.status == status, answer
        assert answer["transfer-encoding"] is None or method == "HEAD"
        assert answer["content-length"] == (length[how] if isinstance(length, dict) else length)
    # A stray body byte would now be taken for the next response.
    assert wire.ask("/small?n=after").body == b"small after"


@pytest.mark.parametrize("how", ["list", "generator"])
def test_an_empty_body_has_length_0(wire, how):
    answer = wire.ask(f"/status?how={how}")
    assert (answer.status, answer["content-length"], answer.body) == (200, "0", b"")


@pytest.mark.parametrize("how", ["list", "generator"])
@pytest.mark.parametrize("code", ["205", "299", "404", "418", "511", "599"])
def test_other_statuses(wire, how, code):
    answer = wire.ask(f"/status?code={code}&how={how}&body={'' if code == '205' else 'hello'}")
    assert answer.status == int(code)
    assert answer.body == (b"" if code == "205" else b"hello")
    assert wire.ask("/small?n=after").body == b"small after"


# :: Addresses


def listening(server, n):
    server.wait_log(r"(listening on .*\n.*){%d}" % n)
    return re.findall(r"^listening on http://(\S+):(\d+)$", server.log, re.MULTILINE)


def test_several_addresses():
    port = free_port()
    with Server("http_app", http=f":{port}", options=["--http", "[::1]:0", "--http", "localhost:0", "--http", "0", "--http", "*:0", "--pp", APPS_HTTP]) as server:
        found = listening(server, 5)
        assert found[0] == ("0.0.0.0", str(port))
        assert [host for host, _ in found[1:]] == ["[::1]", "127.0.0.1", "0.0.0.0", "0.0.0.0"]
        assert len({port for _, port in found}) == 5
        for host, port in found:
            server.host, server.port = {"0.0.0.0": "127.0.0.1"}.get(host, host.strip("[]")), int(port)
            with Wire(server) as w:
                found = environ(w, "/environ")
            assert (found["SERVER_NAME"], found["SERVER_PORT"], found["REMOTE_ADDR"]) == (server.host, str(server.port), server.host)


def test_default_address():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8000))
            is_free = True
        except OSError:
            is_free = False
    with Server("http_app", http=None, cores=None, options=["--pp", APPS_HTTP], ready=False) as server:
        if is_free:
            server.wait_ready()
            assert (server.host, server.port) == ("127.0.0.1", 8000)
            assert "listening on http://127.0.0.1:8000\n" in server.log
            assert re.search(r"cores +100, ", server.log)
            assert read_all_small(server) == b"small "
        else:
            # Somebody else has it: then that is what the server must say.
            assert server.wait_exit() == 1
            assert "127.0.0.1:8000: the address is already in use" in server.log


def read_all_small(server):
    with server.connect() as s:
        s.sendall(b"GET /small HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        return read_all(s).partition(b"\r\n\r\n")[2]


def test_broken_is_noticed_by_our_own_reader(server):
    """The reader of these tests itself must not take a cut response for a whole one."""
    left, right = socket.socketpair()
    with left, right:
        class Fake:
            def connect(self):
                return left.dup()

        with Wire(Fake()) as w:
            right.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            right.shutdown(socket.SHUT_WR)
            with pytest.raises(Broken):
                w.response()
