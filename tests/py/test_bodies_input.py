"""Request bodies: the details of wsgi.input, uwsgi.chunked_read() beside it, uwsgi.cl(), uwsgi.disconnect(), and what a yield tells the environ."""

import hashlib
import json

import pytest
from bodies_client import ask, noted, raw_request
from serving import Control, Server, abort, read_all, read_until, until


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("bodies", cores=2, env=control.env) as s:
        yield s


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST = b"0\r\n\r\n"


class Upload:
    """A request whose body the test sends piece by piece, with a length or chunked."""

    def __init__(self, server, framing, size, code, **values):
        self.framing = framing
        self.socket = server.connect()
        extra = "Transfer-Encoding: chunked\r\n" if framing == "chunked" else f"Content-Length: {size}\r\n"
        self.socket.sendall(raw_request(code, "POST", extra + "Connection: close\r\n", **values))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(chunk(data) if self.framing == "chunked" else data)

    def end(self):
        if self.framing == "chunked":
            self.socket.sendall(LAST)

    def answer(self):
        head, _, body = read_all(self.socket).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        return body.decode()


def pieces_of(data):
    """The chunks of a chunked response."""
    head, _, rest = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and rest.endswith(LAST), data
    return rest[:-len(LAST)].split(b"\r\n")[1::2]


framings = pytest.mark.parametrize("framing", ["length", "chunked"])


# :: wsgi.input


@pytest.mark.parametrize("size", ["2**20", "2**20 + 1", "2**40", "2**63 - 1", "2**64", "-1", "-7", "None", ""])
@pytest.mark.parametrize("before", [0, 3])
def test_read_of_more_than_there_is(server, size, before):
    body = b"0123456789" * 5
    answer = ask(server, f"""
        source = environ["wsgi.input"]
        first = source.read({before})
        rest = source.read({size})
        ok()
        return [first, b"|", rest, b"|", source.read(10), source.read()]
        """, "POST", body)
    assert answer.body == body[:before] + b"|" + body[before:] + b"|"


def test_asking_for_much_costs_nothing(server):
    """Address space is memory that could be used; read(n) takes what there is of it, not n."""
    with Upload(server, "length", 1 << 40, """
            import resource
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            try:
                environ["wsgi.input"].read(1 << 40)
            except OSError as error:
                note([type(error).__name__, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before])
            ok()
            return []
            """) as upload:
        upload.send(b"only this")
    [[kind, kilobytes]] = until(lambda: noted(server), "the end of read()")
    assert kind == "OSError" and kilobytes < 64 * 1024


@framings
def test_methods_mixed(server, framing):
    with Upload(server, framing, 40, """
            source = environ["wsgi.input"]
            found = [source.read(2), source.readline(), source.readline(3), source.readline(100), source.read(0)]
            found += source.readlines(4)
            found += [next(source), source.read(3), source.read(-1), source.read(), source.readline(), b"".join(source)]
            ok()
            return [repr(found).encode()]
            """) as upload:
        data = b"one\ntwo two\nthree\nfour\nfive\nsix seven end"
        assert len(data) == 41
        upload.send(data[:9])
        upload.send(data[9:-1])
        upload.end()
        found = eval(upload.answer())
    assert found == [b"on", b"e\n", b"two", b" two\n", b"", b"three\n", b"four\n", b"fiv", b"e\nsix seven en", b"", b"", b""]


def test_a_large_read_at_once(server):
    body = bytes(range(256)) * 40_000
    answer = ask(server, """
        import hashlib
        source = environ["wsgi.input"]
        data = source.read(5) + (source.read() if whole else source.read(100 << 20))
        ok()
        return [hashlib.sha1(data).hexdigest().encode()]
        """, "POST", body, whole=True)
    assert answer.text == hashlib.sha1(body).hexdigest()


@framings
def test_the_end_of_a_body_that_was_read_stays_its_end(server, framing):
    """Also when the response is complete: what drains the body in close() finds nothing, and no error."""
    with Upload(server, framing, 5, """
            read = environ["wsgi.input"].read
            assert read(5) == b"01234"
            if is_chunked: assert read(1) == b""
            ok(("Content-Length", "2"))
            yield b"ok"
            note([read().decode(), read(1).decode(), uwsgi.chunked_read().decode(), uwsgi.chunked_read_nb().decode()])
            """, is_chunked=framing == "chunked") as upload:
        upload.send(b"01234")
        upload.end()
        assert upload.answer() == "ok"
    assert until(lambda: noted(server), "the reads") == [["", "", "", ""]]


def test_reading_after_the_response_is_complete_is_an_error_and_no_short_body(server):
    with Upload(server, "length", 10, """
            ok(("Content-Length", "2"))
            yield b"ok"
            try:
                note(environ["wsgi.input"].read().decode())
            except OSError as error:
                note(type(error).__name__)
            """) as upload:
        upload.send(b"01234")
        read_until(upload.socket, b"\r\n\r\nok")
    assert until(lambda: noted(server), "the read") == ["BrokenPipeError"]


# :: chunked_read


@framings
def test_chunked_read(server, control, framing):
    name = f"piece-{framing}"
    with Upload(server, framing, 12, """
            ok()
            while True:
                piece = uwsgi.chunked_read()
                yield piece + b";"
                if not piece: break
                reach(name)
            assert uwsgi.chunked_read() == b"" and uwsgi.chunked_read_nb() == b"" and environ["wsgi.input"].read() == b""
            """, name=name) as upload:
        for piece in (b"hello", b" ", b"world!"):
            upload.send(piece)
            control.wait(name).release()
        upload.end()
        assert pieces_of(read_all(upload.socket)) == [b"hello;", b" ;", b"world!;", b";"]


@framings
def test_chunked_read_nb(server, control, framing):
    name = f"nb-{framing}"
    with Upload(server, framing, 10, """
            found = [uwsgi.chunked_read_nb(), uwsgi.chunked_read_nb()]
            reach(name)
            # What was sent before the release of the checkpoint may still be on its way through the front.
            while (piece := uwsgi.chunked_read_nb()) is None:
                uwsgi.suspend()
            found += [piece, uwsgi.chunked_read_nb()]
            reach(name)
            found += [environ["wsgi.input"].read(), uwsgi.chunked_read_nb(), uwsgi.chunked_read_nb()]
            ok()
            return [repr(found).encode()]
            """, name=name) as upload:
        here = control.wait(name)
        upload.send(b"first")
        here.release()
        here = control.wait(name)
        upload.send(b"other")
        upload.end()
        here.release()
        assert eval(upload.answer()) == [None, None, b"first", None, b"other", b"", b""]


@framings
def test_chunked_read_with_a_time_out(server, control, framing):
    """The time-out costs no byte: the next read, of whichever kind, goes on."""
    name = f"time-out-{framing}"
    with Upload(server, framing, 14, """
            import time
            begun = time.monotonic()
            found = []
            for wanted in ("chunked", "input", "nb"):
                try:
                    uwsgi.chunked_read(0.05)
                except OSError as error:
                    found.append([type(error).__name__, "unable to receive chunked part" in str(error)])
                reach(name)
                if wanted == "chunked":
                    found.append(uwsgi.chunked_read(30).decode())
                elif wanted == "input":
                    found.append(environ["wsgi.input"].read(5).decode())
            assert 0.1 <= time.monotonic() - begun < 30
            found.append(environ["wsgi.input"].read().decode())
            ok()
            import json
            return [json.dumps(found).encode()]
            """, name=name) as upload:
        for piece in (b"first", b"other", b"last"):
            here = control.wait(name)
            upload.send(piece)
            if piece == b"last":
                upload.end()
            here.release()
        assert json.loads(upload.answer()) == [["TimeoutError", True], "first", ["TimeoutError", True], "other", ["TimeoutError", True], "last"]


@framings
def test_chunked_read_and_wsgi_input_share_their_bytes(server, framing):
    with Upload(server, framing, 13, """
            source = environ["wsgi.input"]
            found = [source.readline()]
            while len(b"".join(found)) < 9:
                found.append(uwsgi.chunked_read())
            found.append(source.read())
            ok()
            return [b"".join(found)]
            """) as upload:
        upload.send(b"one\ntwo t")
        upload.send(b"hree")
        upload.end()
        assert upload.answer() == "one\ntwo three"


def test_chunked_read_without_a_body(server):
    assert ask(server, "ok(); return [repr([uwsgi.chunked_read(), uwsgi.chunked_read(1), uwsgi.chunked_read_nb(), uwsgi.cl()]).encode()]").text == "[b'', b'', b'', 0]"


def test_the_next_request_of_the_core_has_nothing_of_the_last_ones_body(server):
    for _ in range(4):
        ask(server, "environ['wsgi.input'].read(1); ok(); return []", "POST", b"secret")
        assert ask(server, "ok(); return [uwsgi.chunked_read()]").body == b""


@pytest.mark.parametrize("call", ["uwsgi.chunked_read('x')", "uwsgi.chunked_read(None)", "uwsgi.chunked_read(float('nan'))", "uwsgi.chunked_read(1, 2)"])
def test_wrong_arguments(server, call):
    assert ask(server, f"""
        try:
            {call}
        except (TypeError, ValueError) as error:
            ok()
            return [type(error).__name__.encode()]
        """, "POST", b"x").text in ("TypeError", "ValueError")


@pytest.mark.parametrize("call", ["uwsgi.chunked_read()", "uwsgi.chunked_read_nb()", "uwsgi.cl()", "uwsgi.disconnect()"])
def test_outside_of_a_request(server, call):
    answer = ask(server, f"""
        found = []
        def run():
            try:
                {call}
            except SystemError as error:
                found.append(str(error))
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(10)
        ok()
        return [found[0].encode()]
        """)
    assert "only from the main callable" in answer.text


@pytest.mark.parametrize("how", ["abort", "malformed"])
def test_a_chunked_body_that_breaks(server, control, how):
    name = f"break-{how}"
    with Upload(server, "chunked", 0, """
            found = [uwsgi.chunked_read().decode()]
            reach(name)
            try:
                uwsgi.chunked_read(30)
            except OSError as error:
                note(found + [str(error)])
            ok()
            return []
            """, name=name) as upload:
        upload.send(b"hello")
        here = control.wait(name)
        if how == "abort":
            abort(upload.socket)
        else:
            upload.socket.sendall(b"zz\r\n")
        here.release()
        [[first, error]] = until(lambda: noted(server), "the end of chunked_read()")
    assert first == "hello" and "unable to receive chunked part" in error


@framings
@pytest.mark.parametrize("code", ["assert uwsgi.chunked_read_nb() is None", "try: uwsgi.chunked_read(0.01)\nexcept OSError: pass"])
def test_a_read_that_nobody_waits_for_any_more_does_not_hold_up_the_next_request(server, framing, code):
    """The response goes out, the rest of the body is passed over, and the connection lives on."""
    extra = "Transfer-Encoding: chunked\r\n" if framing == "chunked" else "Content-Length: 5\r\n"
    mark = len(server.log)
    with server.connect() as s:
        for _ in range(3):
            s.sendall(raw_request(code + "\nok()\nreturn [b'answer']", "POST", extra))
            read_until(s, b"\r\n\r\nanswer")
            s.sendall((chunk(b"12345") + LAST) if framing == "chunked" else b"12345")
            s.sendall(b"GET /small HTTP/1.1\r\nHost: t\r\n\r\n")
            read_until(s, b"\r\n\r\nsmall")
    assert "error" not in server.log[mark:]


def test_others_are_served_while_chunked_read_waits(server):
    with Upload(server, "chunked", 0, "data = uwsgi.chunked_read() + uwsgi.chunked_read(30); ok(); return [data]") as upload:
        upload.send(b"a")
        assert [server.get("/small").text for _ in range(20)] == ["small"] * 20
        upload.send(b"b")
        upload.end()
        assert upload.answer() == "ab"


def test_expect_100_continue(server):
    for read in ("data = uwsgi.chunked_read()", "data = uwsgi.chunked_read(30)", "while not (data := uwsgi.chunked_read_nb()): uwsgi.suspend()"):
        with server.connect() as s:
            s.sendall(raw_request(f"{read}\nok()\nreturn [data]", "POST", "Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n"))
            assert read_until(s, b"\r\n\r\n").startswith(b"HTTP/1.1 100")
            s.sendall(b"hello")
            assert read_all(s).endswith(b"hello")


# :: cl, disconnect


def test_cl(server):
    assert ask(server, "ok(); return [str(uwsgi.cl()).encode()]", "POST", b"12345").text == "5"


@pytest.mark.parametrize("send, received", [("yield b'all'", b"all"), ("yield b'a'; yield b'b'", b"ab")])
def test_disconnect(server, control, send, received):
    with server.connect() as s:
        s.sendall(raw_request(f"""
            ok()
            {send}
            uwsgi.disconnect()
            note([uwsgi.is_connected(), uwsgi.connection_fd()])
            reach("disconnected")
            try:
                yield b"more"
            finally:
                note("closed")
            """))
        here = control.wait("disconnected")
        # The response is whole and the connection has ended, while the application goes on.
        assert b"".join(pieces_of(read_all(s))) == received
        here.release()
        found = []
        until(lambda: found.extend(noted(server)) or "closed" in found, "the end")
        assert found == [[False, -1], "closed"]


def test_disconnect_with_a_length(server):
    with server.connect() as s:
        s.sendall(raw_request("ok(('Content-Length', '5')); yield b'hel'; yield b'lo'; uwsgi.disconnect()"))
        s.sendall(b"GET /small HTTP/1.1\r\nHost: t\r\n\r\n")
        assert read_all(s).partition(b"\r\n\r\n")[2].startswith(b"hello")


def test_disconnect_before_anything_was_sent(server):
    mark = len(server.log)
    with server.connect() as s:
        s.sendall(raw_request("ok(); uwsgi.disconnect(); uwsgi.disconnect(); return [b'nobody']"))
        head, _, body = read_all(s).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and b"Connection: close" in head and body == b""
    with server.connect() as s:
        s.sendall(raw_request("uwsgi.disconnect(); ok(); return []"))
        with pytest.raises(ConnectionResetError):
            s.recv(1)
    assert server.get("/small").text == "small"
    assert "Traceback" not in server.log[mark:]


def test_sending_after_disconnect_is_an_OSError(server, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 100)
    with server.connect() as s:
        s.sendall(raw_request("""
            send = ok()
            uwsgi.disconnect()
            found = []
            for call in (lambda: send(b"x"), lambda: uwsgi.sendfile(path), lambda: environ["wsgi.input"].read(), lambda: uwsgi.chunked_read()):
                try:
                    found.append(call().decode())
                except OSError as error:
                    found.append(type(error).__name__)
            note(found)
            return []
            """, path=str(tmp_path / "file")))
        read_all(s)
    assert until(lambda: noted(server), "the calls") == [["BrokenPipeError", "BrokenPipeError", "", ""]]


# :: What a yield tells the environ


def test_a_yield_tells_what_it_waited_for(server):
    answer = ask(server, """
        import json
        def state():
            return [environ["x-wsgiorg.fdevent.timeout"], environ["uwsgi.ready_fd"]]
        inner, outer = os.pipe()
        ok()
        found = [state()]
        yield b""
        found.append(state())
        yield uwsgi.wait_fd_read(inner, 0.02)
        found.append(state())
        yield b""
        found.append(state())
        os.write(outer, b"x")
        yield uwsgi.wait_fd_read(inner, 30)
        found.append([environ["x-wsgiorg.fdevent.timeout"], environ["uwsgi.ready_fd"] == inner])
        yield environ["x-wsgiorg.fdevent.readable"](inner, 30)
        found.append([environ["x-wsgiorg.fdevent.timeout"], environ["uwsgi.ready_fd"] == inner])
        yield uwsgi.async_sleep(0.01)
        found.append(state())
        uwsgi.wait_fd_read(inner)
        yield b" "                              # a chunk that is sent waits, too
        found.append([environ["x-wsgiorg.fdevent.timeout"], environ["uwsgi.ready_fd"] == inner])
        os.close(inner)
        os.close(outer)
        yield json.dumps(found).encode()
        """)
    assert json.loads(answer.body) == [[None, None], [None, None], [True, None], [None, None], [None, True], [None, True], [True, None], [None, True]]


def test_each_request_begins_without(server):
    ask(server, "ok()\nyield uwsgi.async_sleep(0.01)\nassert environ['x-wsgiorg.fdevent.timeout'] is True")
    for _ in range(3):
        assert ask(server, "ok(); return [repr([environ['x-wsgiorg.fdevent.timeout'], environ['uwsgi.ready_fd'], type(environ['uwsgi.core'])]).encode()]").text == "[None, None, <class 'int'>]"
