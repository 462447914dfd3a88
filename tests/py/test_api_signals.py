"""Signals, timers, cron entries and file monitors of the ``uwsgi`` module, and ``uwsgidecorators``. Most of the code under test runs in the server; see serving.Server.run."""

import importlib.util
import os
import textwrap
import time

import pytest

from serving import ROOT, Remote, Server

HELPERS = """
import ugreen
from ugreen import _signals

numbers = shared.__dict__.setdefault("numbers", iter(range(100, 250)))

class Handler:
    '''A handler of a fresh signal that counts its runs, and lets the test wait for a number of them.'''
    def __init__(self, body=lambda: None, number=None):
        self.number = next(numbers) if number is None else number
        self.seen, self.body, self.changed = [], body, ugreen.Condition()
        uwsgi.register_signal(self.number, "", self)
    def __call__(self, number):
        self.seen.append(number)
        with self.changed:
            self.changed.notify_all()
        self.body()
    @property
    def count(self):
        return len(self.seen)
    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, 20), f"{self.count} of {count} runs"

def settle():
    '''Waits until the handlers of all signals that were raised before have begun.'''
    marker = shared.__dict__.get("marker") or Handler(number=251)
    shared.marker = marker
    count = marker.count
    uwsgi.signal(marker.number)
    marker.wait(count + 1)
    ugreen.sleep(0)
"""


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=30) as s:
        yield s


def run(server, code, **values):
    return server.run(HELPERS + textwrap.dedent(code), **values)


# :: Raising and handling


def test_a_handler_gets_the_number_and_runs_on_a_green_thread_that_may_wait(server):
    assert run(server, """
        seen = ugreen.Queue()
        def handler(number):
            ugreen.sleep(0.001)
            thread = ugreen.current()
            seen.put((number, thread.is_request, thread.daemon, thread.name, uwsgi.async_id() >= 0))
        registered = uwsgi.register_signal(30, "", handler)
        raised = uwsgi.signal(30)
        return registered, raised, seen.get(timeout=20)
    """) == [None, None, [30, False, True, "body.<locals>.handler, handler of signal 30", True]]


def test_a_handler_begins_when_the_caller_waits(server):
    assert run(server, """
        handler = Handler()
        uwsgi.signal(handler.number)
        before = handler.count
        settle()
        return before, handler.count
    """) == [0, 1]


def test_one_signals_handler_does_not_overlap_and_runs_once_more_for_all_that_was_missed(server):
    assert run(server, """
        gate, inside, most = ugreen.Event(), [], []
        def body():
            inside.append(1)
            most.append(len(inside))
            gate.wait(20)
            inside.pop()
        handler = Handler(body)
        uwsgi.signal(handler.number)
        handler.wait(1)
        for _ in range(5):
            uwsgi.signal(handler.number)
            settle()
        parked = handler.count
        gate.set()
        handler.wait(2)
        settle()
        settle()
        return parked, handler.count, max(most)
    """) == [1, 2, 1]


def test_several_that_come_together_run_once(server):
    assert run(server, """
        handler = Handler()
        for _ in range(1000):
            uwsgi.signal(handler.number)
        settle()
        settle()
        return handler.count
    """) == 1


def test_handlers_of_different_signals_run_side_by_side(server):
    assert run(server, """
        barrier = [ugreen.Event() for _ in range(3)]
        def body(i):
            barrier[i].set()
            assert all(event.wait(20) for event in barrier)
            done.put(i)
        done = ugreen.Queue()
        handlers = [Handler(lambda i=i: body(i)) for i in range(3)]
        for handler in handlers:
            uwsgi.signal(handler.number)
        return sorted(done.get(timeout=20) for _ in handlers)
    """) == [0, 1, 2]


@pytest.mark.parametrize("error", ["ValueError('bad sauce')", "SystemExit(3)"])
def test_what_a_handler_raises_is_logged_and_the_next_signal_is_handled(server, error):
    start = len(server.log)
    number = run(server, f"""
        def boil():
            if handler.count == 1:
                raise {error}
        handler = Handler(boil)
        uwsgi.signal(handler.number)
        handler.wait(1)
        settle()
        uwsgi.signal(handler.number)
        handler.wait(2)
        return handler.number
    """)
    found = server.wait_log(rf"^the handler of signal {number} failed\nTraceback(.*\n)*?{error.partition('(')[0]}.*$", start=start)
    assert "in boil" in found[0] and "_timers.py" not in found[0] and "_green.py" not in found[0]
    assert server.log.count("failed\n", start) == 1


def test_a_later_handler_replaces_the_first(server):
    assert run(server, """
        first = Handler()
        second = Handler(number=first.number)
        uwsgi.signal(first.number)
        settle()
        return first.count, second.count
    """) == [0, 1]


def test_from_other_os_threads(server):
    assert run(server, """
        handler, own, errors = Handler(), ugreen.Queue(), []
        def thread():
            try:
                for _ in range(100):
                    uwsgi.signal(handler.number)
                uwsgi.register_signal(252, "worker", lambda number: own.put(number))
                uwsgi.signal(252)
            except BaseException as error:
                errors.append(repr(error))
        threads = [threading.Thread(target=thread) for _ in range(5)]
        for t in threads:
            t.start()
        handler.wait(1)
        return own.get(timeout=20), errors
    """) == [252, []]


def test_a_signal_without_a_handler_is_told_once(server):
    start = len(server.log)
    assert run(server, """
        for _ in range(3):
            uwsgi.signal(99)
            settle()
        return uwsgi.signal_registered(99)
    """) is None
    server.wait_log("^signal 99 was raised, and it has no handler", start=start)
    assert server.log.count("signal 99", start) == 1


def test_signal_registered(server):
    assert run(server, "n = Handler().number; return uwsgi.signal_registered(n), uwsgi.signal_registered(0)") == [True, None]


@pytest.mark.parametrize("call, kind, text", [
    ("uwsgi.signal(256)", "ValueError", "signal(): 256 is no signal: they are 0 to 255"),
    ("uwsgi.signal(-1)", "ValueError", "signal(): -1 is no signal"),
    ("uwsgi.signal('x')", "TypeError", "signal(): the signal must be an int, it is a str"),
    ("uwsgi.signal(1.0)", "TypeError", "it is a float"),
    ("uwsgi.signal(1, '127.0.0.1:3031')", "ValueError", "signals to another server (127.0.0.1:3031) are not supported"),
    ("uwsgi.signal_registered(300)", "ValueError", "signal_registered(): 300"),
    ("uwsgi.signal_wait(300)", "ValueError", "signal_wait(): 300"),
    ("uwsgi.register_signal(300, '', print)", "ValueError", "register_signal(): 300"),
    ("uwsgi.register_signal(1, '', 5)", "TypeError", "the handler is not callable, it is a int"),
    ("uwsgi.register_signal(1, None, print)", "TypeError", "the target must be a str"),
    ("uwsgi.register_signal(1, 'worker2', print)", "ValueError", "there is no 'worker2': this server has one worker"),
    ("uwsgi.register_signal(1, 'mule1', print)", "ValueError", "the target 'mule1' is not supported: this server is without mules"),
    ("uwsgi.register_signal(1, 'mules', print)", "ValueError", "'mules'"),
    ("uwsgi.register_signal(1, 'farm_x', print)", "ValueError", "'farm_x'"),
    ("uwsgi.register_signal(1, 'spooler', print)", "ValueError", "without a spooler"),
    ("uwsgi.register_signal(1, 'cluster', print)", "ValueError", "unknown target 'cluster'"),
    ("uwsgi.add_timer(1, 0)", "ValueError", "add_timer(): the number of seconds must be between 0.001 and"),
    ("uwsgi.add_timer(1, '3')", "TypeError", "add_timer(): the number of seconds must be an int or a float"),
    ("uwsgi.add_timer(256, 3)", "ValueError", "add_timer(): 256"),
    ("uwsgi.add_ms_timer(1, 0.5)", "ValueError", "add_ms_timer(): "),
    ("uwsgi.add_ms_timer(1, None)", "TypeError", "the number of milliseconds must be an int or a float"),
    ("uwsgi.add_rb_timer(1, 1, -1)", "ValueError", "iterations must be an int of at least 0"),
    ("uwsgi.add_rb_timer(1, 1, 1.5)", "TypeError", "iterations must be an int of at least 0"),
    ("uwsgi.add_cron(1, 60, -1, -1, -1, -1)", "ValueError", "add_cron(): minute 60 is neither between 0 and 59, nor -1 (any), nor down to -60 (-k: every k)"),
    ("uwsgi.add_cron(1, 0, 0, 0, -1, -1)", "ValueError", "add_cron(): day 0"),
    ("uwsgi.add_cron(1, 0, 0, 1, 13, -1)", "ValueError", "add_cron(): month 13"),
    ("uwsgi.add_cron(1, 0, 0, 1, 1, '1')", "TypeError", "add_cron(): weekday must be an int, it is a str"),
    ("uwsgi.add_file_monitor(1, b'/tmp')", "TypeError", "the path must be a str, it is a bytes"),
])
def test_wrong_calls(server, call, kind, text):
    with pytest.raises(Remote) as error:
        run(server, call)
    assert error.value.kind == kind and text in error.value.text


@pytest.mark.parametrize("target", ["", "worker", "worker0", "worker1", "workers", "active-workers"])
def test_targets_that_mean_this_worker(server, target):
    assert run(server, """
        seen = ugreen.Queue()
        uwsgi.register_signal(253, target, seen.put)
        uwsgi.signal(253)
        return seen.get(timeout=20)
    """, target=target) == 253


# :: Waiting for signals


def test_signal_wait_waits_for_one_or_any_and_only_this_green_thread(server):
    assert run(server, """
        got = ugreen.Queue()
        def wait(*which):
            answer = uwsgi.signal_wait(*which)
            got.put((repr(answer), which, uwsgi.signal_received()))
        def spawn_waiting(*which):
            before = len(_signals._waiters)
            thread = ugreen.spawn(wait, *which)
            while len(_signals._waiters) == before:
                ugreen.sleep(0)
        spawn_waiting()
        spawn_waiting(41)
        spawn_waiting(42)
        uwsgi.signal(42)
        first = sorted([got.get(timeout=20), got.get(timeout=20)])
        rest = got.qsize()
        uwsgi.signal(41)
        return first, rest, got.get(timeout=20), uwsgi.signal_received(), len(_signals._waiters)
    """) == [[["b''", [], 42], ["b''", [42], 42]], 0, ["b''", [41], 41], None, 0]


def test_signal_wait_hears_what_has_no_handler_and_what_a_timer_raises(server):
    start = len(server.log)
    assert run(server, "uwsgi.add_rb_timer(43, 0.02, 1); uwsgi.signal_wait(); return uwsgi.signal_received()") == 43
    assert "signal 43" not in server.log[start:]


def test_signal_wait_ends_with_a_time_limit_and_leaves_nothing(server):
    assert run(server, """
        with ugreen.timeout(0.01, quiet=True) as limit:
            uwsgi.signal_wait(44)
        return limit.expired, len(_signals._waiters), uwsgi.signal_received()
    """) == [True, 0, None]


def test_signal_wait_in_another_os_thread(server):
    assert run(server, """
        got = ugreen.Queue()
        def wait():
            uwsgi.signal_wait(45)
            got.put(uwsgi.signal_received())
        threading.Thread(target=wait, daemon=True).start()
        while not _signals._waiters:
            ugreen.sleep(0.001)
        uwsgi.signal(45)
        return got.get(timeout=20), uwsgi.signal_received()
    """) == [45, None]


# :: Timers


def test_timers_raise_their_signal_again_and_again(server):
    assert run(server, """
        handlers = [Handler(), Handler(), Handler()]
        answers = [uwsgi.add_timer(handlers[0].number, 0.01), uwsgi.add_ms_timer(handlers[1].number, 10), uwsgi.add_rb_timer(handlers[2].number, 0.01)]
        for handler in handlers:
            handler.wait(3)
        return answers, [set(handler.seen) == {handler.number} for handler in handlers]
    """) == [[None, None, None], [True, True, True]]


def test_a_timer_with_iterations_ends(server):
    assert run(server, """
        three, clock = Handler(), Handler()
        uwsgi.add_rb_timer(three.number, 0.005, 3)
        uwsgi.add_rb_timer(clock.number, 0.005, 20)
        clock.wait(10)
        return three.count
    """) in (1, 2, 3)


def test_a_timer_may_come_before_its_handler(server):
    assert run(server, """
        number = next(numbers)
        uwsgi.add_timer(number, 0.005)
        ugreen.sleep(0.02)
        Handler(number=number).wait(2)
        return True
    """)


# :: Cron


@pytest.fixture(scope="module")
def cron():
    spec = importlib.util.spec_from_file_location("ugreen_cron", ROOT / "python" / "uwsgi_shim" / "ugreen" / "_cron.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def zone():
    """A function that sets the local time of this process."""
    before = os.environ.get("TZ")

    def choose(name):
        if name is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = name
        time.tzset()

    yield choose
    choose(before)


def due(cron, entry, first, last):
    """The local minutes from one time to another (as in "2024-02-28 23:00") in which an entry is due."""
    start, end = (int(time.mktime(time.strptime(text, "%Y-%m-%d %H:%M"))) // 60 for text in (first, last))
    found = cron.Cron(*entry)
    return [time.strftime("%Y-%m-%d %H:%M", time.localtime(minute * 60)) for minute in range(start, end) if found.due_in(range(minute, minute + 1))]


@pytest.mark.parametrize("entry, first, last, expected", [
    ((30, 4, -1, -1, -1), "2024-03-01 00:00", "2024-03-04 00:00", ["2024-03-01 04:30", "2024-03-02 04:30", "2024-03-03 04:30"]),
    ((0, -6, 1, -1, -1), "2024-03-01 00:00", "2024-03-03 00:00", ["2024-03-01 00:00", "2024-03-01 06:00", "2024-03-01 12:00", "2024-03-01 18:00"]),
    ((-20, 23, -1, -1, -1), "2024-03-01 00:00", "2024-03-02 00:00", ["2024-03-01 23:00", "2024-03-01 23:20", "2024-03-01 23:40"]),
    ((-60, -24, -1, -1, -1), "2024-03-01 00:00", "2024-03-03 00:00", ["2024-03-01 00:00", "2024-03-02 00:00"]),
    ((0, 0, 29, 2, -1), "2023-02-25 00:00", "2023-04-01 00:00", []),
    ((0, 0, 29, 2, -1), "2024-02-25 00:00", "2024-04-01 00:00", ["2024-02-29 00:00"]),
    ((0, 0, 31, -1, -1), "2024-03-01 00:00", "2024-06-01 00:00", ["2024-03-31 00:00", "2024-05-31 00:00"]),
    ((0, 0, 1, -6, -1), "2024-05-01 00:00", "2024-07-02 00:00", ["2024-06-01 00:00"]),
    ((0, 0, 1, -6, -1), "2024-11-01 00:00", "2025-01-02 00:00", ["2024-12-01 00:00"]),
    # 1 March 2024 was a Friday; Sundays are 0 and 7.
    ((0, 0, -1, -1, 5), "2024-03-01 00:00", "2024-03-10 00:00", ["2024-03-01 00:00", "2024-03-08 00:00"]),
    ((0, 0, -1, -1, 0), "2024-03-01 00:00", "2024-03-10 00:00", ["2024-03-03 00:00"]),
    ((0, 0, -1, -1, 7), "2024-03-01 00:00", "2024-03-10 00:00", ["2024-03-03 00:00"]),
    # A day or a weekday.
    ((0, 0, 5, -1, 1), "2024-03-01 00:00", "2024-03-12 00:00", ["2024-03-04 00:00", "2024-03-05 00:00", "2024-03-11 00:00"]),
    # Every second day, and then only Mondays.
    ((0, 0, -2, -1, 1), "2024-03-01 00:00", "2024-03-26 00:00", ["2024-03-04 00:00", "2024-03-18 00:00"]),
    ((0, 12, -10, -1, -1), "2024-02-01 00:00", "2024-03-11 00:00", ["2024-02-10 12:00", "2024-02-20 12:00", "2024-03-10 12:00"]),
    ((59, 23, 31, 12, -1), "2023-12-30 00:00", "2024-01-02 00:00", ["2023-12-31 23:59"]),
])
def test_when_a_cron_entry_is_due(cron, zone, entry, first, last, expected):
    zone("UTC")
    assert due(cron, entry, first, last) == expected


def test_cron_and_the_changes_of_the_clock_in_spring_and_autumn(cron, zone):
    zone("Europe/Berlin")
    spring, autumn = ("2024-03-31 00:00", "2024-04-01 00:00"), ("2024-10-27 00:00", "2024-10-28 00:00")
    assert due(cron, (30, 2, -1, -1, -1), *spring) == []
    assert due(cron, (30, 2, -1, -1, -1), *autumn) == ["2024-10-27 02:30"] * 2
    assert due(cron, (30, 3, -1, -1, -1), *spring) == ["2024-03-31 03:30"] and due(cron, (30, 3, -1, -1, -1), *autumn) == ["2024-10-27 03:30"]
    assert len(due(cron, (0, -1, -1, -1, -1), *spring)) == 23 and len(due(cron, (0, -1, -1, -1, -1), *autumn)) == 25
    zone("Asia/Kathmandu")      # 5:45 hours from UTC
    assert due(cron, (15, 6, -1, -1, -1), "2024-03-31 00:00", "2024-04-01 00:00") == ["2024-03-31 06:15"]


def test_cron_looks_at_each_minute_once_whatever_the_clock_does(cron):
    since = lambda *arguments: list(cron.minutes_since(*arguments))
    assert since(100, 101) == [101] and since(100, 100) == []
    assert since(100, 104) == [101, 102, 103, 104], "made up for"
    assert since(100, 98) == [] and since(100, 40) == [], "set back a little: nothing twice"
    assert since(100, 39) == [39] and since(100, 5000) == [5000], "another time altogether"


def test_a_cron_entry_raises_its_signal_when_its_minute_begins():
    """The server's clock is put to half a second before a minute."""
    with Server("run_code", cores=4, env={"TZ": "Europe/Berlin"}) as server:
        assert run(server, """
            target = time.mktime((2031, 6, 15, 10, 30, 0, 0, 0, -1))       # a Sunday
            shift = target - 0.5 - time.time()
            _signals.wall_clock = lambda: time.time() + shift
            due, weekday, not_due = Handler(), Handler(), Handler()
            answer = uwsgi.add_cron(due.number, 30, 10, 15, 6, -1)
            uwsgi.add_cron(weekday.number, -10, -1, -1, -1, 0)
            uwsgi.add_cron(not_due.number, 31, -1, -1, -1, -1)
            due.wait(1)
            late = _signals.wall_clock() - target
            # The next look, without waiting a minute for it; and one more in the same minute.
            for seconds in (60.5, 60.7, 40):
                _signals.wall_clock = lambda: target + seconds
                _signals._crons.tick(time.monotonic())
            settle()
            counts = due.count, weekday.count, not_due.count
            _signals.wall_clock = lambda: target + 11 * 60
            in_seconds = _signals._crons.tick(0.0)
            settle()
            return answer, 0 <= late < 20, counts, weekday.count, in_seconds
        """) == [True, True, [1, 1, 1], 2, 60.0]


# :: File monitors


WATCH = """
marker_path = os.path.join(folder, "marker")
marker = Handler()
open(marker_path, "w").close()
uwsgi.add_file_monitor(marker.number, marker_path)

def heard(handler, action):
    '''Whether the action raises the signal. The kernel reports in order: when the marker's change is heard, everything before it has been.'''
    before, marks = handler.count, marker.count
    action()
    os.utime(marker_path)
    marker.wait(marks + 1)
    settle()
    return handler.count > before

def write(path, text="x", mode="w"):
    def action():
        with open(path, mode) as file:
            file.write(text)
    return action
"""


def watch(server, folder, code):
    return run(server, WATCH + textwrap.dedent(code), folder=str(folder))


def test_a_file_monitor_hears_each_kind_of_change_and_nothing_else(server, tmp_path):
    assert watch(server, tmp_path, """
        path, other = os.path.join(folder, "file"), os.path.join(folder, "other")
        write(path)()
        handler = Handler()
        answer = uwsgi.add_file_monitor(handler.number, path)
        calm = heard(handler, lambda: open(path).read()), heard(handler, write(other)), heard(handler, lambda: os.remove(other))
        changes = {
            "write": write(path), "append": write(path, mode="a"), "truncate": lambda: os.truncate(path, 0), "touch": lambda: os.utime(path), "chmod": lambda: os.chmod(path, 0o600),
            "delete": lambda: os.remove(path), "make again": write(path), "write again": write(path, "y"),
            "replace": lambda: (write(other, "new")(), os.rename(other, path)), "write the new one": write(path, "z"),
            "rename": lambda: os.rename(path, other), "rename back": lambda: os.rename(other, path), "write it at last": write(path, "a"),
        }
        return answer, calm, [what for what, action in changes.items() if not heard(handler, action)]
    """) == [None, [False, False, False], []]


def test_a_file_that_is_not_there_yet_and_a_folder(server, tmp_path):
    assert watch(server, tmp_path, """
        late, inner = os.path.join(folder, "late"), os.path.join(folder, "inner")
        os.mkdir(inner)
        file, directory = Handler(), Handler()
        uwsgi.add_file_monitor(file.number, late)
        uwsgi.add_file_monitor(directory.number, inner)
        entry = os.path.join(inner, "entry")
        return [
            heard(file, write(late)), heard(file, write(late, "more")),
            heard(directory, write(entry)), heard(directory, write(entry, "more")), heard(directory, lambda: os.remove(entry)), heard(directory, lambda: os.rmdir(inner)),
            heard(directory, lambda: os.mkdir(inner)), heard(directory, write(entry)),
        ]
    """) == [True] * 8


def test_two_monitors_of_one_file_and_a_symbolic_link(server, tmp_path):
    assert watch(server, tmp_path, """
        path, link = os.path.join(folder, "file"), os.path.join(folder, "link")
        write(path)()
        os.symlink(path, link)
        first, second, linked = Handler(), Handler(), Handler()
        uwsgi.add_file_monitor(first.number, path)
        uwsgi.add_file_monitor(second.number, path)
        uwsgi.add_file_monitor(linked.number, link)
        change = write(path, "y")
        heard(first, change)
        settle()
        counts = first.count, second.count, linked.count
        return counts, heard(linked, lambda: (write(path + "2")(), os.rename(path + "2", path))), heard(linked, lambda: (os.remove(link), os.symlink("/etc/hostname", link)))
    """) == [[1, 1, 1], True, True]


def test_many_changes_at_once_raise_a_signal_at_least_once_after_the_last(server, tmp_path):
    assert watch(server, tmp_path, """
        path, read = os.path.join(folder, "file"), []
        handler = Handler(lambda: read.append(open(path).read()))
        uwsgi.add_file_monitor(handler.number, path)
        def action():
            for i in range(1000):
                write(path, str(i))()
        answer = heard(handler, action)
        return answer, read[-1], handler.count < 1000
    """) == [True, "999", True]


def test_a_file_in_a_folder_that_is_not_there(server, tmp_path):
    with pytest.raises(Remote) as error:
        run(server, "uwsgi.add_file_monitor(1, path)", path=str(tmp_path / "nowhere" / "file"))
    assert error.value.kind == "FileNotFoundError" and error.value.errno == 2 and str(tmp_path / "nowhere") in error.value.text


def test_a_file_monitor_takes_a_core_of_its_own(tmp_path):
    for most, works in ((2, False), (3, True)):
        with Server("run_code", cores=2, options=["--ugreen-spawn-max", str(most)]) as server:
            code = "return heard(marker, lambda: os.utime(marker_path))"
            if works:
                assert watch(server, tmp_path, code) is True
            else:
                with pytest.raises(Remote) as error:
                    watch(server, tmp_path, code)
                assert error.value.kind == "SpawnLimit" and "add_file_monitor(): needs room for at least three" in error.value.text


def test_a_folder_that_goes_away_is_told(server, tmp_path):
    start = len(server.log)
    assert watch(server, tmp_path, """
        inner = os.path.join(folder, "inner")
        os.mkdir(inner)
        handler = Handler()
        uwsgi.add_file_monitor(handler.number, os.path.join(inner, "file"))
        heard(handler, lambda: os.rmdir(inner))
        return True
    """)
    server.wait_log(rf"^the file monitor of {tmp_path}/inner/file has ended: its folder is gone$", start=start)


# :: uwsgidecorators, import time, stop


def test_decorators(server, tmp_path):
    assert run(server, """
        import uwsgidecorators as deco
        seen = {name: ugreen.Queue() for name in ("signal", "timer", "mstimer", "rbtimer", "filemon", "thread", "postfork")}
        path = os.path.join(folder, "file")

        @deco.signal(60, target="workers")
        def on_signal(number): seen["signal"].put(number)
        @deco.timer(0.01, target="worker")
        def on_timer(number): seen["timer"].put(number)
        @deco.mstimer(10, signum=61)
        def on_mstimer(number): seen["mstimer"].put(number)
        @deco.rbtimer(0.01)
        def on_rbtimer(number): seen["rbtimer"].put(number)
        @deco.cron(0, 0, 1, 1, -1)
        def on_cron(number): pass
        @deco.filemon(path)
        def on_file(number): seen["filemon"].put(number)
        @deco.thread
        def in_thread(a, b=0): seen["thread"].put((a, b, uwsgi.async_id()))
        @deco.postfork
        def forked(): seen["postfork"].put("every worker")
        @deco.postfork(1)
        def forked_1(): seen["postfork"].put("worker 1")
        @deco.postfork(2)
        def forked_2(): seen["postfork"].put("worker 2")

        uwsgi.signal(60)
        open(path, "w").close()
        returned = in_thread(1, b=2)
        got = {name: queue.get(timeout=20) for name, queue in seen.items()}
        free = [got["timer"], got["rbtimer"], got["filemon"]]
        return (got["signal"], got["mstimer"], got["thread"], returned is in_thread.__wrapped__, in_thread.__name__, on_timer.__name__,
                len(set(free)) == 3 and all(uwsgi.signal_registered(number) for number in free), got["postfork"], seen["postfork"].get(timeout=20), seen["postfork"].qsize())
    """, folder=str(tmp_path)) == [60, 61, [1, 2, -1], True, "in_thread", "on_timer", True, "every worker", "worker 1", 0]


def test_decorators_that_are_not_there(server):
    for name, what in [("spool", "spooler"), ("mule", "mules"), ("rpc", "RPC")]:
        with pytest.raises(Remote) as error:
            run(server, f"from uwsgidecorators import {name}")
        assert error.value.kind == "ImportError" and f"uwsgidecorators.{name} is not there: this server is without {what}" in error.value.text
    with pytest.raises(Remote) as error:
        run(server, "import uwsgidecorators; uwsgidecorators.nonsense")
    assert error.value.kind == "AttributeError"


def test_all_numbers_taken():
    with Server("run_code", cores=2) as server:
        with pytest.raises(Remote) as error:
            run(server, """
                import uwsgidecorators
                for _ in range(257):
                    uwsgidecorators.timer(3600)(lambda number: None)
            """)
        assert error.value.kind == "RuntimeError" and error.value.text == "all 256 signals have a handler"
        assert run(server, "return all(uwsgi.signal_registered(number) for number in range(256))") is True


def test_from_the_import_of_the_application_to_the_stop(tmp_path):
    watched = tmp_path / "watched"
    with Server("signals_app", cores=2, env={"WATCHED": watched}) as server:
        seen = server.get("/").json
        assert seen["at import"] == {
            "twice": "ValueError: register_signal(): signal 200 has a handler already, on_signal",
            "the same twice": "returned None",
            "wait": "SystemError: signal_wait(): nothing can be raised here while the application is loaded",
            "handled": [],
        }
        assert seen["hooks"] == ["decorated", "uwsgi.post_fork_hook"] and seen["application was there"] is True
        watched.write_text("x")
        for kind in ("signal", "timer", "file"):
            server.wait_log(f"{kind} handled")
        server.wait_log(r"the post-fork function fails failed\nTraceback(.*\n)*?ZeroDivisionError")
    # Server has checked that the exit code is 0.
    assert server.log.count("Traceback") == 1 and "cut off" not in server.log
    assert "rests is ended by GreenExit" in server.log
