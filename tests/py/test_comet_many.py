"""A thousand listeners on one worker. Some go in the ways in which clients go; the others notice nothing, and nothing is left of those that went."""

import itertools

import pytest

from comet_clients import Crowd
from fronts import Service
from serving import until

COUNT, LEAVING = 1000, 200

# Beside the listeners one core, for messages and questions: others can listen only on cores that were given back.
CORES = COUNT + 1

LIMIT_SECONDS = 2
LISTEN = "/listen?heartbeat=0.5"

# More than the buffer of a client that does not read can take.
LARGE = 32 * 1024

# How often as many come and go as there are cores, to see whether memory returns; and what it may have grown by then. The heap breathes by some 40 MiB between collections;
# eight thousand clients that stayed, with 15 KiB each, would be 120 MiB.
# The growth levels off at 40 to 60 MiB, after 5 rounds as after 40; if what a listener takes (25 KiB) stayed, five rounds of a thousand would be 125 MiB.
ROUNDS, MARGIN = 5, 96 << 20

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def service():
    # With a small nursery the .NET heap keeps close to what is alive, and a leak shows.
    env = {"DOTNET_GCgen0size": "400000"}
    with Service("comet", cores=CORES, options=["--http-timeout", LIMIT_SECONDS, "--disable-logging"], env=env) as s:
        yield s


@pytest.fixture(scope="module")
def after_one_round(service):
    """What the server holds when a thousand have come and gone."""
    come_and_go(service)
    return counts_at_rest(service)


def come_and_go(service):
    crowd = Crowd(service, COUNT, LISTEN)
    publish(service, crowd)
    crowd.reset()


def publish(service, *crowds, size=64):
    """One message, which all of the crowds get."""
    text = f"message {next(_numbers)}\n".encode()
    assert service.post("/", text.rjust(size)).status == 200
    for crowd in crowds:
        crowd.wait_for(text)


def counts_at_rest(service):
    def nobody_listens():
        counts = service.get("/counts").json
        return counts["listeners"] == 0 and counts

    return until(nobody_listens, "the last listener to be forgotten", every=0.1)


def assert_nothing_left(service, before):
    def descriptors_are_closed():
        counts = counts_at_rest(service)
        return counts["fds"] <= before["fds"] + 10 and counts

    after = until(descriptors_are_closed, f"the connections to be closed: {before['fds']} descriptors were open", every=0.1)
    assert after["objects"] - before["objects"] < 500
    assert after["resident"] - before["resident"] < MARGIN, f"{(after['resident'] - before['resident']) >> 20} MiB"
    service.assert_sound()
    # Clients come and go; that is no warning.
    assert service.warnings == []


def by_a_reset(crowd, service, others):
    crowd.reset()


def without_a_word(crowd, service, others):
    """No FIN, no reset: the heartbeat is never acknowledged."""
    crowd.vanish()


def by_reading_no_more(crowd, service, others):
    """Their kernel answers for them, but their window is closed: they take nothing of a response."""
    publish(service, others, size=LARGE)


@pytest.mark.parametrize("leave", [by_a_reset, without_a_word, by_reading_no_more])
def test_some_of_a_thousand_leave(service, after_one_round, leave):
    crowd = Crowd(service, COUNT - LEAVING, LISTEN)
    leaving = Crowd(service, LEAVING, LISTEN, receive_buffer=4096)
    publish(service, crowd, leaving)
    sockets = leaving.sockets
    leave(leaving, service, crowd)
    publish(service, crowd)

    # Each waits in the queue until a core is free.
    crowd.join(Crowd(service, LEAVING, LISTEN))
    assert len(crowd) == COUNT
    publish(service, crowd)
    assert service.get("/counts").json["listeners"] <= COUNT

    crowd.reset()
    assert_nothing_left(service, after_one_round)
    for s in sockets:
        s.close()


def test_listeners_over_http2(service, after_one_round):
    """Two hundred streams on ten connections; five connections break."""
    front = service.front("http2")
    clients = [front.client() for _ in range(10)]
    try:
        streams = [[client.open("GET", "/listen") for _ in range(20)] for client in clients]
        for exchange in itertools.chain(*streams):
            assert exchange.head().status == 200 and exchange.read(10) == b"listening\n"
        hear_over_http2(service, streams)

        for client in clients[5:]:
            client.abort()
        hear_over_http2(service, streams[:5])
        for client in clients[:5]:
            client.abort()
    finally:
        for client in clients:
            client.__exit__()

    def all_are_seen_to_have_gone():
        # Without a heartbeat it is the next message that shows it, once the server has the reset.
        publish(service)
        return service.get("/counts").json["listeners"] == 0

    until(all_are_seen_to_have_gone, "the streams to end", every=0.1)
    assert_nothing_left(service, after_one_round)


def hear_over_http2(service, streams):
    text = f"message {next(_numbers)}\n".encode()
    assert service.post("/", text).status == 200
    for exchange in itertools.chain(*streams):
        assert exchange.read(len(text)) == text


def test_memory_returns(service, after_one_round):
    """After all that, and some thousand more."""
    for _ in range(ROUNDS):
        come_and_go(service)
        counts_at_rest(service)
    assert_nothing_left(service, after_one_round)
