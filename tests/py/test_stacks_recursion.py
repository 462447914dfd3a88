"""
Too deep recursion, with the default stack and the default recursion limit: an exception for the request that did it, and nothing for its neighbours. Real exhaustion of
a stack, which only code that raises the limit (or C code without one) can reach, ends the worker with a message that says what to do. From CPython 3.12 on the C stack has a limit of its own, which a
raised limit of Python's does not move, and only C code without one is left.
"""

import contextlib
import http.client
import signal

import pytest

from serving import PATIENCE, PYTHON_VERSION, Control, Remote, Server, background, many


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("run_code", cores=4, env=control.env, options=["--ugreen-stacksize", "256"]) as s:
        yield s


#: Code that recurses without end, in Python and through C functions of many kinds, and what it raises.
RUNAWAYS = {
    "function": "def f(): return f()\nf()",
    "generator": "def g():\n  yield from g()\nlist(g())",
    "__call__": "class A:\n  def __call__(self): return A.__call__(self)\nA()()",
    "__getattr__": "class A:\n  def __getattr__(self, n): return getattr(self, n + 'x')\nA().y",
    "__init__": "class A:\n  def __init__(self): A()\nA()",
    "__new__": "class A:\n  def __new__(cls): return cls()\nA()",
    "__repr__": "class A:\n  def __repr__(self): return repr(self)\nrepr(A())",
    "__str__ in a format": "class A:\n  def __format__(self, s): return f'{self}'\nf'{A()}'",
    "__add__": "class A:\n  def __add__(self, o): return self + o\nA() + 1",
    "__eq__ of lists": "a, b = [], []\nfor i in range(100000): a, b = [a], [b]\na == b",
    "__index__": "class A:\n  def __index__(self): return range(self)\nrange(A())",
    "__fspath__": "class P:\n  def __fspath__(self): return open(self)\nopen(P())",
    "__missing__": "class D(dict):\n  def __missing__(self, k): return '%(x)s' % self\n'%(x)s' % D()",
    "repr of a deep list": "l = []\nfor i in range(100000): l = [l]\nrepr(l)",
    "map": "def f(x): return list(map(f, [1]))\nf(1)",
    "max": "def f(x): return max([1, 2], key=f)\nf(1)",
    "bisect": "import bisect\ndef f(x): return bisect.bisect([1, 2], 1, key=f)\nf(1)",
    "functools.reduce": "import functools\ndef f(a, b): return functools.reduce(f, [1, 2])\nf(1, 2)",
    "functools.lru_cache": "import functools\n@functools.lru_cache\ndef f(x): return f(x + 1)\nf(1)",
    "sorted": "def f(x): return sorted([1, 2], key=f)\nf(1)",
    "cmp_to_key": "import functools\ndef c(a, b): return len(sorted([1, 2], key=functools.cmp_to_key(c)))\nc(1, 2)",
    "re.sub": "import re\ndef f(m): return re.sub('a', f, 'a')\nf(1)",
    "re.compile": "import re\nre.compile('(' * 5000 + ')' * 5000)",
    "json.dumps": "import json\nl = []\nfor i in range(100000): l = [l]\njson.dumps(l)",
    "json.dumps with default": "import json\nclass A: pass\ndef d(o): return json.dumps(A(), default=d)\nd(1)",
    "json.loads": "import json\njson.loads('[' * 100000)",
    "pickle": "import pickle\nl = []\nfor i in range(100000): l = [l]\npickle.dumps(l)",
    "copy.deepcopy": "import copy\nl = []\nfor i in range(100000): l = [l]\ncopy.deepcopy(l)",
    "eval": "def f(): return eval('f()', {'f': f})\nf()",
    "compile": "compile('+'.join(['a'] * 100000), 'x', 'eval')",
    "isinstance": "t = int\nfor i in range(100000): t = (t,)\nisinstance('', t)",
    "expat": "import xml.parsers.expat as e\ndef f(*a):\n  p = e.ParserCreate(); p.StartElementHandler = f; p.Parse('<a/>', True)\nf()",
    "sqlite": "import sqlite3\ndef f():\n  c = sqlite3.connect(':memory:'); c.create_function('f', 0, f)\n  return c.execute('select f()').fetchone()[0]\nf()",
}

#: Python's own sort and SQLite need more C stack per level than 1 MiB, the smallest default, has for a thousand levels.
TOO_LARGE_FOR_256_PAGES = {"sorted", "cmp_to_key", "sqlite"}


def check_neighbour_survives(server, control, name):
    """Run away in one request while another one is parked deep in its own calls, and see that it comes out of them unharmed."""
    parked = """
        def down(n):
            mine = [n, environ["uwsgi.core"]]
            answer = reach("deep") if n == 0 else down(n - 1)
            assert mine == [n, environ["uwsgi.core"]]
            return answer
        return down(300)
    """
    with background(server.run, parked) as neighbour:
        point = control.wait("deep")
        with pytest.raises(Remote) as caught:
            server.run(RUNAWAYS[name], timeout=60)
        assert caught.value.kind == ("OperationalError" if name == "sqlite" else "RecursionError"), caught.value
        point.release("unharmed")
        assert neighbour.result(PATIENCE) == "unharmed"
    assert server.run("def down(n): return n and down(n - 1)\nreturn down(900)") == 0, "the next request has not the whole depth"


@pytest.mark.parametrize("name", sorted(set(RUNAWAYS) - TOO_LARGE_FOR_256_PAGES))
def test_runaway_recursion_is_a_recursionerror_in_that_request(server, control, name):
    check_neighbour_survives(server, control, name)


@pytest.mark.parametrize("name", sorted(TOO_LARGE_FOR_256_PAGES))
def test_recursion_that_needs_much_c_stack(control, name):
    """The default stack must hold Python's default recursion limit for the C functions of Python's own library, too."""
    with Server("run_code", cores=4, env=control.env) as server:
        check_neighbour_survives(server, control, name)


def test_deep_deallocation(server):
    """A million nested tuples die; CPython's trash can keeps that flat, and counts per green thread."""
    assert server.run("t = None\nfor i in range(1000000): t = (t,)\nuwsgi.suspend()\ndel t\nreturn 'fine'") == "fine"


def test_recursionerror_while_others_do_the_same(server):
    """Each unwinds to its own handler, with suspends at the bottom and on the way up."""
    code = """
        meet(f"unwind {turn}", 4)
        deepest = 0
        def down(n):
            nonlocal deepest
            deepest = max(deepest, n)
            try: return down(n + 1)
            finally:
                if n % 100 == 0 or n == deepest: uwsgi.suspend()
        for _ in range(5):
            try: down(0)
            except RecursionError as error: assert "maximum recursion depth" in str(error)
            else: return "no RecursionError"
        return 900 < deepest < 1000
    """
    for turn in range(3):
        assert many(4, lambda i, turn=turn: server.run(code, turn=turn)) == [True] * 4


# :: exhaustion

EXHAUSTERS = {
    "sorted": "sys.setrecursionlimit(10**6)\n" + RUNAWAYS["sorted"],
    "map": "sys.setrecursionlimit(10**6)\n" + RUNAWAYS["map"],
    "repr": "sys.setrecursionlimit(10**6)\n" + RUNAWAYS["__repr__"],
    "json": "sys.setrecursionlimit(10**6)\n" + RUNAWAYS["json.dumps"],
    "hash, which counts no depth": "t = ()\nfor i in range(1000000): t = (t,)\nhash(t)",
    # Overflows within malloc(), whose lock it then holds.
    "sqlite": "sys.setrecursionlimit(10**6)\nimport sqlite3\nc = sqlite3.connect(':memory:')\ndef f(): return c.execute('select f()').fetchone()[0]\nc.create_function('f', 0, f)\nf()",
}


#: From 3.12 on all others are RecursionErrors.
COUNTED_NOWHERE = "hash, which counts no depth"
C_STACK_HAS_LIMITS = PYTHON_VERSION >= (3, 12)


@pytest.mark.skipif(not C_STACK_HAS_LIMITS, reason="before CPython 3.12 the stack overflows")
@pytest.mark.parametrize("switch", ["direct", "posix"])
def test_c_code_without_end_is_a_recursionerror_in_that_request(control, switch):
    """Whatever Python's own limit was raised to; on request stacks and in spawned green threads, whose stacks are smaller."""
    with Server("run_code", cores=4, env=control.env, options=["--ugreen-switch", switch]) as server:
        for name in sorted(set(EXHAUSTERS) - {COUNTED_NOWHERE}):
            code = EXHAUSTERS[name].replace("sys.setrecursionlimit(10**6)\n", "")
            with background(server.run, "return reach('neighbour')") as neighbour:
                point = control.wait("neighbour")
                for where in (code, f"import ugreen\ndef work():\n  exec({code!r}, {{'sys': sys}})\nugreen.spawn(work).result()"):
                    with pytest.raises(Remote) as caught:
                        server.run(f"sys.setrecursionlimit(10**6)\n{where}", timeout=60)
                    assert caught.value.kind in ("RecursionError", "OperationalError"), (name, caught.value)
                point.release("unharmed")
                assert neighbour.result(PATIENCE) == "unharmed"
        assert server.run("sys.setrecursionlimit(1000)\ndef down(n): return n and down(n - 1)\nreturn down(900)") == 0


@pytest.mark.parametrize("switch", ["direct", "posix"])
@pytest.mark.parametrize("name", [COUNTED_NOWHERE] if C_STACK_HAS_LIMITS else list(EXHAUSTERS))
def test_a_stack_that_overflows_ends_the_worker_and_says_so(name, switch):
    """Not a hang, not a silent end: somebody must be able to start it again, and to know why."""
    with Server("run_code", cores=4, options=["--ugreen-switch", switch]) as server:
        with pytest.raises((OSError, http.client.HTTPException)):
            server.run(EXHAUSTERS[name], timeout=3)
        code = server.wait_exit(5)
        assert code in (-signal.SIGABRT, -signal.SIGSEGV, 134, 139), server.log
        message = server.wait_log("ugreen-py: the green stack of core [0-9]+ overflowed.*")[0]
        assert "--ugreen-stacksize" in message and "1024 pages = 4096 KiB" in message


def test_the_message_names_the_core(control):
    """Three cores are occupied, so the fourth is the one that overflows."""
    with Server("run_code", cores=4, env=control.env) as server, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(background(server.run, "return reach('occupied', core=environ['uwsgi.core'])"))
        occupied = {point.data["core"] for point in control.wait_all("occupied", 3)}
        (free,) = {0, 1, 2, 3} - occupied
        with pytest.raises((OSError, http.client.HTTPException)):
            server.run(EXHAUSTERS[COUNTED_NOWHERE if C_STACK_HAS_LIMITS else "map"])
        server.wait_exit(10)
        server.wait_log(f"green stack of core 0*{free} overflowed")
