"""What suspend(), wait_fd_read(), wait_fd_write(), ready_fd() and async_sleep() mean, and that one request's waits never touch another's.

The code given to ``server.run`` runs on a green thread; see serving.Server.run.
"""

import json
import tempfile
import textwrap

import pytest

from serving import PATIENCE, Control, Remote, Server, background, many, read_all


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("run_code", cores=30, env=control.env) as s:
        yield s


@pytest.fixture(scope="module")
def single():
    """One core: what a request leaves behind meets the next one for certain."""
    with Server("run_code", cores=1) as s:
        yield s


def raises(server, kind, code, **values):
    with pytest.raises(Remote) as caught:
        server.run(code, **values)
    assert caught.value.kind == kind, caught.value
    return caught.value


# :: suspend() alone


def test_a_bare_suspend_in_a_plain_view_returns(server):
    """The original loses such a request (uwsgi-api.md, section 8, 5)."""
    assert server.run("return [uwsgi.suspend() for _ in range(1000)]") == [True] * 1000


def test_a_bare_suspend_lets_every_other_one_run(server):
    """Two that take turns strictly alternate: neither overtakes."""
    code = """
        shared.turns = getattr(shared, "turns", [])
        meet("turns", 2)
        for _ in range(50):
            shared.turns.append(me)
            uwsgi.suspend()
        meet("turns done", 2)
        return shared.turns
    """
    turns = many(2, lambda i: server.run(code, me=i))[0]
    tail = turns[1:-1]
    assert len(turns) == 100 and all(a != b for a, b in zip(tail, tail[1:])), turns


def test_suspend_ignores_arguments_and_has_an_alias(server):
    assert server.run("return [uwsgi.suspend(1, 2), uwsgi.green_schedule(), uwsgi.green_schedule('x')]") == [True] * 3


def test_ready_fd_is_minus_one_when_nothing_was_registered(server):
    assert server.run("before = uwsgi.ready_fd(); uwsgi.suspend(); return [before, uwsgi.ready_fd()]") == [-1, -1]


# :: one fd


@pytest.mark.parametrize("when", ["before registering", "between registering and suspending"])
def test_an_event_that_came_early_is_not_lost(server, when):
    code = """
        r, w = pipe()
        if early: os.write(w, b"x")
        registered = uwsgi.wait_fd_read(r)
        if not early: os.write(w, b"x")
        answer = [registered == b"", uwsgi.suspend(), uwsgi.ready_fd() == r, os.read(r, 9).decode()]
        os.close(r); os.close(w)
        return answer
    """
    assert server.run(code, early=when.startswith("before")) == [True, True, True, "x"]


def test_a_parked_green_thread_wakes_when_its_fd_is_ready(server):
    code = """
        r, w = pipe()
        shared.parked = w
        uwsgi.wait_fd_read(r)
        uwsgi.suspend()
        return [uwsgi.ready_fd() == r, os.read(r, 9).decode()]
    """
    with background(server.run, code) as parked:
        server.run("""
            end = time.monotonic() + 20
            while not hasattr(shared, "parked") and time.monotonic() < end: uwsgi.suspend()
            os.write(shared.parked, b"hello")
        """)
        assert parked.result(PATIENCE) == [True, "hello"]


def test_the_flags_are_consumed(server):
    """After a wait the next suspend() neither waits for nor tells of the old fd."""
    code = """
        r, w = pipe()
        os.write(w, b"x")
        uwsgi.wait_fd_read(r); uwsgi.suspend()
        first = uwsgi.ready_fd() == r
        uwsgi.suspend()
        second = uwsgi.ready_fd()
        uwsgi.async_sleep(0.01)
        third = uwsgi.ready_fd()
        uwsgi.suspend()
        return [first, second, third, uwsgi.ready_fd()]
    """
    assert server.run(code) == [True, -1, -1, -1]


def test_both_ends_of_a_closed_pipe_wake_their_waiters(server):
    code = """
        r, w = pipe()
        os.close(w)
        uwsgi.wait_fd_read(r); uwsgi.suspend()
        end_of_file = [uwsgi.ready_fd() == r, os.read(r, 1) == b""]
        os.close(r)
        r, w = pipe()
        os.close(r)
        uwsgi.wait_fd_write(w); uwsgi.suspend()
        broken = uwsgi.ready_fd() == w
        os.close(w)
        return [*end_of_file, broken]
    """
    assert server.run(code) == [True, True, True]


# :: several fds


def test_the_ready_one_of_several_fds_wins_and_all_stay_open(server):
    assert server.run("""
        pipes = [pipe() for _ in range(10)]
        order, answers = [7, 0, 9, 3], []
        for i in order:
            for r, w in pipes: uwsgi.wait_fd_read(r, 30)
            os.write(pipes[i][1], b"x")
            uwsgi.suspend()
            answers.append([r for r, w in pipes].index(uwsgi.ready_fd()))
            os.read(pipes[i][0], 1)
        for r, w in pipes: os.close(r); os.close(w)     # raises if the server had closed one
        return answers
    """) == [7, 0, 9, 3]


def test_two_fds_ready_in_one_batch_are_both_kept(server):
    """The original closes the second (uwsgi-api.md, section 8, 6)."""
    assert server.run("""
        pipes = [pipe() for _ in range(4)]
        for r, w in pipes: uwsgi.wait_fd_read(r)
        for r, w in pipes: os.write(w, b"x")
        seen = []
        left = [r for r, w in pipes]
        while left:
            uwsgi.suspend()
            seen.append(uwsgi.ready_fd())
            left.remove(uwsgi.ready_fd())
            for r in left: uwsgi.wait_fd_read(r)
        for r, w in pipes:
            os.read(r, 1); os.close(r); os.close(w)
        return len(set(seen))
    """) == 4


def test_two_fds_made_ready_by_a_neighbour_while_parked(server, control):
    """As above, but the green thread is parked in epoll when both become ready within one pass of the hub."""
    parked = """
        shared.pair = [pipe() for _ in range(2)]
        uwsgi.wait_fd_read(shared.pair[0][0]); uwsgi.wait_fd_read(shared.pair[1][0])
        told = checkpoint.connect("pair parks")
        uwsgi.suspend()
        told.close()
        both = [os.read(r, 1).decode() for r, w in shared.pair]
        for r, w in shared.pair: os.close(r); os.close(w)
        return both
    """
    with background(server.run, parked) as request:
        control.wait("pair parks")
        server.run("for r, w in shared.pair: os.write(w, b'y')")
        assert request.result(PATIENCE) == ["y", "y"]


def test_one_fd_may_have_waiters_on_many_cores(server):
    """All are woken; none is lost or has its place stolen (uwsgi-api.md, section 8, 7)."""
    code = """
        if me == 0: shared.common = pipe()
        meet("common made", 20)
        if me == 0:
            for _ in range(50): uwsgi.suspend()         # the others park meanwhile
            os.write(shared.common[1], b"x")
            return "writer"
        uwsgi.wait_fd_read(shared.common[0], 60)
        uwsgi.suspend()
        return uwsgi.ready_fd() == shared.common[0]
    """
    assert many(20, lambda i: server.run(code, me=i)) == ["writer"] + [True] * 19


def test_readers_and_writers_of_one_fd(server, control):
    """Two cores wait for the same socket, one for each direction; each is woken by its own."""
    reader = """
        shared.a, shared.b = socket.socketpair()
        shared.a.setblocking(False)
        try:
            while True: shared.a.send(b"x" * 65536)
        except BlockingIOError: pass
        uwsgi.wait_fd_read(shared.a.fileno())
        told = checkpoint.connect("reader parks"); uwsgi.suspend(); told.close()
        return uwsgi.ready_fd() == shared.a.fileno() and shared.a.recv(9).decode()
    """
    writer = """
        uwsgi.wait_fd_write(shared.a.fileno())
        told = checkpoint.connect("writer parks"); uwsgi.suspend(); told.close()
        return uwsgi.ready_fd() == shared.a.fileno() and shared.a.send(b"y")
    """
    with background(server.run, reader) as r:
        control.wait("reader parks")
        with background(server.run, writer) as w:
            control.wait("writer parks")
            server.run("shared.b.send(b'for the reader')")
            assert r.result(PATIENCE) == "for the r"
            assert not w.done()
            server.run("shared.b.setblocking(False)\ntry:\n  while shared.b.recv(1 << 20): pass\nexcept BlockingIOError: pass")
            assert w.result(PATIENCE) == 1


def test_reading_and_writing_of_one_fd_in_one_wait(server):
    assert server.run("""
        a, b = socket.socketpair(); a.setblocking(False)
        uwsgi.wait_fd_read(a.fileno(), 30); uwsgi.wait_fd_write(a.fileno(), 30); uwsgi.suspend()
        writable = uwsgi.ready_fd() == a.fileno()
        try:
            while True: a.send(b"x" * 65536)
        except BlockingIOError: pass
        b.send(b"z")
        uwsgi.wait_fd_write(a.fileno(), 30); uwsgi.wait_fd_read(a.fileno(), 30); uwsgi.suspend()
        return [writable, uwsgi.ready_fd() == a.fileno(), a.recv(1).decode()]
    """) == [True, True, "z"]


def test_registering_twice_is_one_registration(server):
    code = """
        r, w = pipe()
        for _ in range(5): uwsgi.wait_fd_read(r)
        os.write(w, b"x")
        uwsgi.suspend()
        first = uwsgi.ready_fd() == r
        os.read(r, 1)
        uwsgi.async_sleep(0.02)
        uwsgi.suspend()
        return [first, uwsgi.ready_fd()]
    """
    assert server.run(code) == [True, -1]


# :: time


@pytest.mark.parametrize("register", ["wait_fd_read(r, seconds)", "async_sleep(seconds)"])
@pytest.mark.parametrize("seconds", [0.001, 0.03, 0.25])
def test_fractions_of_a_second_count_and_are_never_cut_short(server, register, seconds):
    code = f"""
        r, w = pipe()
        start = time.monotonic()
        uwsgi.{register}
        answer = uwsgi.suspend()
        took = time.monotonic() - start
        os.close(r); os.close(w)
        return [answer, uwsgi.ready_fd(), took]
    """
    answer, fd, took = server.run(code, seconds=seconds)
    assert (answer, fd) == (True, -1) and seconds <= took < 10


def test_the_earliest_of_several_deadlines_counts(server):
    code = """
        r, w = pipe()
        start = time.monotonic()
        uwsgi.wait_fd_read(r, 3600); uwsgi.async_sleep(0.05); uwsgi.async_sleep(1800)
        uwsgi.suspend()
        return [uwsgi.ready_fd(), time.monotonic() - start]
    """
    fd, took = server.run(code)
    assert fd == -1 and 0.05 <= took < 10


def test_a_timeout_leaves_nothing_behind(server):
    """Neither the fd of the wait that timed out nor the flag shows up in the next wait (uwsgi-api.md, section 8, 11)."""
    code = """
        r, w = pipe()
        uwsgi.wait_fd_read(r, 0.01); uwsgi.suspend()
        os.write(w, b"x")
        other, end = pipe()
        uwsgi.wait_fd_read(other, 0.05); uwsgi.suspend()
        nothing = uwsgi.ready_fd()
        os.write(end, b"x")
        uwsgi.wait_fd_read(other, 30); uwsgi.suspend()
        return [nothing, uwsgi.ready_fd() == other]
    """
    assert server.run(code) == [-1, True]


@pytest.mark.parametrize("seconds", [0, -1, -0.5, None])
def test_no_seconds_mean_no_deadline(server, seconds):
    assert server.run("return [uwsgi.async_sleep(seconds) == b'', uwsgi.suspend(), uwsgi.ready_fd()]", seconds=seconds) == [True, True, -1]


def test_timers_fire_in_order(server):
    """Each tells the interval in which its deadline must lie; none may wake after one whose deadline is certainly later."""
    code = """
        shared.order = getattr(shared, "order", [])
        meet("timers", 25)
        low = time.monotonic() + seconds
        uwsgi.async_sleep(seconds)
        high = time.monotonic() + seconds
        uwsgi.suspend()
        shared.order.append((low, high, time.monotonic()))
        meet("timers done", 25)
        return shared.order
    """
    order = many(25, lambda i: server.run(code, seconds=0.05 + (i * 7 % 25) * 0.01))[0]
    assert len(order) == 25
    for at, (low, high, woken) in enumerate(order):
        assert woken >= low
        assert all(high >= earlier_low for earlier_low, _, _ in order[:at]), "a timer fired before an earlier one"


# :: starvation


SPIN = """
    shared.stop = getattr(shared, "stop", {})
    end, turns = time.monotonic() + 60, 0
    while name not in shared.stop and time.monotonic() < end:
        uwsgi.suspend()
        turns += 1
    return [name in shared.stop, turns > 10]
"""


def test_spinning_cores_do_not_starve_timers(server):
    code = """
        meet("spin", 7)
        uwsgi.async_sleep(0.05); uwsgi.suspend()
        shared.stop = getattr(shared, "stop", {})
        shared.stop["timer"] = 1
        return "slept"
    """
    spin = "meet('spin', 7)\n" + textwrap.dedent(SPIN)
    answers = many(7, lambda i: server.run(spin, name="timer", timeout=90) if i else server.run(code))
    assert answers == ["slept"] + [[True, True]] * 6


def test_one_spinner_does_not_starve_io(server, control):
    """While a core spins a new connection is accepted, and one that is parked on an fd wakes."""
    with background(server.run, SPIN, name="io", timeout=90) as spinner, background(server.run, "return reach('beside a spinner')") as parked:
        control.wait("beside a spinner").release("awake")
        assert parked.result(PATIENCE) == "awake"
        server.run("shared.stop = getattr(shared, 'stop', {}); shared.stop['io'] = 1")
        assert spinner.result(PATIENCE) == [True, True]


# :: what cannot be waited for


@pytest.mark.parametrize("function", ["wait_fd_read", "wait_fd_write"])
@pytest.mark.parametrize("fd", ["-1", "-2147483648", "10**6", "2**31", "2**80", "closed"])
def test_a_bad_fd_is_an_oserror(server, function, fd):
    error = raises(server, "OSError", f"closed, w = os.pipe(); os.close(closed); os.close(w)\nuwsgi.{function}({fd}, 1)")
    assert error.errno == 9


def test_after_a_bad_fd_nothing_is_registered(server):
    """The original keeps the entry and its timer (uwsgi-api.md, section 8, 7)."""
    assert server.run("""
        try: uwsgi.wait_fd_read(999999, 3600)
        except OSError: pass
        return [uwsgi.suspend(), uwsgi.ready_fd()]      # with the timer left behind this would take an hour
    """) == [True, -1]


@pytest.mark.parametrize("call", [
    "wait_fd_read()", "wait_fd_read('1')", "wait_fd_read(1.5)", "wait_fd_read(None)", "wait_fd_read(0, '1')", "wait_fd_read(0, 1, 2)", "wait_fd_read(fd=0)",
    "wait_fd_write()", "wait_fd_write(b'1')", "wait_fd_write([])", "wait_fd_write(0, [])",
    "async_sleep()", "async_sleep('1')", "async_sleep(1j)", "async_sleep(1, 2)", "async_sleep(seconds=1)",
])
def test_wrong_arguments_are_a_typeerror(server, call):
    raises(server, "TypeError", f"uwsgi.{call}")
    assert server.run("return uwsgi.suspend()") is True


def test_not_a_number_is_a_valueerror(server):
    raises(server, "ValueError", "uwsgi.async_sleep(float('nan'))")


@pytest.mark.parametrize("seconds", ["float('inf')", "10**9", "2**100", "1e300"])
def test_endless_deadlines_do_not_overflow(server, seconds):
    code = f"""
        r, w = pipe()
        os.write(w, b"x")
        uwsgi.wait_fd_read(r, {seconds}); uwsgi.suspend()
        return uwsgi.ready_fd() == r
    """
    assert server.run(code) is True


def test_objects_with_fileno_are_fds(server):
    assert server.run("""
        a, b = socket.socketpair(); b.send(b"x")
        uwsgi.wait_fd_read(a); uwsgi.suspend()
        return uwsgi.ready_fd() == a.fileno()
    """) is True


@pytest.mark.parametrize("path", ["regular file", "/dev/null", "/"])
def test_files_that_epoll_refuses_are_always_ready(server, path):
    with tempfile.NamedTemporaryFile() as file:
        assert server.run("""
            fd = os.open(path, os.O_RDONLY)
            uwsgi.wait_fd_read(fd, 3600); uwsgi.suspend()
            first = uwsgi.ready_fd() == fd
            uwsgi.wait_fd_write(fd); uwsgi.suspend()
            second = uwsgi.ready_fd() == fd
            os.close(fd)
            return [first, second]
        """, path=file.name if path == "regular file" else path) == [True, True]


# :: fds that are closed while somebody waits


def test_a_reused_fd_number_does_not_inherit_the_old_files_events(server, control):
    """
    A waits on a pipe of which a duplicate lives on. The number is closed and given to another pipe, on which B waits. Data for the old pipe must not wake B; data for
    the new one must. What becomes of A is its own fault, but it must come back (here: by its deadline at the latest).
    """
    a = """
        r, w = pipe()
        shared.r, shared.w, shared.copy = r, w, os.dup(r)
        uwsgi.wait_fd_read(r, 5)
        told = checkpoint.connect("A on the old file"); uwsgi.suspend(); told.close()
        return "back"
    """
    b = """
        os.close(shared.r)
        r, shared.new_w = pipe()
        if r != shared.r:
            os.dup2(r, shared.r); os.close(r)
        uwsgi.wait_fd_read(shared.r, 60)
        told = checkpoint.connect("B on the new file"); uwsgi.suspend(); told.close()
        return [uwsgi.ready_fd() == shared.r, os.read(shared.r, 9).decode()]
    """
    with background(server.run, a) as first:
        control.wait("A on the old file")
        with background(server.run, b) as second:
            control.wait("B on the new file")
            # Written, and then the hub has surely polled: its answer to a later request came through the same epoll set.
            server.run("os.write(shared.w, b'old')\nuwsgi.async_sleep(0.02); uwsgi.suspend()")
            assert not second.done()
            server.run("os.write(shared.new_w, b'new')")
            assert second.result(PATIENCE) == [True, "new"]
        assert first.result(PATIENCE) == "back"


def test_an_fd_closed_while_its_only_waiter_is_parked(server, control):
    """The kernel says nothing about it: the deadline ends the wait, and the number works for the next file."""
    a = """
        r, w = pipe()
        shared.gone = r
        uwsgi.wait_fd_read(r, 1)
        told = checkpoint.connect("fd closes"); uwsgi.suspend(); told.close()
        return uwsgi.ready_fd()
    """
    with background(server.run, a) as request:
        control.wait("fd closes")
        server.run("os.close(shared.gone)")
        assert request.result(PATIENCE) in (-1, server.run("return shared.gone"))
    assert server.run("""
        r, w = pipe()
        if r != shared.gone: os.dup2(r, shared.gone)
        os.write(w, b"x")
        uwsgi.wait_fd_read(shared.gone, 30); uwsgi.suspend()
        return uwsgi.ready_fd() == shared.gone
    """) is True


# :: register now, switch later


def test_registering_alone_does_not_wait(server):
    assert server.run("uwsgi.async_sleep(3600); r, w = os.pipe(); uwsgi.wait_fd_read(r, 3600); return 'at once'") == "at once"


def test_what_was_registered_ends_the_next_yield(server):
    """The yield style of uWSGI: ``yield wait_fd_read(fd)``; nothing is sent for the empty bytes."""
    answer = server.post("/", json.dumps({"values": {}, "code": (
        "r, w = pipe()\n"
        "yield b'a'\n"
        "start = time.monotonic()\n"
        "yield uwsgi.wait_fd_read(r, 0.05)\n"
        "yield b'%d' % (time.monotonic() - start >= 0.05)\n"
        "os.write(w, b'x')\n"
        "yield uwsgi.wait_fd_read(r, 3600)\n"
        "yield os.read(r, 9)\n"
        "start = time.monotonic()\n"
        "uwsgi.async_sleep(0.05)\n"
        "yield b'b'\n"
        "yield b'%d' % (time.monotonic() - start >= 0.05)\n"
    )}))
    assert answer.body == b"a1xb1"


def test_a_registration_does_not_end_a_body_read(server, control):
    """An implicit wait (here for the request's body) has its own reason to wake; what was registered stays for the next suspend."""
    code = json.dumps({"values": {}, "code": (
        "r, w = pipe()\n"
        "uwsgi.wait_fd_read(r, 3600)\n"
        "os.write(w, b'x')\n"
        "told = checkpoint.connect('reads a body')\n"
        "rest = environ['wsgi.input'].read(4).decode()\n"
        "uwsgi.suspend()\n"
        "return [rest, uwsgi.ready_fd() == r]\n"
    )})
    with server.connect() as s:
        s.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nX-Code: {code}\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab".encode())
        control.wait("reads a body")
        server.run("uwsgi.async_sleep(0.02); uwsgi.suspend()")     # by its end the hub has polled with the reader parked
        s.sendall(b"cd")
        assert b'{"result": ["abcd", true]}' in read_all(s)


# :: what a request leaves to the next on its core


@pytest.mark.parametrize("end", ["return 1", "raise ValueError()", "raise SystemExit()"])
def test_registrations_end_with_their_request(single, end):
    """If anything stayed, the next request would wait for an hour or be told of a strange fd."""
    code = "r, w = pipe(); uwsgi.wait_fd_read(r, 3600); uwsgi.async_sleep(3600); os.write(w, b'x')\n" + end
    single.post("/", json.dumps({"code": code, "values": {}}))
    assert single.run("before = uwsgi.ready_fd(); uwsgi.suspend(); return [before, uwsgi.ready_fd()]") == [-1, -1]


def test_ready_fd_ends_with_its_request(single):
    assert single.run("r, w = pipe(); os.write(w, b'x'); uwsgi.wait_fd_read(r); uwsgi.suspend(); return uwsgi.ready_fd() == r") is True
    assert single.run("return uwsgi.ready_fd()") == -1


def test_a_late_timer_of_the_last_request_wakes_nobody(single):
    single.run("uwsgi.async_sleep(0.05)")
    fd, took = single.run("""
        r, w = pipe()
        start = time.monotonic()
        uwsgi.wait_fd_read(r, 0.3); uwsgi.suspend()
        return [uwsgi.ready_fd(), time.monotonic() - start]
    """)
    assert fd == -1 and took >= 0.3
