"""The green_* names of uWSGI's first releases, the yield style, and what errors of all waiting functions say. The code given to ``server.run`` runs on a green thread."""

import json
import socket

import pytest

from serving import PATIENCE, Control, Remote, Server, abort, background, get_bytes, many, until


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("run_code", cores=30, env=control.env) as s:
        yield s


def raises(server, kind, code, **values):
    with pytest.raises(Remote) as caught:
        server.run(code, **values)
    assert caught.value.kind == kind, caught.value
    return caught.value


# :: green_sleep(), green_wait_fdread(), green_wait_fdwrite()


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_green_sleep(server, seconds):
    """It waits by itself; fractions count; the others run."""
    with background(server.run, "start = time.monotonic(); return [uwsgi.green_sleep(seconds), time.monotonic() - start]", seconds=seconds) as sleeping:
        assert server.run("return 1") == 1
        answer, took = sleeping.result(PATIENCE)
    assert answer is True and seconds <= took < 20


def test_many_sleep_side_by_side(server):
    """Thirty of them take as long as one."""
    code = "meet('sleepers', 30); start = time.monotonic(); uwsgi.green_sleep(0.5); return time.monotonic() - start"
    took = many(30, lambda i: server.run(code))
    assert min(took) >= 0.5 and max(took) < 10


@pytest.mark.parametrize("seconds", ["0", "-1", "-0.5", "False"])
def test_green_sleep_of_nothing_lets_the_others_run(server, seconds):
    """Two that take turns alternate."""
    code = f"""
        if not hasattr(shared, "by_seconds"): shared.by_seconds = dict()
        turns = shared.by_seconds.setdefault("{seconds}", [])
        meet("naps {seconds}", 2)
        for _ in range(20):
            turns.append(me)
            assert uwsgi.green_sleep({seconds}) is True
        meet("naps done {seconds}", 2)
        return turns
    """
    turns = many(2, lambda i: server.run(code, me=i))[0]
    assert len(turns) == 40 and all(a != b for a, b in zip(turns[1:-1], turns[2:-1])), turns


@pytest.mark.parametrize("function, fd", [("green_wait_fdread", "r"), ("green_wait_fdwrite", "w")])
def test_ready_or_not(server, function, fd):
    """True when it was readiness, which the original does not tell."""
    assert server.run(f"""
        r, w = pipe()
        full = 0
        if {fd!r} == "r": os.write(w, b"x")
        ready = [uwsgi.{function}({fd}), uwsgi.{function}({fd}, 20), uwsgi.{function}({fd}, 0.5), uwsgi.ready_fd() == {fd}]
        if {fd!r} == "r": os.read(r, 9)
        else:
            try:
                while os.write(w, bytes(65536)): pass
            except BlockingIOError: pass
        start = time.monotonic()
        late = [uwsgi.{function}({fd}, 0.05), time.monotonic() - start >= 0.05, uwsgi.ready_fd()]
        os.close(r); os.close(w)
        return [ready, late]
    """) == [[True, True, True, True], [False, True, -1]]


def test_waits_until_it_is_ready(server):
    code = "r, shared.waits = pipe(); return [uwsgi.green_wait_fdread(r), os.read(r, 9).decode()]"
    with background(server.run, code) as waiting:
        until(lambda: server.run("return hasattr(shared, 'waits')"), "the wait")
        server.run("os.write(shared.waits, b'now')")
        assert waiting.result(PATIENCE) == [True, "now"]


def test_many_on_one_descriptor_in_both_directions(server):
    code = """
        if not hasattr(shared, "both"): shared.both = socket.socketpair(); shared.both[0].setblocking(False)
        a, b = shared.both
        meet("both directions", 10)
        if me % 2: return uwsgi.green_wait_fdwrite(a, 20)
        if me == 0:
            uwsgi.green_sleep(0.01)
            b.send(b"x")
            return True
        return uwsgi.green_wait_fdread(a, 20)
    """
    assert many(10, lambda i: server.run(code, me=i)) == [True] * 10


@pytest.mark.parametrize("call", ["green_wait_fdread(r, 20)", "green_wait_fdwrite(w, 20)", "green_sleep(20)", "green_pause(20)"])
def test_a_time_limit_ends_it_and_nothing_is_left(server, call):
    assert server.run(f"""
        import ugreen
        r, w = pipe()
        try:
            while True: os.write(w, bytes(65536))
        except BlockingIOError: pass
        if "fdread" in {call!r}:
            r2, w2 = pipe()
            r, r2 = r2, r
        try:
            with ugreen.timeout(0.02): ended = uwsgi.{call}
        except ugreen.Timeout: ended = "Timeout"
        return [ended, uwsgi.suspend(), uwsgi.ready_fd()]
    """) == ["Timeout", True, -1]


@pytest.mark.parametrize("call", ["green_wait_fdread(r)", "green_wait_fdread(r, 60)", "green_sleep(60)", "green_pause(0)", "green_pause(60)"])
def test_a_client_that_leaves_ends_it(server, control, call):
    """Which the original does not notice (uwsgi-api.md, section 8, 21)."""
    name = f"leaves {call}"
    code = f"r, w = pipe(); told = checkpoint.connect({name!r}); shared.left = [uwsgi.{call}, uwsgi.is_connected()]; told.close()"
    s = server.connect()
    s.sendall(get_bytes("/", f"X-Code: {json.dumps({'code': code, 'values': {}})}\r\n"))
    control.wait(name)
    abort(s)
    found = until(lambda: server.run("return shared.__dict__.pop('left', None)"), "the end of the wait")
    assert found == [True if "sleep" in call else None if "pause" in call else False, False]


@pytest.mark.parametrize("call, argument", [
    ("green_sleep()", "green_sleep()"), ("green_sleep('1')", "seconds"), ("green_sleep(b'1')", "seconds"), ("green_sleep(None)", "seconds"), ("green_sleep(1, 2)", "green_sleep()"),
    ("green_wait_fdread()", "fd"), ("green_wait_fdread('1')", "fd"), ("green_wait_fdread(1.5)", "fd"), ("green_wait_fdread(0, '1')", "timeout"), ("green_wait_fdread(fd=0)", "green_wait_fdread()"),
    ("green_wait_fdwrite(None)", "fd"), ("green_wait_fdwrite(1, [])", "timeout"), ("green_wait_fdwrite(1, 2, 3)", "green_wait_fdwrite()"),
    ("green_pause()", "green_pause()"), ("green_pause('1')", "timeout"), ("green_pause([])", "timeout"), ("green_pause(1, 2)", "green_pause()"), ("green_pause(timeout=1)", "green_pause()"),
    ("green_write_all()", "green_write_all()"), ("green_write_all(5)", "data"), ("green_write_all(None)", "data"), ("green_write_all(['x'])", "data"), ("green_write_all(chr(0xd800))", "data"), ("green_write_all(b'x', 1)", "green_write_all()"),
    ("wait_fd_read('1')", "fd"), ("wait_fd_read(0, '1')", "timeout"), ("wait_fd_write(0, [])", "timeout"), ("async_sleep('1')", "seconds"),
])
def test_wrong_types_name_the_argument(server, call, argument):
    assert argument in str(raises(server, "TypeError", f"uwsgi.{call}"))
    assert server.run("return [uwsgi.suspend(), uwsgi.ready_fd()]") == [True, -1]


@pytest.mark.parametrize("function", ["wait_fd_read", "wait_fd_write", "green_wait_fdread", "green_wait_fdwrite"])
@pytest.mark.parametrize("fd", ["-1", "999999", "2**31", "closed"])
def test_bad_descriptors_leave_nothing_behind(server, function, fd):
    """The number is in the message; neither the descriptor nor its time ends the next wait."""
    assert server.run(f"""
        closed, w = os.pipe(); os.close(closed); os.close(w)
        fd = {fd}
        try: uwsgi.{function}(fd, 0.01)
        except OSError as error: found = [error.errno, f"fd {{fd}} " in str(error)]
        r, w = pipe()
        uwsgi.wait_fd_read(r, 0.1)
        start = time.monotonic()
        uwsgi.suspend()
        os.close(r); os.close(w)
        return [*found, uwsgi.ready_fd(), time.monotonic() - start >= 0.1]
    """) == [9, True, -1, True]


@pytest.mark.parametrize("call", ["green_sleep(nan)", "green_wait_fdread(0, nan)", "green_wait_fdwrite(0, nan)", "green_pause(nan)", "wait_fd_read(0, nan)"])
def test_not_a_number(server, call):
    raises(server, "ValueError", f"nan = float('nan')\nuwsgi.{call}")


def test_a_bad_second_registration_does_not_harm_the_first(server):
    assert server.run("""
        r, w = pipe()
        uwsgi.wait_fd_read(r, 20)
        for bad in (-1, 999999):
            try: uwsgi.wait_fd_write(bad, 0.01)
            except OSError: pass
        os.write(w, b"x")
        uwsgi.suspend()
        return uwsgi.ready_fd() == r
    """) is True


# :: green_pause(), green_write_all(), green_unpause_all()


def test_many_pause_and_all_go_on(server):
    """Those who pause later are not meant."""
    code = "shared.paused = getattr(shared, 'paused', 0) + 1; return uwsgi.green_pause(60)"
    with background(many, 20, lambda i: server.run(code, timeout=90)) as paused:
        until(lambda: server.run("return getattr(shared, 'paused', 0)") == 20, "twenty pauses")
        assert server.run("return [uwsgi.green_unpause_all(), uwsgi.green_unpause_all('arguments', 'are ignored')]") == [None, None]
        assert paused.result(PATIENCE) == [True] * 20
    assert server.run("start = time.monotonic(); return [uwsgi.green_pause(0.05), time.monotonic() - start >= 0.05]") == [True, True]


def test_nobody_is_paused(server):
    assert server.run("return [uwsgi.green_write_all('x'), uwsgi.green_write_all(b'x'), uwsgi.green_write_all(bytearray(b'')), uwsgi.green_unpause_all()]") == [None] * 4


def test_another_os_thread_may_write_and_end_the_pause(server):
    code = json.dumps({"values": {}, "code": (
        "def other():\n"
        "    uwsgi.green_write_all('from a thread, ')\n"
        "    uwsgi.green_unpause_all()\n"
        "yield b'begin, '\n"
        "threading.Timer(0.01, other).start()\n"
        "ended = uwsgi.green_pause(60)\n"
        "yield f'{ended}'.encode()\n"
    )})
    assert server.post("/", code).text == "begin, from a thread, True"


@pytest.mark.parametrize("call", ["green_pause(1)", "send(b'x')"])
def test_a_spawned_green_thread_has_no_request(server, call):
    assert server.run(f"""
        import ugreen, _ugreen
        answers = ugreen.Queue()
        def spawned():
            try: answers.put(uwsgi.{call})
            except Exception as error: answers.put([type(error).__name__, str(error)])
        _ugreen.spawn(spawned)
        return answers.get(timeout=10)
    """) == ["SystemError", "you can call uwsgi api function only from the main callable"]


def test_in_another_os_thread(server):
    assert server.run("""
        import ugreen
        answers = ugreen.Queue()
        def body():
            try:
                r, w = pipe()
                start = time.monotonic()
                found = [uwsgi.green_sleep(0.05), time.monotonic() - start >= 0.05, uwsgi.green_wait_fdread(r, 0.01), uwsgi.green_wait_fdwrite(w)]
                os.write(w, b"x")
                found.append(uwsgi.green_wait_fdread(r))
                try: uwsgi.green_pause(1)
                except SystemError: found.append("SystemError")
                answers.put(found)
            except BaseException as error: answers.put(repr(error))
        threading.Thread(target=body, daemon=True).start()
        return answers.get(timeout=20)
    """) == [True, True, False, True, True, "SystemError"]


# :: Programs of the original's kinds


def run_body(server, code):
    return server.post("/", json.dumps({"values": {}, "code": code})).text


def test_the_yield_style(server):
    """A plain generator, without suspend(): each yield waits for what was registered, and the environ tells how it ended."""
    assert run_body(server, (
        "def ended():\n"
        "    return f\"{environ['x-wsgiorg.fdevent.timeout']} {environ['uwsgi.ready_fd'] == r} {uwsgi.ready_fd() == r};\".encode()\n"
        "r, w = pipe()\n"
        "yield uwsgi.async_sleep(0.01)\n"
        "yield ended()\n"
        "yield uwsgi.wait_fd_read(r, 0.01)\n"
        "yield ended()\n"
        "os.write(w, b'x')\n"
        "yield environ['x-wsgiorg.fdevent.readable'](r, 20)\n"
        "yield ended()\n"
        "yield b''\n"
        "yield ended()\n"
        "r = w\n"
        "yield environ['x-wsgiorg.fdevent.writable'](w)\n"
        "yield ended()\n"
    )) == "True False False;True False False;None True True;None False False;None True True;"


def test_a_client_in_the_yield_style(server, control):
    """The other server is one of the test's; everybody else is served while it takes its time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        code = (
            f"fd = uwsgi.async_connect('127.0.0.1:{listener.getsockname()[1]}')\n"
            "yield uwsgi.wait_fd_write(fd, 20)\n"
            "if environ['x-wsgiorg.fdevent.timeout'] or not uwsgi.is_connected(fd): raise OSError('not connected')\n"
            "assert uwsgi.send(fd, b'question')\n"
            "while True:\n"
            "    yield uwsgi.wait_fd_read(fd, 20)\n"
            "    piece = uwsgi.recv(fd)\n"
            "    if piece is None: break\n"
            "    yield piece\n"
            "uwsgi.close(fd)\n"
        )
        with background(run_body, server, code) as asking:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                assert connection.recv(100) == b"question"
                for piece in (b"one ", b"two ", b"three"):
                    assert server.run("return 'served'") == "served"
                    connection.sendall(piece)
            assert asking.result(PATIENCE) == "one two three"


def test_a_timeout_of_a_suspend_is_not_that_of_the_next_yield_or_read(server):
    """The original's flags go stale: a false time-out in the next yield, a body that "timed out" (uwsgi-api.md, section 8, 11)."""
    code = json.dumps({"values": {}, "code": (
        "uwsgi.async_sleep(0.01); uwsgi.suspend()\n"
        "body = environ['wsgi.input'].read()\n"
        "yield body\n"
        "yield f\" {environ['x-wsgiorg.fdevent.timeout']} {uwsgi.ready_fd()}\".encode()\n"
    )})
    answer = server.post("/", "the body", {"X-Code": code})
    assert answer.text == "the body None -1"
