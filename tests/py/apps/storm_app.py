"""Python code that runs where C calls it, not where somebody wrote it: finalizers, callbacks of weak references, methods of arguments, trace functions, signal handlers.

Each of them makes hub calls, waits, raises, collects and lets go of the GIL, inside whatever C-API call the server is just making.
"""

import contextlib
import contextvars
import gc
import itertools
import signal
import sys
import threading
import time
import weakref

import _ugreen
import ugreen
import uwsgi

who = contextvars.ContextVar("who", default="nobody")
local = threading.local()

#: What was seen that must never be, as text.
wrong = []
calls = 0
_turn = itertools.count()


def mischief():
    """What a finalizer may do, a different thing each time. It may fail, and then as any Python code does."""
    global calls
    calls += 1
    turn = next(_turn) % 8
    # SystemError and RuntimeError: hub calls that mean nothing outside a request's own code say so.
    with contextlib.suppress(OSError, RuntimeError, SystemError, TypeError, ValueError):
        if turn == 0:
            uwsgi.async_id()
        elif turn == 1:
            ugreen.sleep(0.001)
        elif turn == 2:
            _ugreen.greens()
        elif turn == 3:
            time.sleep(0)
        elif turn == 4:
            # Always ready (/dev/null). A hostile call may have left a registration without a time-out for a descriptor that nobody writes to.
            uwsgi.wait_fd_read(0)
            uwsgi.suspend()
        elif turn == 5:
            _ugreen.interrupt(2**40, KeyError("for nobody"))
        elif turn == 6:
            who.set("a finalizer")
        else:
            uwsgi.wait_fd_read(10_000)


class Cycle:
    """Only the collector frees it, wherever it happens to run."""

    def __init__(self):
        self.me = self
        weakref.finalize(self, mischief)

    def __del__(self):
        mischief()


class Hostile:
    """An argument all of whose methods make mischief, and then raise or answer."""

    def __init__(self, answer):
        self.answer = answer

    def _act(self, *ignored):
        mischief()
        gc.collect(0)
        if isinstance(self.answer, type):
            raise self.answer("on purpose")
        return self.answer

    __index__ = __int__ = __float__ = __len__ = __bool__ = __bytes__ = __str__ = __repr__ = __hash__ = __iter__ = fileno = _act
    __eq__ = __call__ = _act


class Text(str):
    __slots__ = ("me",)

    def __hash__(self):
        mischief()
        return super().__hash__()

    def __eq__(self, other):
        mischief()
        return super().__eq__(other)


ANSWERS = [0, 1, -1, 2**70, 0.5, float("nan"), None, "text", b"bytes", [], KeyError, MemoryError, KeyboardInterrupt, StopIteration]

#: Not called: they end this request, the server or its workers, or wait for ever without an argument, as they should.
LEFT_OUT = {"begin", "end", "fail", "respond", "respond_file", "stop", "reload", "disconnect", "green_pause", "pause", "park", "setprocname", "share_out", "route_signal", "source_changed"}


def hub_calls():
    """Every hub call that there is, but for those left out: (name, function)."""
    return [(name, f) for name, f in sorted(vars(_ugreen).items()) if type(f).__name__ == "builtin_function_or_method" and name not in LEFT_OUT]


def arguments(turn):
    """None, one, two, three arguments, hostile ones among them."""
    picked = [Hostile(ANSWERS[(turn + i) % len(ANSWERS)]) for i in range(3)]
    return [(), (picked[0],), (0, picked[0]), (picked[0], 0.001), (picked[0], picked[1]), (Text("x"), Text("y")), tuple(picked)]


def litter(count=20):
    for _ in range(count):
        Cycle()


def call_all(turn):
    """Make every hub call with all arguments; return how many answered and how many raised."""
    answered = raised = 0
    for _, function in hub_calls():
        for args in arguments(turn):
            litter(2)
            try:
                function(*args)
                answered += 1
            except SystemError as error:
                # CPython's word for a C function that breaks its contract.
                if "returned" in str(error):
                    wrong.append(f"{function.__name__}{args!r:.80}: {error}")
                raised += 1
            except BaseException:  # noqa: B902  whatever the arguments raise
                raised += 1
            check(function.__name__)
    return answered, raised


def check(where):
    """This request's own state is in."""
    if local.core != uwsgi.async_id():
        wrong.append(f"{where}: thread-locals of core {local.core} on core {uwsgi.async_id()}")


@contextlib.contextmanager
def collecting():
    """The collector runs at every allocation while any request is in here."""
    collecting.inside = getattr(collecting, "inside", 0) + 1
    gc.set_threshold(1)
    try:
        yield
    finally:
        collecting.inside -= 1
        if not collecting.inside:
            gc.set_threshold(700)


def begin(environ, start_response):
    local.core = uwsgi.async_id()
    start_response("200 OK", [("Content-Type", "text/plain")])


def storm(environ, start_response):
    local.core = uwsgi.async_id()
    with collecting():
        answered, raised = call_all(int(environ["QUERY_STRING"] or 0))
    # Only now: start_response() is one of those that were called.
    begin(environ, start_response)
    return [b"answered %d raised %d" % (answered, raised)]


def traced(environ, start_response):
    """Trace and profile functions that make hub calls."""
    begin(environ, start_response)
    deep = []

    def trace(frame, event, arg):
        if not deep:
            deep.append(1)
            mischief()
            deep.pop()
        return trace

    sys.settrace(trace)
    sys.setprofile(trace)
    try:
        for _ in range(20):
            litter(1)
            check("trace")
            ugreen.sleep(0)
    finally:
        sys.setprofile(None)
        sys.settrace(None)
    return [b"traced"]


def alarm(environ, start_response):
    """A signal handler that makes mischief while this computes."""
    begin(environ, start_response)
    for _ in range(20):
        until = time.monotonic() + 0.01
        while time.monotonic() < until:
            check("alarm")
        litter(1)
    return [b"alarmed"]


def strike(environ, start_response):
    """Computes until its limit ends it; the collector runs at every allocation, also at the server's."""
    begin(environ, start_response)
    uwsgi.set_user_harakiri(0.5)
    gc.disable()
    litter(100)
    gc.enable()
    gc.set_threshold(1)
    strikes = 0
    try:
        for _ in iter(int, 1):
            pass
    except ugreen.Harakiri:
        strikes += 1
    finally:
        gc.set_threshold(700)
    # A second one for the same limit would come here.
    end = time.monotonic() + 0.5
    try:
        while time.monotonic() < end:
            pass
    except ugreen.Harakiri:
        strikes += 1
    return [b"struck %d times" % strikes]


def compute(environ, start_response):
    """Looks all the time whether its contextvars are its own, while an OS thread asks for the frames of all green threads."""
    begin(environ, start_response)
    who.set("compute")
    seen = 0

    def depth(n):
        return 0 if n == 0 else 1 + depth(n - 1)

    end = time.monotonic() + 1
    while time.monotonic() < end:
        depth(50)
        seen += who.get() != "compute"
    return [b"%d" % seen]


class Slow:
    """Its finalizer lets go of the GIL, as one that closes a file does."""

    def __init__(self):
        self.me = self

    def __del__(self):
        time.sleep(0.02)


def dump(environ, start_response):
    """Asks on an OS thread, with the collector about to run."""
    begin(environ, start_response)

    def work():
        for _ in range(20):
            gc.disable()
            for _ in range(3):
                Slow()
            gc.enable()
            gc.set_threshold(1)
            _ugreen.greens()
            gc.set_threshold(700)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        ugreen.sleep(0.01)
    return [b"dumped"]


def parked(environ, start_response):
    begin(environ, start_response)
    who.set("parked")
    ugreen.sleep(1)
    return [who.get().encode()]


def ending(environ, start_response):
    """Leaves behind what is released when its green thread ends; the finalizer then interrupts that green thread."""
    begin(environ, start_response)
    mine = _ugreen.green_id()

    class Last:
        def __del__(self):
            _ugreen.interrupt(mine, KeyError("for one that has ended"))

    who.set(Last())
    _ugreen.keep(Last())
    return [b"ended"]


def where(environ, start_response):
    """All green threads and their stacks, for whoever looks into a hang."""
    begin(environ, start_response)
    return [ugreen.dump().encode()]


def report(environ, start_response):
    begin(environ, start_response)
    ugreen.sleep(0.001)
    return [f"{calls > 0} {wrong[:5]}".encode()]


PAGES = {f"/{page.__name__}": page for page in (where, storm, traced, alarm, strike, compute, dump, parked, ending, report)}


def application(environ, start_response):
    return PAGES[environ["PATH_INFO"]](environ, start_response)


signal.signal(signal.SIGUSR2, lambda *_: mischief())
