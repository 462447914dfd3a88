"""read() and write() by what a descriptor is: they wait green whatever its number was before, and answer as Linux does."""

import time

import pytest

from serving import Server, many

AT_ONCE = 10
ALONE = 0.2
WAYS = ["not_blocking", "broken", "terminal", "event", "sockets", "reset", "datagrams", "vectors", "many_descriptors", "message_whole", "wrong_vectors", "datagram_vectors"]
MUCH = ["vectors_much", "message_much", "message_with_file"]
CLOSED_BY = ["close", "object", "range", "close_range", "fclose", "dup2", "dup3"]


@pytest.fixture(scope="module")
def server():
    with Server("blocking_files_app", cores=AT_ONCE) as s:
        yield s


@pytest.fixture(scope="module")
def plain():
    """With the feature off."""
    with Server("blocking_files_app", cores=2, options=["--ugreen-blocking=false"]) as s:
        yield s


def at_once(server, path):
    began = time.monotonic()
    answers = many(AT_ONCE, lambda i: server.get(path))
    assert [answer.text for answer in answers] == ["ok"] * AT_ONCE, server.log[-4000:]
    return time.monotonic() - began


@pytest.mark.parametrize("how", CLOSED_BY)
def test_a_reused_number_is_no_file_any_more(server, how):
    at_once(server, f"/reused_read?how={how}")
    at_once(server, f"/reused_write?how={how}")


@pytest.mark.parametrize("way", WAYS)
def test_each_kind_answers_as_ever(server, way):
    server.get("/" + way)
    assert at_once(server, "/" + way) < AT_ONCE * ALONE


@pytest.mark.parametrize("way", MUCH)
def test_a_blocking_write_of_several_buffers_is_whole(server, way):
    at_once(server, "/" + way)


@pytest.mark.parametrize("way", WAYS)
def test_off_the_answers_are_the_same(plain, way):
    assert plain.get("/" + way).text == "ok", plain.log[-4000:]
