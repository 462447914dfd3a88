"""``ugreen.local``: attributes of one green thread. The code under test runs in the server; see serving.Server.run."""

import json
import textwrap

import pytest

from serving import Server, background
from test_ugreen_sync import HELPERS

HELPERS += '''
import copy, gc, pickle, weakref

class Value:
    """Something whose end can be seen."""
'''


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=40) as s:
        yield s


def run(server, code, **values):
    return server.run(HELPERS + textwrap.dedent(code), **values)


def test_each_green_thread_has_its_own(server):
    assert run(server, """
        here, seen = ugreen.local(), []
        here.x = "the request's"
        def body(i):
            def run():
                before = hasattr(here, "x")
                here.x = i
                ugreen.sleep(0)
                seen.append((before, here.x))
            return run
        spawn_all([body(i) for i in range(20)])
        return sorted(seen), here.x
    """) == [[[False, i] for i in range(20)], "the request's"]


@pytest.fixture
def core():
    """A server with one core, so that one request follows the other on it."""
    with Server("run_code", cores=1) as s:
        yield s


def test_a_request_begins_with_nothing_where_threading_local_goes_on(core):
    first = run(core, """
        shared.mine, shared.cores = ugreen.local(), threading.local()
        shared.mine.x = shared.cores.x = Value()
        shared.gone = weakref.ref(shared.mine.x)
        return uwsgi.async_id()
    """)
    second = run(core, "return uwsgi.async_id(), hasattr(shared.mine, 'x'), hasattr(shared.cores, 'x')")
    assert second == [first, False, True]


def test_values_go_with_the_request(core):
    """The next request on the core sees their finalizers to have run, without the collector."""
    run(core, """
        gc.disable()
        shared.mine, shared.gone = ugreen.local(), []
        for name in "abc":
            value = Value()
            setattr(shared.mine, name, value)
            shared.gone.append(weakref.ref(value))
    """)
    assert run(core, """
        from ugreen import _local
        gc.enable()
        return [ref() is None for ref in shared.gone], shared.mine.__dict__, len(_local._ends)
    """) == [[True] * 3, {}, 1]


def test_values_go_when_a_request_fails_or_its_client_leaves(core):
    code = HELPERS + textwrap.dedent("""
        if not hasattr(shared, "mine"):
            shared.mine, shared.gone = ugreen.local(), []
        shared.mine.value = Value()
        shared.gone.append(weakref.ref(shared.mine.value))
        if how == "exit":
            raise SystemExit
        write = start_response("200 OK", [])
        while True:
            write(b"x" * 65536)
    """)
    header = {"X-Code": json.dumps({"code": code, "values": {"how": "exit"}})}
    assert core.get("/", header).status == 500
    with core.connect() as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Code: " + json.dumps({"code": code, "values": {"how": "leave"}}).encode() + b"\r\n\r\n")
        assert s.recv(100)
    assert run(core, "return [ref() is None for ref in shared.gone]") == [True, True]


def test_values_go_with_the_local(server):
    assert run(server, """
        here = ugreen.local()
        here.x = Value()
        gone, local_gone = weakref.ref(here.x), weakref.ref(here)
        del here
        return gone() is None, local_gone() is None
    """) == [True, True]


def test_many_locals_of_one_green_thread_leave_nothing(server):
    assert run(server, """
        from ugreen import _local
        for i in range(1000):
            here = ugreen.local()
            here.x = i
        end = _local._ends[_ugreen.green_id()]
        return len(end.stores)
    """) == 1


def test_a_value_that_holds_its_local_is_collected(server):
    assert run(server, """
        here = ugreen.local()
        here.value = Value()
        here.value.local = here
        gone = weakref.ref(here.value)
        del here
        gc.collect()
        return gone() is None
    """) is True


def test_a_subclass_is_initialised_in_each_green_thread(server):
    assert run(server, """
        class Mine(ugreen.local):
            number = 2
            def __init__(self, start, step=1):
                self.log = [start]
                self.step = step
            def next(self):
                self.log.append(self.log[-1] + self.step)
                return self.log
            @property
            def last(self):
                return self.log[-1]
            @last.setter
            def last(self, value):
                self.log[-1] = value
        here, seen = Mine(10, step=5), []
        here.next()
        def body():
            ugreen.sleep(0)
            here.number += 1
            seen.append((here.next(), here.last, here.number))
        spawn_all([body] * 3)
        here.last = 99
        return seen, here.log, here.number, sorted(vars(here))
    """) == [[[[10, 15], 15, 3]] * 3, [10, 99], 2, ["log", "step"]]


def test_an_init_that_fails_is_tried_again(server):
    assert run(server, """
        class Mine(ugreen.local):
            tries = []
            def __init__(self):
                self.half = True
                self.tries.append(1)
                if len(self.tries) == 2:
                    raise LookupError("the second")
        here, seen = Mine(), []
        def body():
            for _ in range(2):
                try:
                    seen.append(here.half)
                except LookupError as error:
                    seen.append(str(error))
        spawn_all([body])
        return seen, len(Mine.tries)
    """) == [["the second", True], 3]


def test_an_init_that_waits(server):
    assert run(server, """
        class Mine(ugreen.local):
            def __init__(self):
                self.id = _ugreen.green_id()
                ugreen.sleep(0.001)
        here, right = Mine(), []
        spawn_all([lambda: right.append(here.id == _ugreen.green_id())] * 10)
        return right
    """) == [True] * 10


PARITY = '''
class Plain(base):
    pass

class Defaults(base):
    number = 2
    __slots__ = ("slot",)
    def __init__(self, *args, **kwargs):
        self.__dict__.update(kwargs)
        self.args = args
    def __getattr__(self, name):
        if name.startswith("computed"):
            return name
        raise AttributeError(f"nothing called {name}")

def attempt(function):
    try:
        result = function()
    except Exception as error:
        return type(error).__name__, str(error).replace("_thread._local", "local").replace("ugreen._local", "local").replace("threading.", "")
    return repr(result) if isinstance(result, (dict, str, int, tuple, list, type(None))) else type(result).__name__

def script(thing):
    """What can be done to a local, and what comes of it."""
    yield attempt(lambda: thing.x)
    yield attempt(lambda: setattr(thing, "x", 1))
    yield attempt(lambda: (thing.x, thing.__dict__, vars(thing), "x" in dir(thing)))
    yield attempt(lambda: delattr(thing, "x"))
    yield attempt(lambda: delattr(thing, "x"))
    yield attempt(lambda: setattr(thing, "__dict__", {}))
    yield attempt(lambda: delattr(thing, "__dict__"))
    yield attempt(lambda: thing.__dict__.update(y=5))
    yield attempt(lambda: thing.y)
    yield attempt(lambda: thing.number)
    yield attempt(lambda: setattr(thing, "number", 3))
    yield attempt(lambda: (thing.number, getattr(type(thing), "number", None)))
    yield attempt(lambda: delattr(thing, "number"))
    yield attempt(lambda: thing.number)
    yield attempt(lambda: setattr(thing, "slot", 7))
    yield attempt(lambda: (thing.slot, "slot" in thing.__dict__))
    yield attempt(lambda: thing.computed_it)
    yield attempt(lambda: thing.args)
    yield attempt(lambda: isinstance(thing, base))
    yield attempt(lambda: setattr(thing, "__class__", int))
    yield attempt(lambda: (hasattr(thing, "__dict__"), len(thing.__dict__)))
    yield attempt(lambda: pickle.dumps(thing))
    yield attempt(lambda: copy.copy(thing))
    yield attempt(lambda: (thing == thing, hash(thing) == hash(thing), bool(thing)))
    yield attempt(lambda: weakref.ref(thing)() is thing)
    yield attempt(lambda: getattr(thing, "gone", "default"))

def everything(kind, *args, **kwargs):
    thing = attempt(lambda: kind(*args, **kwargs))
    if isinstance(thing, tuple):
        return [thing]
    thing = kind(*args, **kwargs)
    here = list(script(thing))
    there = in_thread(lambda: list(script(thing)))
    return [here, there, list(script(thing))]

return [everything(base), everything(base, 1), everything(base, x=1), everything(Plain), everything(Plain, 1), everything(Defaults), everything(Defaults, 1, z=2)]
'''


def test_it_does_what_threading_local_does(server):
    ours = run(server, "base = ugreen.local\n" + PARITY)
    theirs = run(server, "base = threading.local\n" + PARITY)
    assert ours == theirs
    assert any("computed_it" in str(part) for part in ours) and any("cannot pickle" in str(part) for part in ours)


def test_other_os_threads_have_their_own(server):
    assert run(server, """
        class Mine(ugreen.local):
            def __init__(self, value):
                self.x = value
        here = Mine(1)
        here.x = 2
        def foreign():
            before = here.x
            here.x = 3
            here.value = Value()
            return before, here.x, weakref.ref(here.value)
        before, after, gone = in_thread(foreign)
        # The thread's own end releases it; in_thread answers before that.
        deadline = time.monotonic() + 20
        while gone() is not None and time.monotonic() < deadline:
            ugreen.sleep(0.001)
        in_pool = ugreen.run_in_thread(lambda: here.x)
        return before, after, gone() is None, in_pool, here.x
    """) == [1, 3, True, 1, 2]


def test_at_import_time_and_afterwards(tmp_path):
    (tmp_path / "early.py").write_text(textwrap.dedent("""
        import ugreen
        here = ugreen.local()
        here.x = "import"
        def application(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [repr(getattr(here, "x", None)).encode()]
    """))
    with Server("early", cores=2, options=["--pythonpath", tmp_path]) as s:
        assert [s.get("/").text for _ in range(3)] == ["None"] * 3


def test_copies_of_the_context_do_not_share_it(server):
    """asyncio runs each task in a copy of the context; the green thread is the same."""
    assert run(server, """
        import asyncio, contextvars
        here = ugreen.local()
        async def task():
            here.x = 1
        async def main():
            await asyncio.gather(task())
        asyncio.run(main())
        inside = contextvars.copy_context().run(lambda: here.x)
        context, seen = contextvars.copy_context(), []
        spawn_all([lambda: seen.append(context.run(hasattr, here, "x"))])
        return here.x, inside, seen
    """) == [1, 1, [False]]


def test_finalizers_at_the_end_may_use_locals(core):
    """They run when the green thread is over, and so belong to none: what they set reaches nobody."""
    run(core, """
        class Last:
            def __del__(self):
                shared.seen = hasattr(shared.mine, "x"), _ugreen.green_id()
                shared.mine.x = "from the finalizer"
        shared.mine = ugreen.local()
        shared.mine.x = 1
        shared.mine.last = Last()
    """)
    assert run(core, "return shared.seen, hasattr(shared.mine, 'x')") == [[False, -1], False]


def test_keep_is_for_green_threads(server):
    assert run(server, """
        seen = []
        for call in (lambda: in_thread(lambda: _ugreen.keep(1)), lambda: _ugreen.keep()):
            try:
                call()
            except (RuntimeError, TypeError) as error:
                seen.append(type(error).__name__)
        return seen
    """) == ["RuntimeError", "TypeError"]


@pytest.mark.parametrize("seed", range(4))
def test_random_schedules(server, seed):
    """Green threads and OS threads set, read and delete as a seeded generator says, with waits in between; each must always see its own, and nothing is left."""
    assert run(server, """
        from ugreen import _local

        class Mine(ugreen.local):
            def __init__(self, start):
                self.start = start

        locals_, values, finished = [ugreen.local(), Mine("s"), Mine("t")], [], []

        def act(r, expected):
            which, name = r.randrange(3), r.choice("abc")
            here, mine = locals_[which], expected[which]
            choice = r.randrange(4)
            if choice == 0:
                value = Value()
                values.append(weakref.ref(value))
                setattr(here, name, value)
                mine[name] = value
            elif choice == 1:
                assert getattr(here, name, None) is mine.get(name)
            elif choice == 2 and name in mine:
                delattr(here, name)
                del mine[name]
            else:
                assert {k: v for k, v in vars(here).items() if k != "start"} == mine
                assert vars(here).get("start") == (None, "s", "t")[which]

        def foreign(r):
            expected = [{}, {}, {}]
            for _ in range(5):
                act(r, expected)

        def green(number):
            r = random.Random(seed * 100 + number)
            def body():
                expected = [{}, {}, {}]
                for _ in range(40):
                    act(r, expected)
                    if r.random() < 0.5:
                        ugreen.sleep(r.choice([0, 0, 0.0003]))
                    if r.random() < 0.1:
                        in_thread(lambda: foreign(random.Random(r.random())))
                finished.append(number)
            return body

        spawn_all([green(n) for n in range(30)])
        gc.collect()
        left = lambda: sum(ref() is not None for ref in values)
        deadline = time.monotonic() + 20
        while left() and time.monotonic() < deadline:
            ugreen.sleep(0.001)
        return len(finished), left(), len(values) > 100
    """, seed=seed) == [30, 0, True]


def test_requests_side_by_side(server, control):
    """Two requests at the same time, in an order that the test fixes."""
    with Server("run_code", cores=4, env=control.env) as s:
        code = HELPERS + textwrap.dedent("""
            if not hasattr(shared, "here"):
                shared.here = ugreen.local()
            before = hasattr(shared.here, "x")
            shared.here.x = name
            reach(name)
            return before, shared.here.x
        """)
        with background(s.run, code, name="first") as first:
            one = control.wait("first")
            with background(s.run, code, name="second") as second:
                two = control.wait("second")
                one.release()
                assert first.result(30) == [False, "first"]
                two.release()
                assert second.result(30) == [False, "second"]
