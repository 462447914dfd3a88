"""Processes that requests start (fork, vfork, posix_spawn, multiprocessing) while others wait for locks and queues: nobody is held up, and what processes share excludes as it should."""

import pytest

from serving import Server, background, many

PROCESSES = ["forked", "forked_holding", "vforked", "with_preexec", "spawned", "file_lock"]
SHARED = ["shared_lock", "shared_rlock", "shared_semaphore", "shared_condition", "shared_queue", "shared_event", "shared_barrier", "process_pool"]


@pytest.fixture(scope="module", params=[1, 30])
def server(request):
    with Server("children_app", cores=request.param) as s:
        yield s


def while_others_wait(server, way, count):
    """The others go on all the time; a child is born in the middle of their waits."""
    with background(many, 4, lambda i: server.get(f"/{['wait_lock', 'wait_queue'][i % 2]}?times=10", timeout=60).text) as others:
        assert many(count, lambda i: server.get("/" + way, timeout=60).text) == ["ok"] * count
    assert others.result(60) == ["ok"] * 4


@pytest.mark.parametrize("way", PROCESSES)
def test_children(server, way):
    while_others_wait(server, way, 6)


@pytest.mark.parametrize("way", SHARED)
def test_what_processes_share(server, way):
    while_others_wait(server, way, 2)
