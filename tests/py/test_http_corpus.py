"""Requests that are malformed, hostile or at the edge of what is allowed, byte by byte: what the client is told, whether the connection goes on, what the application saw.

Ideas are from the test corpora of other servers and from what is written about request smuggling; none of their files is here.
"""

import json
import socket

import pytest
from apps_http.wire import APPS_HTTP, Wire
from serving import Server, until

#: Nothing of this may ever be in the log, whatever a client sends.
FORBIDDEN = ("Traceback", "   at ", "Exception", "nhandled", " error ", " crit ")

ROWS = []


def row(name, data, *statuses, kept=None, seen=None, half_close=False):
    """``statuses``: of the responses, in order. ``kept``: the connection goes on (by default when the last one is a 200). ``seen``: what the application notes, by default
    "GET /a 0" for each 200 and nothing else. ``half_close``: the client ends its sending side, after which it may also get nothing."""
    kept = (statuses[-1] == 200) if kept is None else kept
    seen = [f"GET /a 0" for status in statuses if status == 200] if seen is None else seen
    ROWS.append(pytest.param(data, list(statuses), kept, seen, half_close, id=name))


def lines(*parts):
    return b"".join((p.encode("latin-1") if isinstance(p, str) else p) + b"\r\n" for p in parts) + b"\r\n"


def get(*headers, line="GET /a HTTP/1.1", host="Host: t"):
    return lines(line, *([host] if host else []), *headers)


def post(*headers, body=b"", target="/a"):
    return lines(f"POST {target} HTTP/1.1", "Host: t", *headers) + body


def chunked(body, *headers):
    return post("Transfer-Encoding: chunked", *headers, body=body)


#: Sent behind a broken request: must never be answered, nor reach the application.
SMUGGLED = get(line="GET /smuggled HTTP/1.1")

# :: Request line

row("plain", get(), 200)
row("empty line before", b"\r\n" + get(), 200)
row("two empty lines before", b"\r\n\r\n" + get(), 200)
row("nonsense", b"nonsense\r\n\r\n", 400)
row("binary", bytes(range(1, 256)) + b"\r\n\r\n", 400)
row("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50), 400)
row("HTTP/0.9", b"GET /a\r\n\r\n", 400)
row("HTTP/0.9 with a space", b"GET /a \r\n\r\n", 400)
row("HTTP/1.0", get(line="GET /a HTTP/1.0", host=None), 200, kept=False)
row("HTTP/1.2", get(line="GET /a HTTP/1.2"), 505)
row("HTTP/2.0", get(line="GET /a HTTP/2.0"), 505)
row("HTTP/3.0", get(line="GET /a HTTP/3.0"), 505)
row("HTTP/1.01", get(line="GET /a HTTP/1.01"), 400)
row("HTTP/1", get(line="GET /a HTTP/1"), 400)
row("HTTP/11", get(line="GET /a HTTP/11"), 400)
row("HTTP/-1.1", get(line="GET /a HTTP/-1.1"), 400)
row("http/1.1", get(line="GET /a http/1.1"), 505)
row("HTTPS/1.1", get(line="GET /a HTTPS/1.1"), 400)
row("version with a space inside", get(line="GET /a HTTP/ 1.1"), 400)
row("space after the version", get(line="GET /a HTTP/1.1 "), 400)
row("two spaces before the target", get(line="GET  /a HTTP/1.1"), 400)
row("tabs instead of spaces", get(line="GET\t/a\tHTTP/1.1"), 400)
row("space before the method", b" " + get(), 400)
row("space in the target", get(line="GET /a b HTTP/1.1"), 400)
row("no target", get(line="GET HTTP/1.1"), 400)
row("no method", get(line=" /a HTTP/1.1"), 400)
row("CR alone ends the line", b"GET /a HTTP/1.1\rHost: t\r\n\r\n", 400)
row("CR twice", b"GET /a HTTP/1.1\r\r\nHost: t\r\n\r\n", 400)
row("LF alone ends the line", b"GET /a HTTP/1.1\nHost: t\r\n\r\n", 400)
row("LF alone everywhere", b"GET /a HTTP/1.1\nHost: t\n\n", 400)
row("LF before the request counts as an empty line", b"\n" + get(), 200)
row("request line of 33 KiB", get(line="GET /" + "a" * 33000 + " HTTP/1.1"), 414)
row("method of 33 KiB", b"G" * 33000 + b" /a HTTP/1.1\r\n\r\n", 414)
row("request line without an end", b"GET /" + b"a" * 40000, 414)

# :: Method

row("lower-case method is another method", get(line="get /a HTTP/1.1"), 200, seen=["get /a 0"])
row("unknown method", get(line="BREW /a HTTP/1.1"), 200, seen=["BREW /a 0"])
row("all characters of a method", get(line="!#$%&'*+-.^_`|~09azAZ /a HTTP/1.1"), 200, seen=["!#$%&'*+-.^_`|~09azAZ /a 0"])
for c in "@(),/:;<=>?[\\]{}\"\x01\x7f\xe9":
    row(f"method with {c!a}", get(line=f"G{c}T /a HTTP/1.1"), 400)
row("CONNECT", lines("CONNECT t:80 HTTP/1.1", "Host: t:80"), 501)
row("TRACE is the application's", get(line="TRACE /a HTTP/1.1"), 200, seen=["TRACE /a 0"])

# :: Target

row("asterisk", get(line="OPTIONS * HTTP/1.1"), 200, seen=["OPTIONS * 0"])
row("asterisk with GET", get(line="GET * HTTP/1.1"), 405)
row("no slash", get(line="GET a HTTP/1.1"), 405)
row("absolute form", get(line="GET http://t/a HTTP/1.1"), 200, seen=["GET http://t/a 0"])
row("absolute form, another host", get(line="GET http://other/a HTTP/1.1"), 200, seen=["GET http://other/a 0"])
row("absolute form, another port", get(line="GET http://t:81/a HTTP/1.1"), 200, seen=["GET http://t:81/a 0"])
row("absolute form, a bad host", get(line="GET http://a,b/a HTTP/1.1"), 400)
row("absolute form without Host", get(line="GET http://t/a HTTP/1.1", host=None), 400)
row("absolute form, no host", get(line="GET http:///a HTTP/1.1"), 400)
row("authority form", get(line="GET t:80 HTTP/1.1"), 405)
row("NUL", get(line="GET /a\0 HTTP/1.1"), 400)
row("encoded NUL", get(line="GET /%00 HTTP/1.1"), 400)
row("fragment", get(line="GET /a#b HTTP/1.1"), 400)
row("beyond ASCII", get(line="GET /caf\xe9 HTTP/1.1"), 400)
row("beyond ASCII in the query", get(line="GET /a?\xe9 HTTP/1.1"), 400)
for c in "\x01\t\x0b\x1f\x7f":
    row(f"target with {c!a}", get(line=f"GET /a{c} HTTP/1.1"), 400)
    row(f"query with {c!a}", get(line=f"GET /a?{c} HTTP/1.1"), 400)
for c in "\"<>\\^`{|}[]":
    row(f"target with {c!a} is let through", get(line=f"GET /{c} HTTP/1.1"), 200, seen=[f"GET /{c} 0"])
for bad in ("%", "%4", "%zz", "%%41", "%u0041"):
    row(f"{bad} stays as it is", get(line=f"GET /{bad} HTTP/1.1"), 200, seen=[f"GET /{bad} 0"])

# :: Host

row("no Host", get(host=None), 400)
row("no Host in HTTP/1.0", get(line="GET /a HTTP/1.0", host=None), 200, kept=False)
row("empty Host", get(host="Host:"), 200)
row("two Hosts", get("Host: t"), 400)
row("two different Hosts", get("Host: other"), 400)
row("Host with a port", get(host="Host: t:8080"), 200)
row("Host is IPv6", get(host="Host: [::1]:8080"), 200)
row("Host with an empty port", get(host="Host: t:"), 200)
row("Host is IPv6 with an empty port", get(host="Host: [::1]:"), 200)
for bad in ("a b", "a,b", "a/b", "a@b", "a:port", "a:80:80", "a:80:", "a::", ":", "[::", "a\tb", "a?b", "a#b", "[::1", "\xe9"):
    row(f"Host {bad!a}", get(host=f"Host: {bad}"), 400)

# :: Header lines

row("no colon", get("NoColon"), 400)
row("no name", get(": value"), 400)
row("space in the name", get("Bad Name: x"), 400)
row("space before the colon", get("A : b"), 400)
row("tab before the colon", get("A\t: b"), 400)
row("space before the first header", lines("GET /a HTTP/1.1", " Host: t"), 400)
row("folded", get("A: b", " c"), 400)
row("folded with a tab", get("A: b", "\tc"), 400)
row("folded length", post("Content-Length:", " 3", body=b"abc"), 400)
for c in "()/<=>?@[\\]{}\"\x01\x7f\xe9":
    row(f"name with {c!a}", get(f"A{c}: b"), 400)
for c in "\0\x01\x07\x0b\x0c\x1b\x1f\x7f":
    row(f"value with {c!a}", get(f"A: b{c}c"), 400)
row("value ends in CR", get("A: b\r"), 400)
row("CR in the value", get("A: b\rC: d"), 400)
row("LF alone in the headers", b"GET /a HTTP/1.1\r\nHost: t\r\nA: b\nC: d\r\n\r\n", 400)
row("LF alone at the end of the head", b"GET /a HTTP/1.1\r\nHost: t\r\n\n", 400)
row("tab in the value", get("A: b\tc"), 200)
row("beyond ASCII in the value", get("A: caf\xe9"), 200)
row("empty value", get("A:"), 200)
row("blanks around the value", get("A: \t b \t "), 200)
row("100 headers", get(*[f"A{i}: b" for i in range(99)]), 200)
row("101 headers", get(*[f"A{i}: b" for i in range(100)]), 431)
row("2,000 headers", get(*["A: b"] * 2000), 431)
row("name of 20 KiB", get("A" * 20000 + ": b"), 200)
row("name of 33 KiB", get("A" * 33000 + ": b"), 431)
row("value of 33 KiB", get("A: " + "b" * 33000), 431)
row("header without an end", b"GET /a HTTP/1.1\r\nHost: t\r\nA: " + b"b" * 40000, 431)
row("two Content-Types", get("Content-Type: a/b", "Content-Type: c/d"), 400)
row("two equal Content-Types", get("Content-Type: a/b", "content-type: a/b"), 400)
row("underscore in a name is dropped", get("X_Real_IP: 1.2.3.4"), 200)
row("unknown expectation is ignored", get("Expect: the-unexpected"), 200)
row("bad header behind a good one", get("A: b", "Transfer-Encoding : chunked") + SMUGGLED, 400)

# :: Length

row("no length, no body", post(), 200, seen=["POST /a 0"])
row("length", post("Content-Length: 3", body=b"abc"), 200, seen=["POST /a 3"])
row("leading zeros", post("Content-Length: 003", body=b"abc"), 200, seen=["POST /a 3"])
for bad in ("+3", "-3", "-0", "0x3", "3.0", "3e0", "1_0", "3,3", "3, 3", "3 3", "abc", "", "\"3\"", "\xb3", "9223372036854775808", "99999999999999999999999", "3;a"):
    row(f"length {bad!a}", post(f"Content-Length: {bad}", body=b"abc" + SMUGGLED), 400)
row("two lengths", post("Content-Length: 3", "Content-Length: 4", body=b"abc" + SMUGGLED), 400)
row("two equal lengths", post("Content-Length: 3", "Content-Length: 3", body=b"abc" + SMUGGLED), 400)
row("length with an underscore is none", post("Content_Length: 3"), 200, seen=["POST /a 0"])
row("a body behind GET", get("Content-Length: 3") + b"abc", 200, seen=["GET /a 3"])
row("an ignored body", post("Content-Length: 3", target="/ignore", body=b"abc"), 200, seen=["POST /ignore"])
for method in ("POST", "PUT", "PATCH", "DELETE"):
    row(f"{method} of HTTP/1.0 without a length", lines(f"{method} /a HTTP/1.0"), 200, kept=False, seen=[f"{method} /a 0"])
row("pOST of HTTP/1.0 is no POST", lines("pOST /a HTTP/1.0"), 200, kept=False, seen=["pOST /a 0"])
row("HTTP/1.0 with a bad length", lines("POST /a HTTP/1.0", "Content-Length: x") + SMUGGLED, 400)

# :: Transfer-Encoding

row("chunked", chunked(b"3\r\nabc\r\n0\r\n\r\n"), 200, seen=["POST /a 3"])
row("Chunked", post("Transfer-Encoding: Chunked", body=b"3\r\nabc\r\n0\r\n\r\n"), 200, seen=["POST /a 3"])
row("an ignored chunked body", post("Transfer-Encoding: chunked", target="/ignore", body=b"3\r\nabc\r\n0\r\n\r\n"), 200, seen=["POST /ignore"])
row("CL.TE", post("Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED), 400)
row("TE.CL", post("Transfer-Encoding: chunked", "Content-Length: 3", body=b"8\r\nabcdefgh\r\n0\r\n\r\n" + SMUGGLED), 400)
row("TE.TE", chunked(b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: identity"), 400)
row("TE.TE the other way", post("Transfer-Encoding: identity", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED), 400)
row("chunked twice", chunked(b"0\r\n\r\n" + SMUGGLED, "Transfer-Encoding: chunked"), 400)
for bad in ("xchunked", "chunkedx", "chunked, chunked", "gzip, chunked", "chunked, gzip", "identity", "", "\"chunked\"", "chunked;a=b", "chunked,", ",chunked", "\x0bchunked", "chun ked", "\xe7hunked"):
    row(f"coding {bad!a}", post(f"Transfer-Encoding: {bad}", body=b"0\r\n\r\n" + SMUGGLED), 400)
row("chunked in HTTP/1.0", lines("POST /a HTTP/1.0", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + SMUGGLED, 400)
row("coding with an underscore is none", post("Transfer_Encoding: chunked"), 200, seen=["POST /a 0"])

# :: Chunks. The application has begun by then, and its read fails.

FAILED = ["POST /a OSError"]
row("extension", chunked(b"3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n"), 200, seen=["POST /a 3"])
row("capital size", chunked(b"A\r\n0123456789\r\n0\r\n\r\n"), 200, seen=["POST /a 10"])
row("trailer", chunked(b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"), 200, seen=["POST /a 3"])
row("forbidden trailers change nothing", chunked(b"3\r\nabc\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: gzip\r\nHost: evil\r\n\r\n"), 200, seen=["POST /a 3"])
for name, bad in {
    "size is not hexadecimal": b"g\r\nabc\r\n", "size is empty": b"\r\nabc\r\n", "size with +": b"+3\r\nabc\r\n", "size with -": b"-3\r\nabc\r\n", "size with 0x": b"0x3\r\nabc\r\n",
    "size with _": b"1_0\r\nabc\r\n", "size behind a space": b" 3\r\nabc\r\n", "space behind the size": b"3 \r\nabc\r\n", "size of 64 bits": b"ffffffffffffffff\r\nabc\r\n",
    "size of 32 bits": b"ffffffff\r\nabc\r\n", "size of 65 bits": b"10000000000000003\r\nabc\r\n", "41 digits": b"0" * 40 + b"3\r\nabc\r\n", "LF alone behind the size": b"3\nabc\r\n",
    "LF alone behind the data": b"3\r\nabc\n", "nothing behind the data": b"3\r\nabc", "data too long": b"3\r\nabcd\r\n", "data too short": b"4\r\nabc\r\n",
    "LF in an extension": b"3;a\nb\r\nabc\r\n", "CR in an extension": b"3;a\rb\r\nabc\r\n", "negative overflow": b"80000000\r\nabc\r\n",
}.items():
    row(f"chunk: {name}", chunked(bad + b"0\r\n\r\n" + SMUGGLED), 400, seen=FAILED)
row("chunk: no colon in a trailer", chunked(b"3\r\nabc\r\n0\r\nNo colon\r\n\r\n" + SMUGGLED), 400, seen=FAILED)
row("chunk: folded trailer", chunked(b"3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n" + SMUGGLED), 400, seen=FAILED)
row("chunk: LF alone at the end", chunked(b"3\r\nabc\r\n0\n\n" + SMUGGLED), 400, seen=FAILED)
row("chunk: trailer of 33 KiB", chunked(b"3\r\nabc\r\n0\r\nA: " + b"b" * 33000 + b"\r\n\r\n" + SMUGGLED), 431, seen=FAILED)
row("chunk: 200 trailers", chunked(b"3\r\nabc\r\n0\r\n" + b"A: b\r\n" * 200 + b"\r\n" + SMUGGLED), 431, seen=FAILED)

# :: Several requests at once

row("pipelined", get() + get() + get(), 200, 200, 200)
row("the second is bad", get() + get("A : b") + SMUGGLED, 200, 400)
row("the second is nonsense", post("Content-Length: 3", body=b"abc") + b"xyz\r\n\r\n", 200, 400, seen=["POST /a 3"])
row("a body that is longer than it says", post("Content-Length: 3", body=b"abcdef\r\n\r\n"), 200, 400, seen=["POST /a 3"])
row("behind Connection: close nothing is served", get("Connection: close") + SMUGGLED, 200, kept=False)

# :: Half a request

for name, data in {"nothing": b"", "half a line": b"GET /a", "half a header": b"GET /a HTTP/1.1\r\nHo", "no empty line": b"GET /a HTTP/1.1\r\nHost: t\r\n"}.items():
    row(f"half-closed after {name}", data, half_close=True, kept=False)
row("half-closed in the body", post("Content-Length: 10", body=b"abc"), half_close=True, kept=False, seen=FAILED)
row("half-closed in a chunk", chunked(b"a\r\nabc"), half_close=True, kept=False, seen=FAILED)


@pytest.fixture(scope="module")
def server():
    with Server("corpus_app", cores=10, options=["--pp", APPS_HTTP]) as s:
        yield s


@pytest.mark.parametrize("data, statuses, kept, seen, half_close", ROWS)
def test_corpus(server, data, statuses, kept, seen, half_close):
    begin = len(server.log)
    with Wire(server) as w:
        w.send(data)
        if half_close:
            w.socket.shutdown(socket.SHUT_WR)
            assert not (rest := rest_of(w)) or rest.startswith(b"HTTP/1.1 400 "), rest
        else:
            assert [w.response().status for _ in statuses] == statuses
            if kept:
                # The very next byte is the next request's: nothing of the last one is left.
                assert w.ask("/next").status == 200
            else:
                assert w.is_closed()
    assert server.get("/next").status == 200
    found = []
    # What an application hears of a client that left may come a moment after the client's end.
    until(lambda: found.extend(entry for entry in server.get("/seen").json if entry != "GET /next 0") or len(found) >= len(seen), f"{seen}")
    assert found == seen
    log = server.log[begin:]
    assert not [word for word in FORBIDDEN if word in log], log


def rest_of(wire):
    """What comes until the server closes, or resets: it has no more to say to a client that has left in the middle."""
    try:
        return wire.rest()
    except ConnectionResetError:
        return b""


def test_the_corpus_is_large_and_its_names_differ():
    assert len(ROWS) >= 120 and len({r.id for r in ROWS}) == len(ROWS)
