"""Green threads and OS threads hammer the same lock, queue, event …: nobody is let in together, no wake-up is lost, every count is exact. With one core and with thirty."""

import pytest

from serving import Server, many, until

WAYS = ["lock", "lock_timed", "rlock", "rlock_timed", "semaphore", "condition", "notify_one", "queues", "events", "barrier", "pool"]
AT_ONCE = 20


@pytest.fixture(scope="module", params=[1, 30])
def server(request):
    with Server("hammer_app", cores=request.param, options=["--ugreen-spawn-max", 60]) as s:
        yield s


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("greens,threads", [(8, 4), (8, 0), (1, 6)], ids=["mixed", "green", "mostly_os"])
def test_nothing_is_lost(server, way, greens, threads):
    assert server.get(f"/{way}?greens={greens}&threads={threads}&rounds=41", timeout=120).text == "ok"


@pytest.mark.parametrize("what", ["lock", "rlock", "semaphore", "condition"])
def test_requests_and_threads_exclude_each_other(server, what):
    threads, rounds = 3, 40
    server.get(f"/threads/{what}?threads={threads}&rounds={rounds}")
    assert many(AT_ONCE, lambda i: server.get(f"/visit/{what}?rounds={rounds}&seed={i}", timeout=120).text) == ["ok"] * AT_ONCE
    until(lambda: server.get(f"/visited/{what}").text == f"{(threads + AT_ONCE) * rounds} []", f"{(threads + AT_ONCE) * rounds} visits")
