"""``ugreen.wait_read`` and ``wait_write``: waits of a library's own, in the middle of whatever its caller has registered."""

import pytest

from serving import Remote, Server


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=10) as s:
        yield s


def test_it_waits_until_there_is_something(server):
    assert server.run("""
        import ugreen, _ugreen
        r, w = pipe()
        def writer():
            ugreen.sleep(0.01)
            os.write(w, b"x")
        _ugreen.spawn(writer)
        first = ugreen.wait_read(r, 5), os.read(r, 10)
        empty = ugreen.wait_read(r, 0), ugreen.wait_read(r, 0.01), ugreen.wait_write(w), ugreen.wait_write(w, 0)
        os.close(r), os.close(w)
        return first[0], first[1].decode(), empty
    """) == [True, "x", [False, False, True, True]]


def test_what_the_caller_registered_is_not_touched(server):
    assert server.run("""
        import ugreen
        r, w = pipe()
        r2, w2 = pipe()
        uwsgi.wait_fd_read(r, 5)
        os.write(w2, b"x")
        inner = ugreen.wait_read(r2, 5), ugreen.wait_read(r, 0.01)
        os.write(w, b"y")
        uwsgi.suspend()
        ready = uwsgi.ready_fd() == r
        uwsgi.async_sleep(0.02)
        late = ugreen.wait_read(r, 5)
        start = time.monotonic()
        uwsgi.suspend()
        for fd in (r, w, r2, w2): os.close(fd)
        return inner, ready, late, uwsgi.ready_fd()
    """) == [[True, False], True, True, -1]


def test_many_wait_for_one_and_one_waits_for_both_directions(server):
    assert server.run("""
        import ugreen, _ugreen
        a, b = socket.socketpair()
        seen, done = [], ugreen.Event()
        def reader():
            seen.append(ugreen.wait_read(a, 5))
            if len(seen) == 5: done.set()
        for _ in range(5): _ugreen.spawn(reader)
        ugreen.sleep(0)
        writable = ugreen.wait_write(a, 1)
        b.send(b"x")
        return done.wait(5), seen, writable
    """) == [True, [True] * 5, True]


@pytest.mark.parametrize("call, kind", [
    ("ugreen.wait_read(-1)", "OSError"), ("ugreen.wait_read(99999)", "OSError"), ("ugreen.wait_read(99999, 0)", "OSError"), ("ugreen.wait_read('x')", "TypeError"),
    ("ugreen.wait_read(1, 'x')", "TypeError"), ("ugreen.wait_write(None)", "TypeError"), ("ugreen.wait_read(1, float('nan'))", "ValueError"),
])
def test_wrong_arguments(server, call, kind):
    with pytest.raises(Remote) as error:
        server.run(f"import ugreen\n{call}")
    assert error.value.kind == kind


def test_a_time_limit_ends_it_and_leaves_nothing_registered(server):
    assert server.run("""
        import ugreen
        r, w = pipe()
        try:
            with ugreen.timeout(0.01):
                ugreen.wait_read(r)
        except ugreen.Timeout:
            pass
        os.close(r), os.close(w)
        # The same numbers again, for other files.
        r, w = pipe()
        os.write(w, b"x")
        return ugreen.wait_read(r, 1), uwsgi.ready_fd()
    """) == [True, -1]


def test_on_another_os_thread_it_is_a_plain_poll(server):
    assert server.run("""
        import ugreen
        r, w = pipe()
        answers = ugreen.Queue()
        def body():
            answers.put(ugreen.wait_read(r, 0.01))
            answers.put(ugreen.wait_read(r, 10))
        threading.Thread(target=body).start()
        first = answers.get(timeout=10)
        os.write(w, b"x")
        return first, answers.get(timeout=10)
    """) == [False, True]
