"""Files as responses: wsgi.file_wrapper and uwsgi.sendfile()."""

import gzip
import os
import random
import signal
import socket
import struct
import textwrap

import pytest
from bodies_client import ask, assert_closed, code_headers, noted, open_files, raw_request
from serving import PATIENCE, Control, Server, abort, background, read_all, read_until, until

SIZE = 300_000
DATA = random.Random(3).randbytes(SIZE)

# More than the kernel's socket buffers and the front's take up: a client that does not read keeps the response open.
HUGE = 32 << 20


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("bodies", cores=2, env=control.env) as s:
        yield s


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "data"
    file.write_bytes(DATA)
    return str(file)


@pytest.fixture
def huge(tmp_path):
    """A sparse file: HUGE zeros that take no disk."""
    file = tmp_path / "huge"
    with open(file, "wb") as f:
        f.truncate(HUGE)
    return str(file)


# :: wsgi.file_wrapper


@pytest.mark.parametrize("make", [
    'open(path, "rb")', 'open(path, "rb", buffering=0)', 'open(path, "r+b")', 'io.BufferedReader(io.FileIO(path), 10)', 'os.fdopen(os.open(path, os.O_RDONLY), "rb")',
    'copy(tempfile.NamedTemporaryFile())', 'copy(tempfile.TemporaryFile())', 'named(open(path, "rb"))',
])
def test_a_file(server, path, make):
    """What Python itself opens is sent by the server: so its length is known."""
    answer = ask(server, f"""
        def copy(file):
            file.write(open(path, "rb").read())     # some of it is still in the file's buffer
            file.seek(0)
            return file
        def named(file):
            file.title = "an attribute of the application's own"
            return file
        ok()
        return wrapper({make})
        """, path=path)
    assert (answer.status, answer.headers["Content-Length"], answer.headers["Transfer-Encoding"]) == (200, str(SIZE), None)
    assert answer.body == DATA
    assert_closed(server, path)


#: Objects that lend the descriptor of a file whose bytes they do not give: what each makes of the file at ``path``.
BORROWED = """
    import codecs
    SECRET = bytes(b ^ 0x55 for b in range(256))
    class Subclass(io.BufferedReader):
        def read(self, n=-1): return super().read(n).translate(SECRET)
    class RawSubclass(io.FileIO):
        def read(self, n=-1): return super().read(n).translate(SECRET)
    class RawBelow(io.FileIO):
        def readinto(self, buffer):
            count = super().readinto(buffer)
            buffer[:count] = bytes(buffer[:count]).translate(SECRET)
            return count
    class Proxy:
        def __init__(self, file): self.file = file
        def __getattr__(self, name): return getattr(self.file, name)
        def read(self, n=-1): return self.file.read(n).translate(SECRET)
    class Wrapped:
        def __init__(self, file): self.file, self.fileno, self.close = file, file.fileno, file.close
        def read(self, n=-1): return self.file.read(n).translate(SECRET)
    class Inherited(io.RawIOBase):
        def __init__(self, file): self.file = file
        def fileno(self): return self.file.fileno()
        def readable(self): return True
        def readinto(self, buffer):
            data = self.file.read(len(buffer)).translate(SECRET)
            buffer[:len(data)] = data
            return len(data)
        def close(self): self.file.close()
    class Codec(codecs.StreamReader):
        def decode(self, data, errors="strict"): return data.translate(SECRET), len(data)
        charbuffertype = bytes
    class Lies(Proxy):
        __class__ = io.BufferedReader
    def method(file):
        read = file.read
        file.read = lambda n=-1: read(n).translate(SECRET)
        return file
    def method_below():
        raw = io.FileIO(path)
        readinto = raw.readinto
        def own(buffer):
            count = readinto(buffer)
            buffer[:count] = bytes(buffer[:count]).translate(SECRET)
            return count
        raw.readinto = own
        return io.BufferedReader(raw)
    def temporary():
        file = tempfile.NamedTemporaryFile()
        file.write(open(path, "rb").read())
        file.seek(0)
        return method(file)
    """


@pytest.mark.parametrize("make", [
    'Subclass(io.FileIO(path))', 'RawSubclass(path)', 'io.BufferedReader(RawBelow(path))', 'Proxy(open(path, "rb"))', 'Wrapped(open(path, "rb"))',
    'Inherited(open(path, "rb"))', 'io.BufferedReader(Inherited(open(path, "rb")))', 'Lies(open(path, "rb"))', 'method(open(path, "rb"))', 'method(open(path, "rb", buffering=0))',
    'method(open(path, "r+b"))', 'method_below()', 'temporary()', 'Codec(open(path, "rb"))',
])
@pytest.mark.parametrize("way", ["return wrapper(file, 10_000)", "uwsgi.sendfile(file, 10_000); file.close(); return []"])
def test_an_object_that_only_lends_a_descriptor(server, path, make, way):
    """A wrapper that decrypts must not send what is encrypted, nor one that filters what it leaves out."""
    answer = ask(server, f"{textwrap.dedent(BORROWED)}file = {make}\nok()\n{way}", path=path)
    assert answer.status == 200 and answer.body == DATA.translate(bytes(b ^ 0x55 for b in range(256)))
    assert_closed(server, path)


def test_a_read_that_is_exchanged_later(server, path):
    """What counts is the read() that the wrapper was given; and what was once read through is not sent around it afterwards."""
    answer = ask(server, """
        file = open(path, "rb")
        file.read = lambda n: b""
        found = wrapper(file)
        del file.read
        ok()
        return found
        """, path=path)
    assert (answer.status, answer.body) == (200, b"")


def test_never_more_than_the_declared_length_of_what_is_read(server, path):
    for length in (0, 1000, SIZE):
        answer = ask(server, f"{textwrap.dedent(BORROWED)}ok(('Content-Length', '{length}'))\nreturn wrapper(Proxy(open(path, 'rb')), 999)", path=path)
        assert (answer.headers["Content-Length"], len(answer.body)) == (str(length), length)
    assert_closed(server, path)


@pytest.mark.parametrize("mode", ["wb", "ab", "xb"])
def test_a_file_that_cannot_be_read(server, path, tmp_path, mode):
    file = tmp_path / "new" if mode == "xb" else path
    assert ask(server, f"ok(); return wrapper(open(path, '{mode}', buffering=0))", path=str(file)).status == 500


def test_from_where_it_stands(server, path):
    answer = ask(server, """
        file = open(path, "rb")
        assert len(file.read(10)) == 10         # the descriptor itself stands far behind
        ok()
        return wrapper(file)
        """, path=path)
    assert (answer.headers["Content-Length"], answer.body) == (str(SIZE - 10), DATA[10:])


@pytest.mark.parametrize("position", [SIZE, SIZE + 10])
def test_at_and_behind_the_end(server, path, position):
    answer = ask(server, "file = open(path, 'rb'); file.seek(position); ok(); return wrapper(file)", path=path, position=position)
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "0", b"")


def test_an_empty_file(server, tmp_path):
    (tmp_path / "empty").touch()
    answer = ask(server, "ok(); return wrapper(open(path, 'rb'))", path=str(tmp_path / "empty"))
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "0", b"")


def test_never_more_than_the_declared_length(server, path):
    answer = ask(server, "ok(('Content-Length', '1000')); return wrapper(open(path, 'rb'))", path=path)
    assert (answer.headers["Content-Length"], answer.body) == ("1000", DATA[:1000])
    assert_closed(server, path)


def test_less_than_the_declared_length_is_an_error(server, path):
    mark = len(server.log)
    answer = ask(server, "ok(('Content-Length', '300001')); return wrapper(open(path, 'rb'))", path=path)
    assert answer.status == 500
    server.wait_log("the file has 1 bytes less than the application's Content-Length", start=mark)
    assert_closed(server, path)


def test_without_start_response(server, path):
    assert ask(server, "return wrapper(open(path, 'rb'))", path=path).status == 500
    assert_closed(server, path)


def test_head(server, path):
    with server.connect() as s:
        s.sendall(raw_request("ok(); return wrapper(open(path, 'rb'))", "HEAD", path=path))
        s.sendall(b"GET /small HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        head, _, rest = read_all(s).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % SIZE in head
    assert rest.startswith(b"HTTP/1.1 200 OK") and rest.endswith(b"small")
    assert_closed(server, path)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_statuses_without_a_body(server, path, status):
    answer = ask(server, "start_response(status, []); return wrapper(open(path, 'rb'))", path=path, status=status)
    assert (answer.status, answer.body) == (int(status[:3]), b"")


@pytest.mark.parametrize("make, expected", [
    ('io.BytesIO(b"x" * 100_000)', b"x" * 100_000),
    ('gzip.open(path)', b"unpacked" * 1000),
    ('io.BufferedReader(gzip.open(path))', b"unpacked" * 1000),
    ('open("/proc/self/comm", "rb")', None),
    ('os.fdopen(pipe()[0], "rb")', b"through a pipe"),
    ('temporary(tempfile.NamedTemporaryFile())', b"only just written"),
    ('temporary(tempfile.TemporaryFile())', b"only just written"),
    ('temporary(tempfile.SpooledTemporaryFile())', b"only just written"),
])
def test_what_only_looks_like_a_file(server, tmp_path, make, expected):
    """What its own read() gives is what the client gets."""
    with gzip.open(tmp_path / "packed", "wb") as file:
        file.write(b"unpacked" * 1000)
    answer = ask(server, f"""
        def pipe():
            ends = os.pipe()
            os.write(ends[1], b"through a pipe")
            os.close(ends[1])
            return ends
        def temporary(file):
            file.write(b"not sent; only just written")
            file.seek(10)
            return file
        ok()
        return wrapper({make}, 10_000)
        """, path=str(tmp_path / "packed"))
    assert answer.status == 200
    assert answer.body == expected if expected is not None else len(answer.body) > 1


def test_a_text_file_is_refused(server, path):
    mark = len(server.log)
    with open(path, "w", encoding="ascii") as file:
        file.write("text")
    assert ask(server, "ok(); return wrapper(open(path))", path=path).status == 500
    server.wait_log("must be made of bytes, not str", start=mark)


def test_it_is_a_plain_iterable_and_has_close(server):
    answer = ask(server, """
        import json
        file = io.BytesIO(b"abcdefgh")
        middle = wrapper(file, 3)
        found = [block.decode() for block in middle]
        middle.close()
        class Bare:
            def read(self, size): return b""
        try:
            wrapper(object())
        except AttributeError as error:
            ok()
            return [json.dumps([found, file.closed, hasattr(wrapper(Bare()), "close"), "read" in str(error)]).encode()]
        """)
    assert answer.json == [["abc", "def", "gh"], True, False, True]


def test_through_middleware_that_iterates(server, path):
    answer = ask(server, "ok(); return (block for block in wrapper(open(path, 'rb'), 1000))", path=path)
    assert answer.body == DATA


def test_after_write(server, path):
    answer = ask(server, "ok()(b'first'); return wrapper(open(path, 'rb'))", path=path)
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, None, b"first" + DATA)
    assert_closed(server, path)


def test_close_is_called_once_and_the_core_is_free_while_the_client_takes_its_time(server, huge):
    """Both cores have handed over a file to a client that does not read; the next requests find them free."""
    code = """
        file = open(path, "rb")
        found = wrapper(file)
        def close():
            note("closed")
            file.close()
        found.close = close
        ok()
        return found
        """
    clients = [server.connect(receive_buffer=4096) for _ in range(4)]
    try:
        for s in clients:
            s.sendall(raw_request(code, path=huge, extra="Connection: close\r\n"))
            assert s.recv(100)
        assert [server.get("/small").text for _ in range(20)] == ["small"] * 20
        assert noted(server) == ["closed"] * 4
        assert open_files(server, huge) == 4, "the front has the files open, the application has not"
        # Two finish, two leave.
        for s in clients[:2]:
            assert 100 + rest_of(s) > HUGE
        for s in clients[2:]:
            abort(s)
        assert_closed(server, huge)
    finally:
        for s in clients:
            s.close()


def rest_of(s):
    """How many bytes come until the server closes."""
    count = 0
    buffer = bytearray(1 << 20)
    while n := s.recv_into(buffer):
        count += n
    return count


def test_a_file_that_shrinks_meanwhile_is_a_broken_response(server, huge):
    mark = len(server.log)
    with server.connect(receive_buffer=4096) as s:
        s.sendall(raw_request("ok(); return wrapper(open(path, 'rb'))", path=huge))
        read_until(s, b"\r\n\r\n")
        os.truncate(huge, 1000)
        with pytest.raises(ConnectionResetError):
            rest_of(s)
    server.wait_log(r"response of GET /code broken off: the file ended \d+ bytes too early", start=mark)
    assert_closed(server, huge)


def test_a_file_that_grows_meanwhile(server, huge):
    with server.connect(receive_buffer=4096) as s:
        s.sendall(raw_request("ok(); return wrapper(open(path, 'rb'))", path=huge, extra="Connection: close\r\n"))
        head = read_until(s, b"\r\n\r\n")
        os.truncate(huge, 2 * HUGE)
        rest = len(head.partition(b"\r\n\r\n")[2]) + rest_of(s)
    assert rest == HUGE


# :: uwsgi.sendfile


@pytest.mark.parametrize("file", [
    "path", "path.encode()", "__import__('pathlib').Path(path)", "os.open(path, os.O_RDONLY)", "open(path, 'rb')", "open(path, 'rb', buffering=0)", "io.BytesIO(open(path, 'rb').read())",
])
@pytest.mark.parametrize("arguments, start, end", [("", 0, SIZE), (", 0, 1000", 1000, SIZE), (", 0, 1000, 5000", 1000, 6000), (", 0, 0, 70_000", 0, 70_000), (", 4096, 299_990, 5000", 299_990, SIZE)])
def test_sendfile(server, path, file, arguments, start, end):
    answer = ask(server, f"ok(); file = {file}; assert uwsgi.sendfile(file{arguments}) is True; isinstance(file, int) and os.close(file); return [b'', b'and more']", path=path)
    assert (answer.status, answer.headers["Content-Length"]) == (200, None)
    assert answer.body == DATA[start:end] + b"and more"
    assert_closed(server, path)


def test_sendfile_with_a_length(server, path):
    """It sends no more than the length leaves room for, and the connection lives on."""
    with server.connect() as s:
        for declared in (SIZE, 1000):
            s.sendall(raw_request("ok(('Content-Length', str(declared))); assert uwsgi.sendfile(path); return []", path=path, declared=declared))
            data = read_until(s, b"\r\n\r\n")
            while len(data.partition(b"\r\n\r\n")[2]) < declared:
                data += s.recv(1 << 20)
            assert data.partition(b"\r\n\r\n")[2] == DATA[:declared]


def test_sendfile_of_a_file_object_begins_where_it_stands(server, path):
    answer = ask(server, """
        file = open(path, "rb")
        file.read(7)
        ok()
        uwsgi.sendfile(file)
        uwsgi.sendfile(file, 0, 0, 3)           # a position that is given counts
        return []
        """, path=path)
    assert answer.body == DATA[7:] + DATA[:3]


def test_sendfile_beyond_4_GiB(server, tmp_path):
    with open(tmp_path / "far", "wb") as file:
        file.seek(5 << 30)
        file.write(b"far away")
    assert ask(server, "ok(); uwsgi.sendfile(path, 0, 5 << 30); return []", path=str(tmp_path / "far")).body == b"far away"


@pytest.mark.parametrize("file", ["'/no/such/file'", "b'/no/such/file'", "'/tmp'", "'nul\\x00'", "'/etc/hostname/x'"])
def test_sendfile_of_what_cannot_be_opened(server, file):
    assert ask(server, f"ok(); return [repr(uwsgi.sendfile({file})).encode()]").text == "None"


@pytest.mark.parametrize("call, error", [
    ("object()", "TypeError"), ("None", "TypeError"), ("1.5", "TypeError"), ("path, 'x'", "TypeError"), ("path, 0, 1.5", "TypeError"), ("path, 0, -1", "ValueError"), ("path, -1", "ValueError"),
    ("path, 0, 0, -1", "ValueError"), ("path, 0, 1 << 70", "ValueError"), ("-1", "OSError"), ("999_999", "OSError"), ("", "TypeError"), ("pipe()[0], 0, 10", "OSError"),
])
def test_sendfile_of_what_is_no_file(server, path, call, error):
    answer = ask(server, f"""
        opened = []
        def pipe():
            opened.extend(os.pipe())
            return opened
        ok()
        try:
            uwsgi.sendfile({call})
        except Exception as error:
            for fd in opened: os.close(fd)
            return [type(error).__name__.encode()]
        """, path=path)
    assert answer.text == error
    assert_closed(server, path)


def test_sendfile_before_start_response(server, path):
    answer = ask(server, """
        try:
            uwsgi.sendfile(path)
        except AssertionError as error:
            ok()
            return [str(error).encode()]
        """, path=path)
    assert "start_response" in answer.text


def test_sendfile_outside_of_a_request(server, path):
    answer = ask(server, """
        found = []
        def run():
            try:
                uwsgi.sendfile(path)
            except SystemError as error:
                found.append(str(error))
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(10)
        ok()
        return [found[0].encode()]
        """, path=path)
    assert "only from the main callable" in answer.text


def test_sendfile_and_head(server, path):
    with server.connect() as s:
        s.sendall(raw_request("ok(); assert uwsgi.sendfile(path) is True; return []", "HEAD", path=path, extra="Connection: close\r\n"))
        assert read_all(s).endswith(b"\r\n\r\n")
    assert_closed(server, path)


@pytest.mark.parametrize("name", ["/proc/self/comm", "/proc/self/status"])
def test_sendfile_of_a_file_that_says_it_is_empty(server, name):
    assert len(ask(server, "ok(); assert uwsgi.sendfile(name); return []", name=name).body) > 1


def test_sendfile_of_a_pipe_waits_without_holding_others_up(server, control):
    with background(ask, server, """
            inner, outer = os.pipe()
            ok()
            def feed():
                os.write(outer, reach("feed").encode())
                os.close(outer)
            thread = threading.Thread(target=feed)
            thread.start()
            uwsgi.sendfile(inner)
            thread.join(10)
            os.close(inner)
            return []
            """) as request:
        here = control.wait("feed")
        assert server.get("/small").text == "small"
        here.release("fed")
        assert request.result(30).text == "fed"


SEND_AND_NOTE = """
    ok()
    try:
        uwsgi.sendfile(path)
    except OSError as error:
        note(type(error).__name__)
        raise
    note("sent")
    return []
    """


def test_sendfile_waits_for_a_slow_client_and_others_are_served(server, huge):
    with server.connect(receive_buffer=4096) as s:
        s.sendall(raw_request(SEND_AND_NOTE, path=huge, extra="Connection: close\r\n"))
        assert s.recv(10)
        assert [server.get("/small").text for _ in range(20)] == ["small"] * 20
        assert noted(server) == []
        assert rest_of(s) > HUGE
    assert until(lambda: noted(server), "the end of sendfile()") == ["sent"]
    assert_closed(server, huge)


@pytest.mark.parametrize("how", [abort, socket.socket.close])
def test_a_client_that_leaves_in_the_middle_of_sendfile(server, huge, how):
    mark = len(server.log)
    s = server.connect(receive_buffer=4096)
    s.sendall(raw_request(SEND_AND_NOTE, path=huge))
    assert s.recv(10)
    how(s)
    assert until(lambda: noted(server), "the end of sendfile()") == ["BrokenPipeError"]
    assert_closed(server, huge)
    assert "Traceback" not in server.log[mark:], "a client that leaves is no error of the application"


def test_a_file_that_shrinks_in_the_middle_of_sendfile(server, huge):
    """Also when the application does not care: what has no length and broke off must not look complete."""
    with server.connect(receive_buffer=4096) as s:
        s.sendall(raw_request("""
            ok()
            try:
                uwsgi.sendfile(path)
            except OSError as error:
                note(str(error))
            return []
            """, path=huge))
        read_until(s, b"\r\n\r\n")
        os.truncate(huge, 1000)
        with pytest.raises(ConnectionResetError):
            rest_of(s)
    assert "too early" in until(lambda: noted(server), "the end of sendfile()")[0]
    assert_closed(server, huge)


def test_many_downloads_leave_nothing_open(server, path, huge):
    before = len(os.listdir(f"/proc/{server.pid}/fd"))
    for i in range(100):
        assert ask(server, "ok(); return wrapper(open(path, 'rb'))" if i % 2 else "ok(); uwsgi.sendfile(path); return []", path=path).body == DATA
        s = server.connect(receive_buffer=4096)
        s.sendall(raw_request("ok(); return wrapper(open(path, 'rb'))" if i % 3 else "ok(); uwsgi.sendfile(path); return []", path=huge))
        if i % 2:
            s.recv(10)
        (abort if i % 5 else socket.socket.close)(s)
    assert_closed(server, path)
    assert_closed(server, huge)
    until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= before + 5, "the server's descriptors to be closed")


def test_a_keep_alive_connection_of_files(server, path):
    connection = server.client()
    try:
        for i in range(30):
            connection.request("GET", "/code", headers=code_headers("ok(); return wrapper(open(path, 'rb'))" if i % 2 else "ok(('Content-Length', '300000')); uwsgi.sendfile(path); return []", path=path))
            answer = connection.getresponse()
            assert answer.read() == DATA
    finally:
        connection.close()


def test_http_1_0(server, path):
    with server.connect() as s:
        s.sendall(raw_request("ok(); uwsgi.sendfile(path); return []", path=path).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert read_all(s).partition(b"\r\n\r\n")[2] == DATA


def test_a_broken_head_is_a_500_and_closes_the_file(server, path):
    assert ask(server, "start_response('200 OK', [('X Y', 'z')]); return wrapper(open(path, 'rb'))", path=path).status == 500
    assert_closed(server, path)


# :: Frameworks, and the other front


def test_flask_send_file(server, path):
    answer = ask(server, """
        import flask
        app = flask.Flask("files")
        with app.request_context(environ):
            response = flask.send_file(path, mimetype="video/mp4")
        result = response(environ, start_response)
        note(type(result).__module__)
        return result
        """, path=path)
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, str(SIZE), DATA)
    assert noted(server) == ["ugreen._files"]
    assert_closed(server, path)


def test_django_file_response(server, path):
    answer = ask(server, """
        from django.conf import settings
        if not settings.configured:
            settings.configure(ROOT_URLCONF="files", ALLOWED_HOSTS=["*"], SECRET_KEY="x", DEBUG_PROPAGATE_EXCEPTIONS=True)
            import sys, types, django
            django.setup()
            from django.http import FileResponse
            from django.urls import path as url
            sys.modules["files"] = types.ModuleType("files")
            sys.modules["files"].urlpatterns = [url("code", lambda request: FileResponse(open(path, "rb")))]
        from django.core.wsgi import WSGIHandler
        result = WSGIHandler()(environ, start_response)
        note(type(result).__module__)
        return result
        """, path=path)
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, str(SIZE), DATA)
    assert noted(server) == ["ugreen._files"]
    assert_closed(server, path)


@pytest.fixture(scope="module")
def uwsgi_socket(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("uwsgi") / "app.sock")
    with Server("bodies", cores=2, options=["--socket", path]) as s:
        yield s, path


def uwsgi_ask(socket_path, code, variables={}, receive=read_all, **values):
    """The answer's bytes to a request by the uwsgi protocol that runs this code."""
    variables = {"REQUEST_METHOD": "GET", "PATH_INFO": "/code", "QUERY_STRING": "", **variables}
    variables.update((f"HTTP_{name.upper().replace('-', '_')}", value) for name, value in code_headers(code, **values).items())
    block = b"".join(struct.pack("<H", len(part)) + part for pair in variables.items() for part in (p.encode() for p in pair))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(socket_path)
        s.sendall(struct.pack("<BHB", 0, len(block), 0) + block)
        return receive(s)


@pytest.mark.parametrize("code", ["ok(); return wrapper(open(path, 'rb'))", "ok(); assert uwsgi.sendfile(path); return []"])
def test_files_over_the_uwsgi_protocol(uwsgi_socket, path, code):
    server, socket_path = uwsgi_socket
    for _ in range(5):
        head, _, body = uwsgi_ask(socket_path, code, path=path).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK") and body == DATA
    assert_closed(server, path)


@pytest.mark.parametrize("code", ["assert uwsgi.chunked_read_nb() is None", "try: uwsgi.chunked_read(0.01)\nexcept OSError: pass"])
def test_a_read_that_nobody_waits_for_any_more_over_the_uwsgi_protocol(uwsgi_socket, code):
    """The answer comes although the body does not."""
    _, socket_path = uwsgi_socket
    for _ in range(5):
        assert uwsgi_ask(socket_path, code + "\nok()\nreturn [b'answer']", {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5"}, lambda s: read_until(s, b"\r\n\r\nanswer"))


def test_a_download_under_way_is_finished_when_the_server_stops(control, huge):
    with Server("bodies", cores=2) as server, server.connect(receive_buffer=65536) as s:
        s.sendall(raw_request("ok(); return wrapper(open(path, 'rb'))", path=huge, extra="Connection: close\r\n"))
        head = read_until(s, b"\r\n\r\n")
        server.send_signal(signal.SIGTERM)
        server.wait_log("no new requests")
        assert len(head.partition(b"\r\n\r\n")[2]) + rest_of(s) == HUGE
        assert server.wait_exit() == 0
