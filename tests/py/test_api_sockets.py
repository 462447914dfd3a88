"""uwsgi.connect(), async_connect(), send(fd, …), recv() and close(), against real sockets and pipes. The code given to ``server.run`` runs on a green thread."""

import contextlib
import json
import os
import socket
import tempfile
import textwrap
import time

import pytest

from serving import PATIENCE, Control, Remote, Server, abort, background, free_port, many, until


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("run_code", cores=30, env=control.env) as s:
        yield s


@pytest.fixture
def peer():
    """A listening TCP socket of the test's."""
    with listening("127.0.0.1") as listener:
        yield listener


@contextlib.contextmanager
def listening(host, backlog=50):
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=backlog) as listener:
        listener.settimeout(PATIENCE)
        yield listener


@contextlib.contextmanager
def full():
    """A listening TCP socket whose queue is full: whoever connects gets no answer."""
    with listening("127.0.0.1", backlog=0) as listener, contextlib.ExitStack() as clients:
        for _ in range(4):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener


def address(listener):
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def accepted(listener):
    connection, _ = listener.accept()
    connection.settimeout(PATIENCE)
    return connection


def raises(server, kind, code, **values):
    with pytest.raises(Remote) as caught:
        server.run(code, **values)
    assert caught.value.kind == kind, caught.value
    return caught.value


def serves(server):
    """The worker is not held up."""
    assert server.run("return 'still here'") == "still here"


# :: connect()


TALK = """
    fd = uwsgi.connect(addr, 20)
    assert type(fd) is int and fd >= 0, fd
    facts = [os.get_blocking(fd), os.get_inheritable(fd), uwsgi.is_connected(fd), uwsgi.send(fd, b"hello")]
    answer = uwsgi.recv(fd)
    return [*facts, answer.decode(), uwsgi.recv(fd), uwsgi.close(fd)]
"""


def talk(server, addr, listener):
    """A whole conversation, in which the other side takes its time: the rest of the worker does not."""
    with background(server.run, TALK, addr=addr) as talking, accepted(listener) as connection:
        assert connection.recv(100) == b"hello"
        serves(server)
        connection.sendall(b"world")
        connection.shutdown(socket.SHUT_WR)
        assert talking.result(PATIENCE) == [True, False, True, True, "world", None, None]
        assert connection.recv(100) == b""


def test_tcp(server, peer):
    talk(server, address(peer), peer)


def test_ipv6(server):
    with listening("::1") as listener:
        talk(server, address(listener), listener)


def test_a_host_name(server, peer):
    talk(server, f"localhost:{peer.getsockname()[1]}", peer)


@pytest.mark.parametrize("name", ["path", "@abstract", "\0abstract", "relative"])
def test_unix_sockets(server, name):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = f"{folder}/s:1" if name == "path" else os.path.relpath(f"{folder}/s", server.cwd) if name == "relative" else f"\0ugreen-test-{os.getpid()}-{free_port()}"
        listener.bind(f"{folder}/s" if name == "relative" else path)
        listener.listen()
        listener.settimeout(PATIENCE)
        talk(server, "@" + path[1:] if name == "@abstract" else path, listener)


@pytest.mark.parametrize("function", ["connect", "async_connect"])
def test_what_cannot_be_reached_is_minus_one(server, function):
    """Nothing listens, no such path, a file that is no socket, a host that there is not."""
    for addr in (f"127.0.0.1:{free_port()}", f"[::1]:{free_port()}", "/nowhere/at/all", "/etc/passwd", "@ugreen-test-nobody", f"localhost:{free_port()}", "no-such-host.invalid:80"):
        fd = server.run(f"""
            fd = uwsgi.{function}(addr)
            if fd < 0: return fd
            uwsgi.wait_fd_write(fd, 20); uwsgi.suspend()
            connected = uwsgi.is_connected(fd)
            uwsgi.close(fd)
            return -1 if not connected else fd
        """, addr=addr)
        assert fd == -1, addr


@pytest.mark.parametrize("seconds", ["0.2", "1", "True"])
def test_the_time_is_kept_and_nobody_else_waits(server, seconds):
    with full() as listener, background(server.run, f"start = time.monotonic(); return [uwsgi.connect(addr, {seconds}), time.monotonic() - start]", addr=address(listener)) as waiting:
        serves(server)
        assert not waiting.done() or waiting.result(0)[1] >= 0.2
        fd, took = waiting.result(PATIENCE)
        assert fd == -1 and float(eval(seconds)) <= took < 20


@pytest.mark.parametrize("arguments", ["", ", -0.5"])
def test_without_a_time_it_is_three_seconds(server, arguments):
    with full() as listener:
        fd, took = server.run(f"start = time.monotonic(); return [uwsgi.connect(addr{arguments}), time.monotonic() - start]", addr=address(listener))
        assert fd == -1 and 3 <= took < 20


def test_a_unix_socket_whose_queue_is_full(server):
    """The kernel says EAGAIN at once and never when there is room."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as others:
        listener.bind(f"{folder}/s")
        listener.listen(0)
        listener.settimeout(PATIENCE)
        while True:
            other = others.enter_context(socket.socket(socket.AF_UNIX))
            other.setblocking(False)
            if other.connect_ex(f"{folder}/s"):
                break
        assert server.run("return [uwsgi.async_connect(addr), uwsgi.connect(addr, 0.05)]", addr=f"{folder}/s") == [-1, -1]
        with background(server.run, "fd = uwsgi.connect(addr, 20); sent = uwsgi.send(fd, b'in'); uwsgi.close(fd); return [fd >= 0, sent]", addr=f"{folder}/s") as waiting:
            serves(server)
            found = b""
            while found != b"in":
                with accepted(listener) as connection:
                    connection.settimeout(0.2)
                    with contextlib.suppress(TimeoutError):
                        found = connection.recv(10)
            assert waiting.result(PATIENCE) == [True, True]


def test_many_at_once(server, peer):
    """Thirty green threads connect to one listener, each has its own conversation."""
    code = """
        fd = uwsgi.connect(addr, 20)
        meet("connected", 30)
        sent = uwsgi.send(fd, me.encode())
        answer = uwsgi.recv(fd)
        uwsgi.close(fd)
        return [sent, answer.decode()]
    """
    with background(many, 30, lambda i: server.run(code, addr=address(peer), me=f"g{i}")) as all_of_them, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(accepted(peer)) for _ in range(30)]
        for connection in reversed(connections):
            connection.sendall(connection.recv(100) + b"!")
        assert all_of_them.result(2 * PATIENCE) == [[True, f"g{i}!"] for i in range(30)]


WRONG_ADDRESSES = [
    "", ":80", "host:", "host:x", "host:0", "host:65536", "host:-1", "host:8 0", "host:1e3", "host:٣", "::1:80", "[::1", "[]:80", "[::g]:80", "[127.0.0.1]:80", "[localhost]:80", "[::1]", "a..b:80", "x" * 64 + ":80",
    "@", "\0", "@a\0b", "/a\0b", "host\0:80", "/" + "x" * 107, "@" + "x" * 108,
]


@pytest.mark.parametrize("function", ["connect", "async_connect"])
def test_wrong_addresses(server, function):
    for addr in WRONG_ADDRESSES:
        # "[::1]" and "[::1" are names of unix sockets only without a colon, "host:…" never.
        error = raises(server, "ValueError", f"uwsgi.{function}(addr)", addr=addr)
        assert f"{function}(): addr" in str(error), (addr, error)


@pytest.mark.parametrize("call, argument", [
    ("connect(b'127.0.0.1:80')", "addr"), ("connect(None)", "addr"), ("connect(80)", "addr"), ("connect('127.0.0.1:80', '1')", "timeout"), ("connect('127.0.0.1:80', b'1')", "timeout"), ("connect('127.0.0.1:80', None)", "timeout"),
    ("connect('127.0.0.1:80', 1j)", "timeout"), ("connect()", "addr"), ("connect(addr='127.0.0.1:80')", "connect()"), ("connect('x', 1, 2)", "connect()"),
    ("async_connect(b'127.0.0.1:80')", "addr"), ("async_connect(1)", "addr"), ("async_connect()", "addr"), ("async_connect('x', 1)", "async_connect()"),
    ("recv()", "fd"), ("recv('1')", "fd"), ("recv(1.5)", "fd"), ("recv(None)", "fd"), ("recv(0, '1')", "max"), ("recv(0, 1.5)", "max"), ("recv(0, None)", "max"), ("recv(fd=0)", "recv()"),
    ("send()", "fd"), ("send('1', b'x')", "fd"), ("send(None, b'x')", "fd"), ("send(1, 'x')", "data"), ("send(1, None)", "data"), ("send(1, 5)", "data"), ("send(1, [1])", "data"), ("send(1, b'x', 2)", "send()"),
    ("send('x')", "data"), ("send(None)", "data"), ("send(5)", "data"),
    ("close()", "fd"), ("close('1')", "fd"), ("close(None)", "fd"), ("close(1, 2)", "close()"),
    ("is_connected('1')", "fd"), ("is_connected(1.5)", "fd"),
])
def test_wrong_types(server, call, argument):
    """The original crashes for some of these (uwsgi-api.md, section 8, 29)."""
    assert argument in str(raises(server, "TypeError", f"uwsgi.{call}"))


def test_not_a_number_is_a_valueerror(server):
    assert "timeout" in str(raises(server, "ValueError", "uwsgi.connect('127.0.0.1:80', float('nan'))"))


# :: Lookups


@pytest.fixture
def slow_lookups():
    """A server whose C library takes as long for a lookup as a test wants: shared.go is set by it. How many are under way: shared.running."""
    with Server("run_code", cores=30) as s:
        s.run("""
            shared.go, shared.running, shared.most, shared.real = threading.Event(), 0, 0, socket.getaddrinfo
            def slow(host, *rest):
                shared.running += 1
                shared.most = max(shared.most, shared.running)
                try:
                    if not shared.go.wait(60): raise OSError("the test did not let go")
                    return shared.real("127.0.0.1", *rest)
                finally:
                    shared.running -= 1
            socket.getaddrinfo = slow
        """)
        yield s


@pytest.mark.parametrize("function", ["connect", "async_connect"])
def test_a_lookup_holds_up_only_its_green_thread(slow_lookups, peer, function):
    code = f"fd = uwsgi.{function}(addr); connected = fd >= 0; uwsgi.close(fd); return connected"
    with background(slow_lookups.run, code, addr=f"slow.example:{peer.getsockname()[1]}") as looking:
        until(lambda: slow_lookups.run("return shared.running") == 1, "the lookup")
        serves(slow_lookups)
        # A numeric address is nobody's business.
        assert slow_lookups.run("fd = uwsgi.connect(addr); uwsgi.close(fd); return fd >= 0", addr=address(peer)) is True
        slow_lookups.run("shared.go.set()")
        assert looking.result(PATIENCE) is True


def test_a_lookup_that_takes_too_long(slow_lookups):
    assert slow_lookups.run("start = time.monotonic(); return [uwsgi.connect('slow.example:80', 0.1), time.monotonic() - start < 20]") == [-1, True]
    assert slow_lookups.run("""
        import ugreen
        try:
            with ugreen.timeout(0.1): uwsgi.async_connect("slow.example:80")
        except ugreen.Timeout: return "Timeout"
    """) == "Timeout"


def test_not_too_many_lookups_at_once(slow_lookups, peer):
    """The ninth waits for its turn, within its time; and a name is looked up for those who wait as soon as there is one."""
    code = "fd = uwsgi.connect(addr, 60); connected = fd >= 0; uwsgi.close(fd); return connected"
    with background(many, 12, lambda i: slow_lookups.run(code, timeout=90, addr=f"n{i}.example:{peer.getsockname()[1]}")) as all_of_them:
        until(lambda: slow_lookups.run("return shared.running") == 8, "eight lookups")
        assert slow_lookups.run("return uwsgi.connect('one.more.example:80', 0.1)") == -1
        slow_lookups.run("shared.go.set()")
        assert all_of_them.result(PATIENCE) == [True] * 12
    assert slow_lookups.run("return [shared.running, shared.most]") == [0, 8]


# :: async_connect()


def test_async_connect_as_it_is_meant(server, peer):
    """Begin, wait until it can be written, ask, send, wait until it can be read, receive: the whole of the original's example of I/O-bound programs."""
    code = """
        fd = uwsgi.async_connect(addr)
        facts = [type(fd) is int, os.get_blocking(fd), os.get_inheritable(fd)]
        uwsgi.wait_fd_write(fd, 20); uwsgi.suspend()
        facts += [uwsgi.ready_fd() == fd, uwsgi.is_connected(fd), uwsgi.recv(fd), uwsgi.send(fd, b"GET")]
        uwsgi.wait_fd_read(fd, 20); uwsgi.suspend()
        facts += [uwsgi.ready_fd() == fd, uwsgi.recv(fd).decode(), uwsgi.recv(fd)]
        uwsgi.wait_fd_read(fd, 20); uwsgi.suspend()
        return [*facts, uwsgi.recv(fd), uwsgi.close(fd), uwsgi.is_connected(fd)]
    """
    with background(server.run, code, addr=address(peer)) as talking, accepted(peer) as connection:
        assert connection.recv(10) == b"GET"
        serves(server)
        connection.sendall(b"answer")
        connection.shutdown(socket.SHUT_WR)
        found = talking.result(PATIENCE)
        # Whether the end has come when recv() is called again at once is a matter of luck, but it is None in either case.
        assert found == [True, False, False, True, True, None, True, True, "answer", None, None, None, False]


def test_async_connect_does_not_wait_for_an_answer(server):
    with full() as listener:
        assert server.run("""
            fd = uwsgi.async_connect(addr)
            uwsgi.wait_fd_write(fd, 0.05); uwsgi.suspend()
            found = [fd >= 0, uwsgi.ready_fd(), uwsgi.close(fd)]
            return found
        """, addr=address(listener)) == [True, -1, None]


def test_is_connected_of_what_is_not(server):
    """A connect that failed; -1; a pipe; a number that is free."""
    assert server.run("""
        s = socket.socket(); s.setblocking(False); s.connect_ex(addr := ("127.0.0.1", port))
        uwsgi.wait_fd_write(s, 20); uwsgi.suspend()
        r, w = pipe()
        found = [uwsgi.is_connected(-1), uwsgi.is_connected(r), uwsgi.is_connected(999999), uwsgi.is_connected(-2**31)]
        os.close(r); os.close(w); s.close()
        return found
    """, port=free_port()) == [False] * 4


# :: send() and recv()


BIG = 3_000_000


@pytest.mark.parametrize("kind", ["socketpair", "pipe"])
@pytest.mark.parametrize("blocking", [True, False])
def test_everything_is_sent_while_the_others_run(server, kind, blocking):
    """More than any buffer holds, in either mode; the original loses the rest of it, or stands still. The reader is another green thread of the same worker, so neither may block it."""
    code = """
        import ugreen, _ugreen, hashlib
        r, w = [s.detach() for s in socket.socketpair()] if kind == "socketpair" else os.pipe()
        os.set_blocking(w, blocking); os.set_blocking(r, True)
        sha, done, turns, left = hashlib.sha256(), ugreen.Event(), [0], [size]
        def reader():
            while left[0] and (piece := uwsgi.recv(r, 10000)):
                sha.update(piece); left[0] -= len(piece); turns[0] += 1
            done.set()
        _ugreen.spawn(reader)
        data = os.urandom(size)
        sent = uwsgi.send(w, data)
        complete = done.wait(20)
        uwsgi.close(r); uwsgi.close(w)
        return [sent, complete, sha.digest() == hashlib.sha256(data).digest(), turns[0] >= size // 10000]
    """
    assert server.run(code, kind=kind, blocking=blocking, size=BIG) == [True, True, True, True]


@pytest.mark.parametrize("data, text", [("b'abc'", "abc"), ("bytearray(b'abc')", "abc"), ("memoryview(b'xabc')[1:]", "abc"), ("b''", "")])
def test_what_can_be_sent(server, data, text):
    assert server.run(f"r, w = pipe(); sent = uwsgi.send(w, {data}); got = uwsgi.recv(r); uwsgi.close(r); uwsgi.close(w); return [sent, (got or b'').decode()]") == [True, text]


def test_objects_with_fileno(server):
    assert server.run("""
        a, b = socket.socketpair()
        found = [uwsgi.send(a, b"x"), uwsgi.recv(b).decode(), uwsgi.is_connected(a)]
        b.close()
        return [*found, uwsgi.recv(a), uwsgi.close(a.detach())]
    """) == [True, "x", True, None, None]


@pytest.mark.parametrize("kind", ["socket", "pipe"])
def test_sending_to_one_who_is_gone_is_none(server, kind):
    assert server.run("""
        r, w = [s.detach() for s in socket.socketpair()] if kind == "socket" else os.pipe()
        os.close(r)
        sent = [uwsgi.send(w, b"x"), uwsgi.send(w, b"x")]
        os.close(w)
        return sent
    """, kind=kind) == [None, None]


def test_one_who_leaves_in_the_middle_of_a_send(server, peer):
    with background(server.run, "fd = uwsgi.connect(addr, 20); sent = uwsgi.send(fd, bytes(50_000_000)); uwsgi.close(fd); return sent", addr=address(peer)) as sending:
        connection = accepted(peer)
        assert connection.recv(1000)
        serves(server)
        abort(connection)
        assert sending.result(PATIENCE) is None


def test_a_connection_that_was_reset_is_none(server, peer):
    with background(server.run, "fd = uwsgi.connect(addr, 20); uwsgi.send(fd, b'x'); told = uwsgi.recv(fd); uwsgi.close(fd); return told", addr=address(peer)) as reading:
        connection = accepted(peer)
        assert connection.recv(1) == b"x"
        abort(connection)
        assert reading.result(PATIENCE) is None


@pytest.mark.parametrize("make", ["os.pipe()", "[s.detach() for s in socket.socketpair()]"])
def test_nothing_there(server, make):
    """In non-blocking mode None at once, as in the original; in blocking mode a wait, which holds up nobody."""
    assert server.run(f"""
        import ugreen, _ugreen
        r, w = {make}
        os.set_blocking(r, False)
        nothing = uwsgi.recv(r)
        os.set_blocking(r, True)
        def later():
            ugreen.sleep(0.02)
            os.write(w, b"late")
        _ugreen.spawn(later)
        late = uwsgi.recv(r).decode()
        os.close(w)
        end = uwsgi.recv(r)
        os.set_blocking(r, False)
        end_again = uwsgi.recv(r)
        os.close(r)
        return [nothing, late, end, end_again]
    """) == [None, "late", None, None]


def test_the_default_time_of_pythons_sockets_changes_nothing(peer):
    """socket.setdefaulttimeout() gives each new socket object a wait of its own, which would be one of the whole worker, and changes the mode of its descriptor."""
    with Server("run_code", cores=3) as server:
        code = """
            socket.setdefaulttimeout(20)
            fd = uwsgi.connect(addr, 20)
            found = [os.get_blocking(fd), uwsgi.send(fd, b"x"), uwsgi.recv(fd).decode(), os.get_blocking(fd)]
            uwsgi.close(fd)
            fd = uwsgi.async_connect(addr)
            return [*found, os.get_blocking(fd), uwsgi.close(fd)]
        """
        with background(server.run, code, addr=address(peer)) as waiting, accepted(peer) as connection:
            assert connection.recv(1) == b"x"
            start = time.monotonic()
            serves(server)
            assert time.monotonic() - start < 15
            connection.sendall(b"y")
            assert waiting.result(PATIENCE) == [True, True, "y", True, False, None]


def test_how_much_is_read(server):
    """4096 bytes unless told otherwise, and never more than 64 KiB."""
    assert server.run("""
        a, b = socket.socketpair()
        a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20); a.setblocking(False)
        sent = a.send(bytes(150_000))
        found = [len(uwsgi.recv(b)), len(uwsgi.recv(b, 1)), len(uwsgi.recv(b, 5000)), len(uwsgi.recv(b, 2**40))]
        a.close(); b.close()
        return [sent > 80_000, *found]
    """) == [True, 4096, 1, 5000, 65536]
    for size in ("0", "-1", "-2**70"):
        assert "max" in str(raises(server, "ValueError", f"uwsgi.recv(0, {size})"))


def test_one_of_several_readers_gets_it(server):
    """All wake; those who find nothing wait on, in blocking mode too: none of them stops the worker."""
    code = """
        if not hasattr(shared, "several"): shared.several = socket.socketpair()
        meet("several readers", 5)
        return uwsgi.recv(shared.several[0], 1).decode()
    """
    with background(many, 5, lambda i: server.run(code)) as readers:
        until(lambda: server.run("import meeting; return meeting._arrived.get('several readers', 0)") == 5, "five readers")
        for letter in "abcde":
            server.run("shared.several[1].send(letter.encode())", letter=letter)
            serves(server)
        assert sorted(readers.result(PATIENCE)) == list("abcde")


def test_files(server):
    """A regular file never blocks; its end is None."""
    with tempfile.NamedTemporaryFile() as file:
        assert server.run("""
            fd = os.open(path, os.O_RDWR)
            found = [uwsgi.send(fd, b"abc" * 3000), os.lseek(fd, 0, 0), len(uwsgi.recv(fd)), os.lseek(fd, 0, 2), uwsgi.recv(fd), uwsgi.close(fd)]
            return found
        """, path=file.name) == [True, 0, 4096, 9000, None, None]


@pytest.mark.parametrize("call", ["recv(fd)", "send(fd, b'x')"])
@pytest.mark.parametrize("fd", ["-1", "-5", "2**31", "2**80", "999999", "closed"])
def test_bad_descriptors(server, call, fd):
    error = raises(server, "OSError", f"closed, w = os.pipe(); os.close(closed); os.close(w)\nfd = {fd}\nuwsgi.{call}")
    assert error.errno == 9 and f"{call[:4]}(): fd " in str(error)


def test_descriptors_of_the_wrong_kind(server):
    assert "recv(): fd" in str(raises(server, "OSError", "r, w = os.pipe()\ntry: uwsgi.recv(w)\nfinally: os.close(r); os.close(w)"))
    assert "send(): fd" in str(raises(server, "OSError", "r, w = os.pipe()\ntry: uwsgi.send(r, b'x')\nfinally: os.close(r); os.close(w)"))
    assert "recv(): fd" in str(raises(server, "IsADirectoryError", "fd = os.open('/', os.O_RDONLY)\ntry: uwsgi.recv(fd)\nfinally: os.close(fd)"))


def test_what_was_registered_is_not_touched(server):
    assert server.run("""
        (r, w), (r2, w2) = os.pipe(), pipe()
        os.write(w2, b"x")
        uwsgi.wait_fd_read(r2); uwsgi.async_sleep(3600)
        import ugreen, _ugreen
        _ugreen.spawn(lambda: (ugreen.sleep(0.01), os.write(w, b"y")))
        inner = uwsgi.recv(r).decode()
        before = uwsgi.ready_fd()
        uwsgi.suspend()
        found = [inner, before, uwsgi.ready_fd() == r2]
        for fd in (r, w, r2, w2): os.close(fd)
        return found
    """) == ["y", -1, True]


# :: close()


def test_close_ignores_errors(server):
    assert server.run("r, w = os.pipe(); return [uwsgi.close(r), uwsgi.close(r), uwsgi.close(w), uwsgi.close(-1), uwsgi.close(2**40), uwsgi.close(999999)]") == [None] * 6


def test_closing_the_clients_connection_is_disconnect(server):
    """The server's own descriptor is not closed under it: its number could be that of somebody else's connection a moment later."""
    code = textwrap.dedent("""
        fd = uwsgi.connection_fd()
        sent = uwsgi.send(b"al") and uwsgi.send(fd, b"l")
        uwsgi.close(fd)
        shared.closed = [sent, fd, uwsgi.connection_fd(), uwsgi.is_connected(), uwsgi.send(b"x")]
        yield b""
    """)
    answer = server.post("/", json.dumps({"values": {}, "code": code}))
    assert answer.status == 200 and answer.body == b"all"
    sent, fd, after, connected, late = server.run("return shared.closed")
    assert sent is True and fd >= 0 and (after, connected, late) == (-1, False, None)


def test_the_clients_connection_is_the_servers_to_read(server):
    assert "wsgi.input" in str(raises(server, "PermissionError", "uwsgi.recv(uwsgi.connection_fd())"))


def test_a_number_that_was_closed_and_used_again(server, control):
    """A green thread that waits in recv() on a descriptor which another closes: the new file of that number is not taken for the old."""
    waiting = """
        import ugreen
        r, shared.end = os.pipe()
        shared.old = r
        told = checkpoint.connect("recv on the old file")
        try:
            with ugreen.timeout(20): result = uwsgi.recv(r).decode()
        except OSError as error: result = str(error)
        told.close()
        return result
    """
    with background(server.run, waiting) as first:
        control.wait("recv on the old file")
        new = server.run("""
            copy = os.dup(shared.end)
            uwsgi.close(shared.old)
            r, w = os.pipe()
            if r != shared.old: os.dup2(r, shared.old); os.close(r)
            uwsgi.wait_fd_read(shared.old, 20)
            os.write(w, b"new")
            uwsgi.suspend()
            found = [uwsgi.ready_fd() == shared.old, uwsgi.recv(shared.old).decode()]
            for fd in (copy, w): os.close(fd)
            return found
        """)
        assert new == [True, "new"]
        assert "was closed while this waited for it" in first.result(PATIENCE)


# :: Interrupts, and what is left behind


def test_a_time_limit_ends_every_wait(server):
    with full() as listener:
        assert server.run("""
            import ugreen
            a, b = socket.socketpair()
            before = len(os.listdir("/proc/self/fd"))
            found = []
            for wait in (lambda: uwsgi.connect(addr, 60), lambda: uwsgi.recv(a), lambda: uwsgi.send(a, bytes(50_000_000))):
                try:
                    with ugreen.timeout(0.02): wait()
                except ugreen.Timeout as error: found.append(type(error).__name__)
            # No descriptor is left open, no wait is left registered.
            found += [len(os.listdir("/proc/self/fd")) - before, uwsgi.suspend(), uwsgi.ready_fd()]
            a.close(); b.close()
            return found
        """, addr=address(listener)) == ["Timeout", "Timeout", "Timeout", 0, True, -1]


def test_nothing_is_left_open(server, peer):
    """Dozens of connects of all kinds, and as many descriptors afterwards as before."""
    count = "return sum(os.path.islink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd'))"
    before = server.run(count)
    server.run("""
        for i in range(10):     # what connects to the test stays in its queue, which holds fifty
            for addr in (good, nobody, "/nowhere", "localhost:" + nobody.split(":")[1]):
                uwsgi.close(uwsgi.connect(addr)); uwsgi.close(uwsgi.async_connect(addr))
            for wrong in ("", "x:y", 5):
                try: uwsgi.connect(wrong)
                except (TypeError, ValueError): pass
    """, good=address(peer), nobody=f"127.0.0.1:{free_port()}", timeout=60)
    until(lambda: server.run(count) <= before, "as many descriptors as before")


# :: Where no green thread runs


def test_in_another_os_thread(server, peer):
    """They work there, and block that thread alone."""
    code = """
        import ugreen
        answers = ugreen.Queue()
        def body():
            try:
                fd = uwsgi.connect(addr, 20)
                answers.put([uwsgi.send(fd, b"hello"), uwsgi.recv(fd).decode(), uwsgi.recv(fd), uwsgi.close(fd)])
                fd = uwsgi.async_connect(name)
                uwsgi.wait_fd_write(fd, 20); uwsgi.suspend()
                answers.put([uwsgi.ready_fd() == fd, uwsgi.is_connected(fd), uwsgi.close(fd)])
                try: uwsgi.send(b"to nobody")
                except SystemError as error: answers.put(str(error))
            except BaseException as error: answers.put(repr(error))
        threading.Thread(target=body, daemon=True).start()
        return [answers.get(timeout=20) for _ in range(3)]
    """
    with background(server.run, code, addr=address(peer), name=f"localhost:{peer.getsockname()[1]}") as talking, accepted(peer) as connection:
        assert connection.recv(100) == b"hello"
        serves(server)
        connection.sendall(b"world")
        connection.shutdown(socket.SHUT_WR)
        assert talking.result(PATIENCE) == [[True, "world", None, None], [True, True, None], "you can call uwsgi api function only from the main callable"]


IMPORTED = """
import uwsgi
fd = uwsgi.connect({addr!r}, 5)
found = [uwsgi.send(fd, b"import"), uwsgi.recv(fd), uwsgi.close(fd), uwsgi.connect("localhost:{port}") >= 0]
for call in (lambda: uwsgi.send(b"x"), lambda: uwsgi.green_pause(1)):
    try: call()
    except SystemError as error: found.append(type(error).__name__)
found += [uwsgi.green_write_all("x"), uwsgi.green_unpause_all(), uwsgi.green_sleep(0.01)]

def application(environ, start_response):
    start_response("200 OK", [])
    return [repr(found).encode()]
"""


def test_at_import_time(peer, tmp_path):
    port = peer.getsockname()[1]
    (tmp_path / "imported.py").write_text(IMPORTED.format(addr=address(peer), port=port))

    def answer():
        with accepted(peer) as connection:
            assert connection.recv(10) == b"import"
            connection.sendall(b"done")

    with background(answer), Server("imported", options=["--pythonpath", str(tmp_path)]) as server:
        assert server.get("/").text == "[True, b'done', None, True, 'SystemError', 'SystemError', None, None, True]"
