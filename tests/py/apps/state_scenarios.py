"""
What a green thread could lose to another one, as scenarios. Each runs on every core at once and suspends in the middle of everything; it returns a list of what was
wrong, which must be empty, and how often it suspended, which must not be zero.

``/NAME?group=G&n=N``: wait until N requests of group G are here, run the scenario, answer {"core", "problems", "pauses"}. A ``seed`` makes each one's pauses different.
With UGREEN_TEST_STORM=1 in the environment a foreign thread collects garbage all the time, and so do the requests themselves.
"""

import contextlib
import contextvars
import copy
import decimal
import functools
import gc
import json
import os
import random
import re
import sys
import threading
import time
import traceback
import urllib.parse

import uwsgi

import meeting

STORM = bool(os.environ.get("UGREEN_TEST_STORM"))
SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Checker:
    """Pauses at random, and keeps the differences between what is and what should be."""

    def __init__(self, core, seed):
        self.core, self.random, self.problems, self.pauses = core, random.Random(seed), [], 0

    def pause(self, value=None):
        """Let the others run once to three times; returns its argument, so that it fits into expressions."""
        for _ in range(self.random.randint(1, 3)):
            if STORM and self.random.random() < 0.01:
                gc.collect()
            if self.random.random() < 0.02:
                uwsgi.async_sleep(0.0005)
            uwsgi.suspend()
            self.pauses += 1
        if uwsgi.async_id() != self.core:
            self.problems.append(f"async_id() is {uwsgi.async_id()} on core {self.core}")
        return value

    def same(self, what, got, wanted):
        if got != wanted and len(self.problems) < 20:
            self.problems.append(f"{what}: {got!r} instead of {wanted!r}")


# :: frames and callbacks


@scenario
def generators(c):
    def inner(base):
        try:
            for i in range(5):
                got = yield c.pause((c.core, base, i))
                c.same("sent into inner", got, (base, i))
        finally:
            c.pause()
            closed.append(base)

    def outer():
        for base in range(3):
            yield from inner(base)

    closed = []
    g = outer()
    seen = [next(g)]
    with contextlib.suppress(StopIteration):
        while True:
            c.pause()
            seen.append(g.send(seen[-1][1:]))
    c.same("generated", seen, [(c.core, base, i) for base in range(3) for i in range(5)])
    half = outer()
    next(half)
    c.pause()
    half.close()
    c.same("closed", closed, [0, 1, 2, 0])
    thrown = inner(9)
    next(thrown)
    try:
        thrown.throw(KeyError(c.core))
    except KeyError as error:
        c.same("thrown", error.args, (c.core,))
    c.same("generator expression", sum(c.pause(i) for i in range(20)), 190)


@scenario
def callbacks(c):
    numbers = [c.random.randint(0, 1000) for _ in range(30)]
    c.same("sorted", sorted(numbers, key=lambda x: c.pause(-x)), sorted(numbers, reverse=True))
    in_place = list(numbers)
    in_place.sort(key=functools.cmp_to_key(lambda a, b: c.pause(a - b)))
    c.same("sort", in_place, sorted(numbers))
    c.same("map", list(map(lambda x: c.pause(x * 2), numbers)), [x * 2 for x in numbers])
    c.same("filter", list(filter(lambda x: c.pause(x % 2), numbers)), [x for x in numbers if x % 2])
    c.same("reduce", functools.reduce(lambda a, b: c.pause(a + b), numbers), sum(numbers))
    c.same("max", max(numbers, key=lambda x: c.pause(x)), max(numbers))
    c.same("re.sub", re.sub(r"\d", lambda m: c.pause(str((int(m[0]) + c.core) % 10)), "0123456789"), "".join(str((i + c.core) % 10) for i in range(10)))

    class Odd:
        def __init__(self, x):
            self.x = x

        def __hash__(self):
            return c.pause(self.x % 3)

        def __eq__(self, other):
            return c.pause(self.x == other.x)

        def __repr__(self):
            return c.pause(f"<{c.core} {self.x}>")

        def __getattr__(self, name):
            return c.pause((c.core, name))

        def __deepcopy__(self, memo):
            return Odd(c.pause(self.x))

    odd = {Odd(i): i for i in range(9)}
    c.same("dict", [odd[Odd(i)] for i in range(9)], list(range(9)))
    c.same("repr", repr([Odd(1), (Odd(2),)]), f"[<{c.core} 1>, (<{c.core} 2>,)]")
    c.same("getattr", Odd(1).strange, (c.core, "strange"))
    c.same("deepcopy", [o.x for o in copy.deepcopy([Odd(1), Odd(2)])], [1, 2])
    c.same("json", json.loads(json.dumps([object(), 2], default=lambda o: c.pause(c.core))), [c.core, 2])
    c.same("sorted in map in sorted", sorted(map(lambda x: c.pause(sorted([x, 1], key=lambda y: c.pause(y))[0]), [3, 0, 2])), [0, 1, 1])


# :: exceptions


@scenario
def exceptions(c):
    c.same("exc_info at first", sys.exc_info(), (None, None, None))
    try:
        c.pause()
        raise KeyError(c.core)
    except KeyError as first:
        c.pause()
        c.same("exc_info while handling", sys.exc_info()[1], first)
        try:
            c.pause()
            raise ValueError(c.core)
        except ValueError as second:
            c.pause()
            c.same("context", second.__context__, first)
            c.same("nested exc_info", sys.exc_info()[1], second)
            try:
                raise RuntimeError(c.core) from c.pause(second)
            except RuntimeError as third:
                c.pause()
                c.same("chain", (third.__cause__, third.__context__.__context__), (second, first))
            c.pause()
            c.same("exc_info after the inner one", sys.exc_info()[1], second)
        c.pause()
        c.same("exc_info after the nested one", sys.exc_info()[1], first)
        try:
            c.pause()
            raise
        except KeyError as again:
            c.same("bare raise", again, first)
    c.pause()
    c.same("exc_info at the end", sys.exc_info(), (None, None, None))


@scenario
def fresh_exceptions_have_no_context(c):
    """While others handle exceptions: what this one raises has nothing to do with theirs."""
    for i in range(10):
        c.pause()
        try:
            raise LookupError(c.core, i)
        except LookupError as error:
            c.same("context", error.__context__, None)
            c.same("args", error.args, (c.core, i))
            c.pause()
            frames = [f.name for f in traceback.extract_tb(error.__traceback__)]
            c.same("traceback", frames, ["fresh_exceptions_have_no_context"])
        c.pause()
        c.same("exc_info", sys.exc_info()[1], None)
    try:
        raise  # noqa: PLE0704 - nothing is being handled here, whatever others do
    except RuntimeError as error:
        c.same("bare raise", str(error), "No active exception to reraise")


@scenario
def exceptions_in_generators(c):
    """A generator that is suspended inside an except clause has an exception of its own on the stack of exceptions."""

    def handling(name):
        try:
            raise KeyError(name)
        except KeyError as error:
            yield c.pause(sys.exc_info()[1] is error)
            c.pause()
            yield sys.exc_info()[1] is error
            raise OSError(name)

    try:
        raise ValueError("outside")
    except ValueError as outside:
        a, b = handling("a"), handling("b")
        c.same("inside", [next(a), next(b), next(a), next(b)], [True] * 4)
        c.pause()
        c.same("outside", sys.exc_info()[1], outside)
        try:
            next(a)
        except OSError as error:
            c.pause()
            c.same("context", [type(e).__name__ for e in (error.__context__, error.__context__.__context__)], ["KeyError", "ValueError"])
    try:
        raise ExceptionGroup("several", [KeyError(c.core), OSError(c.core)])
    except* KeyError as group:
        c.pause()
        c.same("group", group.exceptions[0].args, (c.core,))
    except* OSError as group:
        c.pause()
        c.same("group", group.exceptions[0].args, (c.core,))
    c.same("exc_info", sys.exc_info()[1], None)


@scenario
def with_blocks(c):
    @contextlib.contextmanager
    def block(name):
        log.append(c.pause(("in", name)))
        try:
            yield c.pause(name)
        except KeyError as error:
            log.append(c.pause(("error", error.args[0])))
        finally:
            log.append(c.pause(("out", name)))

    log = []
    with block("a") as a, contextlib.ExitStack() as stack:
        for name in "bc":
            c.same("value", stack.enter_context(block(a + name)), a + name)
        stack.callback(c.pause)
        c.pause()
        raise KeyError(c.core)
    c.same("order", log, [("in", "a"), ("in", "ab"), ("in", "ac"), ("error", c.core), ("out", "ac"), ("out", "ab"), ("out", "a")])


# :: depth


def _dive(c, depth, bottom):
    here = (c.core, depth)
    answer = bottom() if depth == 0 else _dive(c, depth - 1, bottom)
    c.same("local", here, (c.core, depth))
    return answer


def _room():
    """How many calls deep it may still go."""
    def down(n):
        try:
            return down(n + 1)
        except RecursionError:
            return n

    return down(0)


@scenario
def deep_recursion(c):
    """Suspended 500 calls deep: the others' depth is not counted here, nor ours there."""
    top = _room()
    for _ in range(3):
        c.pause()
        bottom = _dive(c, 500, lambda: c.pause(_room()) + 0 * c.pause(1))
        # Not quite 500: each frame in between is counted too, and where the interpreter notices differs by a few.
        if not 480 <= top - bottom <= 520:
            c.problems.append(f"{top} calls are left at the top and {bottom} at a depth of 500")
        c.pause()
        c.same("room at the top", _room(), top)
    if not 900 <= top <= 1000:
        c.problems.append(f"{top} calls are left of 1000")


@scenario
def deep_recursion_through_c(c):
    def down(n):
        if n == 0:
            return c.pause([c.core])
        return [n, *sorted([n], key=lambda x: 0), *max([down(n - 1)], key=len)]

    wanted = [c.core]
    for n in range(1, 41):
        wanted = [n, n, *wanted]
    for _ in range(3):
        c.same("list", down(40), wanted)
        c.same("locals at many depths", [_dive(c, n, lambda: c.pause(c.core)) for n in (3, 300, 30)], [c.core] * 3)


@scenario
def large_frames(c):
    """Many locals and large argument lists: more of the data stack than one chunk holds."""

    def wide(depth, *args, **kwargs):
        a, b, *rest = args
        c.pause()
        if depth:
            c.same("result", wide(depth - 1, *args[::-1], **kwargs), depth - 1)
        c.same("arguments", (a, b, len(rest), kwargs), (args[0], args[1], 298, {"core": c.core}))
        return depth

    wide(30, *range(c.core, c.core + 300), core=c.core)


@scenario
def recursion_limit(c):
    """sys.setrecursionlimit() is the interpreter's: whoever is parked meanwhile keeps its depth, and has its room by the limit that counts when it runs."""
    def check():
        limit = 1000 + 100 * c.random.randint(0, 5)
        sys.setrecursionlimit(limit)
        room = _room()
        if not limit - 400 <= room <= limit - 200:
            c.problems.append(f"{room} calls are left of {limit}, 200 deep")
        c.pause()
        limit = sys.getrecursionlimit()
        room = _room()
        if not limit - 400 <= room <= limit - 200:
            c.problems.append(f"{room} calls are left of {limit} after a pause, 200 deep")

    for _ in range(5):
        _dive(c, 200, check)
        c.pause()
    sys.setrecursionlimit(1000)


# :: context variables, thread-locals


VARIABLE = contextvars.ContextVar("VARIABLE", default="fresh")
UNSET = contextvars.ContextVar("UNSET")


@scenario
def context_variables(c):
    c.same("at first", (VARIABLE.get(), UNSET.get("none")), ("fresh", "none"))
    token = VARIABLE.set(("mine", c.core))
    UNSET.set(c.core)
    for i in range(10):
        c.pause()
        c.same("value", (VARIABLE.get(), UNSET.get()), (("mine", c.core), c.core))
        inner = VARIABLE.set(i)
        c.pause()
        c.same("inner value", VARIABLE.get(), i)
        VARIABLE.reset(inner)

    def copied():
        c.same("in a copy", VARIABLE.get(), ("mine", c.core))
        VARIABLE.set("changed")
        c.pause()
        c.same("changed in a copy", VARIABLE.get(), "changed")
        contextvars.Context().run(lambda: c.same("empty", c.pause(VARIABLE.get()), "fresh"))
        return c.pause("done")

    context = contextvars.copy_context()
    c.same("run", context.run(copied), "done")
    c.same("after the run", (VARIABLE.get(), context[VARIABLE]), (("mine", c.core), "changed"))
    VARIABLE.reset(token)
    c.pause()
    c.same("reset", VARIABLE.get(), "fresh")
    VARIABLE.set("left behind")


@scenario
def decimal_contexts(c):
    c.same("at first", decimal.getcontext().prec, 28)
    decimal.getcontext().prec = 5 + c.core
    for i in range(5):
        c.pause()
        c.same("precision", len(str(decimal.Decimal(1) / 3)), 7 + c.core)
        with decimal.localcontext() as local:
            local.prec = 60 + i
            c.pause()
            c.same("local precision", len(str(decimal.Decimal(1) / 3)), 62 + i)


LOCAL = threading.local()
OF_CORE = {}


@scenario
def thread_locals(c):
    """A core keeps its own from one request to the next, and no other core ever sees them."""
    if hasattr(LOCAL, "core"):
        c.same("of the request before", LOCAL.core, c.core)
    else:
        c.same("a core that had one lost it", OF_CORE.get(c.core), None)
        LOCAL.core, LOCAL.requests = c.core, 0
    LOCAL.requests += 1
    OF_CORE[c.core] = OF_CORE.get(c.core, 0) + 1
    for _ in range(20):
        c.pause()
        c.same("local", (LOCAL.core, LOCAL.requests), (c.core, OF_CORE[c.core]))
    names = set(vars(LOCAL))
    c.same("names", names, {"core", "requests"})


THREADS = {}


@scenario
def current_thread(c):
    for _ in range(10):
        thread = threading.current_thread()
        c.same("name", thread.name, f"ugreen-core-{c.core}")
        c.same("one object per core", THREADS.setdefault(c.core, thread), thread)
        c.pause()
    c.same("distinct objects", len(set(map(id, THREADS.values()))), len(THREADS))
    c.same("alive", (thread.is_alive(), thread.daemon), (True, True))
    try:
        thread.join()
    except RuntimeError:
        pass
    else:
        c.problems.append("a core's thread could be joined")


@scenario
def trees_of_objects(c):
    """Builds, walks and drops nested objects, with finalizers that suspend, while the collector runs: what CPython keeps for deep deallocations is per green thread."""

    class Node:
        def __init__(self, depth):
            self.children = [Node(depth - 1), Node(depth - 1)] if depth else []
            self.parent = self

        def __del__(self):
            died.append(c.core)
            if c.random.random() < 0.05:
                uwsgi.suspend()     # not c.pause(): another core's collection may have come here

    died = []
    for _ in range(3):
        tree = Node(4)
        c.pause()
        del tree
        deep = None
        for i in range(2000):
            deep = (deep, i)
        c.pause()
        del deep
        gc.collect()
    end = time.monotonic() + 20
    while len(died) < 3 * 31 and time.monotonic() < end:
        c.pause()
        gc.collect()
    c.same("finalized", died, [c.core] * 93)


@scenario
def deallocations_in_progress(c):
    """
    Parked in a finalizer, some levels deep in the deallocation of tuples. CPython puts off what is more than 50 levels deep: if the others' levels were counted here,
    objects would not die when their last reference goes.
    """

    class Probe:
        def __del__(self):
            died.append(self)

    class Slow:
        def __del__(self):
            for _ in range(20):
                uwsgi.suspend()
                c.pauses += 1
                nest = (((Probe(),),),)
                died.clear()
                del nest
                seen.append(len(died))

    died, seen = [], []
    nest = (((Slow(),),),)
    del nest
    c.same("died at once", seen, [1] * 20)


# :: the application


def _storm():
    while True:
        gc.collect()
        # The storm is there to meet every moment of the others, not to take all of the processor.
        time.sleep(0.0005)


if STORM:
    threading.Thread(target=_storm, name="storm", daemon=True).start()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/filler":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"filled"]
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    c = Checker(environ["uwsgi.core"], query["seed"])
    meeting.meet(query["group"], int(query["n"]))
    try:
        SCENARIOS[environ["PATH_INFO"][1:]](c)
    except Exception:
        c.problems.append(traceback.format_exc())
    meeting.meet(query["group"] + " done", int(query["n"]))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"core": c.core, "problems": c.problems, "pauses": c.pauses}).encode()]
