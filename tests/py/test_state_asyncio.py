"""asyncio inside a request: its "running loop" is one per thread, so here it must be one per core."""

import pytest

from serving import Server, many

CORES = 6


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=CORES) as s:
        yield s


def test_event_loops_between_suspends(server):
    """Views that run a loop from time to time, as Django's async_to_sync does, while others are parked outside of theirs."""
    code = """
        import asyncio, contextvars
        variable = contextvars.ContextVar("variable")
        async def work(i):
            variable.set(i)
            await asyncio.gather(*(asyncio.sleep(0) for _ in range(5)))
            return me, variable.get()
        meet("loops", 6)
        answers = []
        for i in range(20):
            answers.append(asyncio.run(work(i)) == (me, i))
            uwsgi.suspend()
            try: asyncio.get_running_loop()
            except RuntimeError: answers.append(variable.get("unset") == "unset")
        return [len(answers), all(answers)]
    """
    assert many(CORES, lambda i: server.run(code, me=i)) == [[40, True]] * CORES


def test_a_suspend_inside_a_running_loop_hides_that_loop_from_others(server):
    code = """
        import asyncio
        async def work():
            for _ in range(20):
                uwsgi.suspend()
                await asyncio.sleep(0)
            return asyncio.get_running_loop() is loop
        meet("running loops", 6)
        loop = asyncio.new_event_loop()
        answer = work()
        try: return loop.run_until_complete(answer)
        except RuntimeError as error:
            answer.close()
            return str(error)
        finally: meet("running loops done", 6)
    """
    assert many(CORES, lambda i: server.run(code)) == [True] * CORES
