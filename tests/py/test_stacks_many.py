"""Many stacks at once, and calls that end in another order than they began: what corrupts frames when the data stack is not each green thread's own."""

import random
import re
import time

import pytest

from serving import PATIENCE, Control, Server, background, many


@pytest.mark.parametrize("switch", ["direct", "posix"])
def test_two_thousand_parked_at_once(switch):
    """All hold a frame with locals and a context variable of their own, some deep, and all come back from there."""
    n = 2000
    code = """
        import contextvars
        mine = contextvars.ContextVar("mine")
        mine.set(me)
        def down(k):
            here = [k, me]
            if k == 0:
                shared.parked = getattr(shared, "parked", 0) + 1
                uwsgi.wait_fd_read(shared.go[0], 120); uwsgi.suspend()
                woken = uwsgi.ready_fd() == shared.go[0]
            else:
                woken = down(k - 1)
            assert here == [k, me]
            return woken
        return [me, mine.get(), down(me % 40), environ["uwsgi.core"]]
    """
    options = ["--ugreen-stacksize", "64", "--ugreen-switch", switch, "--async-queue", "4000", "--disable-logging"]
    with Server("run_code", cores=n + 1, options=options) as server:
        server.run("shared.go = pipe()")

        def run(i):
            return server.run(code, me=i, timeout=120)

        with background(many, n, run) as all_of_them:
            server.run(f"""
                end = time.monotonic() + 100
                while getattr(shared, "parked", 0) < {n} and time.monotonic() < end:
                    uwsgi.async_sleep(0.02); uwsgi.suspend()
                assert shared.parked == {n}, shared.parked
                os.write(shared.go[1], b"x")
            """, timeout=120)
            answers = all_of_them.result(120)
        assert [a[:3] for a in answers] == [[i, i, True] for i in range(n)]
        assert len({a[3] for a in answers}) == n


@pytest.mark.parametrize("app", ["flask_app:app", "bottle_app:app"])
def test_ten_thousand_cores_with_the_stack_that_the_server_suggests(app):
    """By itself it takes no stack as small as that, but says which one fits; a framework runs on it."""
    with Server(app, cores=10_000, ready=False) as refused:
        assert refused.wait_exit() == 1
        pages = re.search(r"or --ugreen-stacksize (\d+) with 10000 cores", refused.log)[1]
    with Server(app, cores=10_000, options=["--ugreen-stacksize", pages, "--disable-logging"]) as server:
        assert many(50, lambda i: server.get(f"/hello/{i}").status) == [200] * 50


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module", params=["direct", "posix"])
def server(request, control):
    with Server("run_code", cores=60, env=control.env, options=["--ugreen-switch", request.param]) as s:
        yield s


DEEP = """
    def down(k):
        a, b, c = [name, k], k * 3, name * 2
        answer = reach(name, core=environ["uwsgi.core"]) if k == 0 else down(k - 1)
        assert (a, b, c) == ([name, k], k * 3, name * 2)
        return answer
    return [down(d) for d in depths]
"""


def test_interleaved_deep_calls(server, control):
    """A parks, B parks deeper, A ends, C runs, B resumes: the pattern that crashes the original (uwsgi-api.md, section 8, 3)."""
    code = DEEP
    for a_depth, b_depth, c_depth in [(50, 400, 200), (1, 500, 500), (300, 301, 10), (500, 1, 500)]:
        with background(server.run, code, name="A", depths=[a_depth]) as a:
            at_a = control.wait("A")
            with background(server.run, code, name="B", depths=[b_depth, a_depth]) as b:
                at_b = control.wait("B")
                at_a.release("a")
                assert a.result(PATIENCE) == ["a"]
                with background(server.run, code, name="C", depths=[c_depth]) as c:
                    control.wait("C").release("c")
                    assert c.result(PATIENCE) == ["c"]
                at_b.release("b1")
                control.wait("B").release("b2")
                assert b.result(PATIENCE) == ["b1", "b2"]


@pytest.mark.parametrize("seed", [1, 2])
def test_random_interleavings(server, seed):
    """Fifty cores dive to random depths, suspend a random number of times at random levels, and check every local on their way up; for some seconds."""
    code = """
        import random
        rng = random.Random(seed)
        def work(k, path):
            here = (seed, k, tuple(path))
            wide = [rng.random() for _ in range(rng.choice([0, 3, 200]))]
            total = sum(wide)
            for _ in range(rng.choice([0, 0, 1, 2])): uwsgi.suspend()
            below = 0
            while k and rng.random() < 0.85:
                way = rng.randrange(5)
                step = rng.randrange(1, min(k, 8) + 1)
                if way == 0: below += work(k - step, [*path[-3:], k])
                elif way == 1: below += sum(map(lambda p: work(k - step, p), [[k]]))
                elif way == 2: below += sorted([0], key=lambda x: work(k - step, [k, x]))[0]
                elif way == 3: below += max([work(k - step, [k])], key=lambda x: uwsgi.suspend() and x)
                else:
                    try:
                        below += work(k - step, [k])
                        raise KeyError(k)
                    except KeyError as error:
                        uwsgi.suspend()
                        assert error.args == (k,) and sys.exc_info()[1] is error
                if rng.random() < 0.7: break
            assert here == (seed, k, tuple(path)) and sum(wide) == total and len(wide) in (0, 3, 200)
            return below + 1
        end, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            assert work(rng.randrange(1, 120), []) >= 1
            assert sys.exc_info() == (None, None, None)
            rounds += 1
            uwsgi.suspend()
        return rounds
    """
    rounds = many(50, lambda i: server.run(code, seed=seed * 1000 + i, seconds=3, timeout=120))
    assert all(r > 0 for r in rounds)


def test_requests_come_and_go_around_long_ones(server):
    """Cores are taken and freed all the time while others stay parked deep: fresh stacks are used next to old ones."""
    rng = random.Random(5)
    end = time.monotonic() + 4
    deep = """
        def down(k):
            here = k, name
            for _ in range(times if k == 0 else 1): uwsgi.suspend()
            answer = 0 if k == 0 else down(k - 1)
            assert here == (k, name)
            return answer + 1
        return down(depth)
    """

    def client(i):
        mine = random.Random(rng.random() + i)
        served = 0
        while time.monotonic() < end:
            depth = mine.choice([1, 5, 50, 400])
            assert server.run(deep, name=f"{i}-{served}", depth=depth, times=mine.choice([1, 10, 300])) == depth + 1
            served += 1
        return served

    assert sum(many(30, client)) > 100
