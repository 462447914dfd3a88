"""Streams, clients that leave in the middle, and waits in the middle, over every front."""

import pytest

from front_clients import UPLOAD
from fronts import ALL_FRONTS, Service
from serving import Control, until


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def service(control):
    with Service("fronts_app", control) as s:
        yield s
        s.assert_sound()


def noted(service, label):
    return service.get(f"/noted?note={label}").json


def until_noted(service, label, n=1):
    return until(lambda: len(found := noted(service, label)) >= n and found, f"{n} notes of {label}")


def usable(client):
    assert client.get("/keywords").body == b"one two three"


# :: Pieces


@pytest.mark.parametrize("how", ["yield", "write"])
@pytest.mark.parametrize("length", ["", "&length=1"])
def test_every_piece_leaves_at_once(front, control, how, length):
    """The client has each piece while the application still holds the next one back."""
    label = f"steps-{front.name}-{how}{length}".replace("&length=1", "-sized")
    with front.client() as client:
        exchange = client.open("GET", f"/steps?how={how}&note={label}{length}")
        assert exchange.head().status == 200
        for i in range(3):
            assert exchange.read(6) == b"step %d" % i
            if i < 2:
                assert noted(front.service, label) == ["go"] * i
                control.wait(label).release("go")
        assert exchange.piece() == b""
        usable(client)


def test_thirty_streams_interleave(front, control):
    """Every stream has its first piece while none has its second; then they go on in the opposite order. HTTP/2: all on one connection."""
    label = f"streams-{front.name}"
    with front.client() as client:
        exchanges = [client.open("GET", f"/steps?how=yield&note={label}") for _ in range(30)]
        for exchange in exchanges:
            assert exchange.head().status == 200 and exchange.read(6) == b"step 0"
        for point in reversed(control.wait_all(label, 30)):
            point.release("go")
        for exchange in reversed(exchanges):
            assert exchange.read(6) == b"step 1"
        for point in control.wait_all(label, 30):
            assert point.data["step"] == 2
            point.release("go")
        for exchange in exchanges:
            assert exchange.read(6) == b"step 2" and exchange.piece() == b""
        assert client.connections == (1 if front.kind.keeps_connection_when_left else 30)


# :: Waits


@pytest.mark.parametrize("how", ["suspend", "sleep", "yield", "fd"])
def test_thirty_requests_wait_in_the_middle(front, control, how):
    """All thirty stand in the middle at the same time; nobody sees another one's state."""
    label = f"waits-{front.name}-{how}"
    with front.client() as client:
        exchanges = [client.open("GET", f"/waits?how={how}&note={label}&owner=o{i}", [("X-Owner", f"o{i}")]) for i in range(30)]
        points = control.wait_all(f"{label}-2", 30)
        assert len({point.data["core"] for point in points}) == 30
        for point in reversed(points):
            point.release()
        for i, exchange in enumerate(exchanges):
            answer = exchange.reply()
            assert (answer.status, answer["x-owner"], answer.complete) == (200, f"o{i}", True)
            assert answer.text == "".join(f"{line} o{i}\n" for line in range(5))


# :: Clients that leave


@pytest.mark.parametrize("how, expected", [("custom", ["close"]), ("yield", ["GeneratorExit", "finally"])])
@pytest.mark.parametrize("leave", ["abandon", "abort"])
def test_close_is_called_when_the_client_leaves(front, how, expected, leave):
    label = f"left-{front.name}-{how}-{leave}"
    with front.client(receive_buffer=4096) as client:
        exchange = client.open("GET", f"/endless?how={how}&note={label}")
        assert exchange.head().status == 200 and exchange.piece()
        getattr(exchange if leave == "abandon" else client, leave)()
        assert until_noted(front.service, label, len(expected)) == expected
        if leave == "abandon" and front.kind.keeps_connection_when_left:
            usable(client)
            assert client.connections == 1


def test_write_raises_oserror_when_the_client_leaves(front):
    label, mark = f"left-write-{front.name}", len(front.service.log)
    with front.client(receive_buffer=4096) as client:
        exchange = client.open("GET", f"/endless?how=write&note={label}")
        assert exchange.head().status == 200 and exchange.piece()
        exchange.abandon()
        [[kind, text]] = until_noted(front.service, label)
    assert kind == "OSError" and "client" in text
    assert "Traceback" not in front.service.log[mark:], "a client that leaves is no error of the application"


@pytest.mark.parametrize("leave", ["abandon", "abort"])
def test_a_parked_request_is_woken_when_the_client_leaves(front, control, leave):
    """Long before its minute is over; uwsgi.is_connected() tells why."""
    label = f"woken-{front.name}-{leave}"
    with front.client() as client:
        exchange = client.open("GET", f"/asks-is-connected?note={label}")
        assert exchange.head().status == 200 and exchange.read(7) == b"started"
        control.wait(label)
        getattr(exchange if leave == "abandon" else client, leave)()
        assert until_noted(front.service, label, 4) == [["connected", True], ["connected", False], "GeneratorExit", "closed"]
        if leave == "abandon" and front.kind.keeps_connection_when_left:
            usable(client)


def test_a_request_that_has_not_answered_yet_is_woken_too(front, control):
    label = f"parked-{front.name}"
    with front.client() as client:
        exchange = client.open("GET", f"/parked?note={label}")
        control.wait(label)
        exchange.abandon()
        found = until_noted(front.service, label, 3)
    assert found[0] == "gone" and found[1][0] == "OSError" and found[2] == "finally"


def test_those_who_leave_do_not_wake_the_others(front, control):
    stay, leave = f"stay-{front.name}", f"leave-{front.name}"
    with front.client() as client:
        staying, leaving = [], []
        for _ in range(5):
            staying.append(client.open("GET", f"/steps?how=yield&note={stay}"))
            leaving.append(client.open("GET", f"/asks-is-connected?note={leave}"))
        points = control.wait_all(stay, 5)
        control.wait_all(leave, 5)
        for exchange in leaving:
            exchange.abandon()
        assert until_noted(front.service, leave, 20).count("closed") == 5
        assert noted(front.service, stay) == []
        for _ in range(2):
            for point in points:
                point.release("go")
            points = control.wait_all(stay, 5) if points[0].data["step"] == 1 else []
        assert [exchange.reply().body for exchange in staying] == [b"step 0step 1step 2"] * 5


def test_nothing_is_left_of_those_who_leave(front, control):
    """After many that left at various moments every core is free, and serves."""
    label = f"left-over-{front.name}"
    with front.client() as client:
        for i in range(40):
            if i % 4 == 3:
                # In the middle of a read; the connection goes, too.
                with front.client() as other:
                    upload = other.open("POST", "/digest", body=UPLOAD, length=1 << 20)
                    upload.send(b"x" * 100_000)
                    other.abort()
                continue
            exchange = client.open("GET", f"/http/big?blocks=100&note={label}")
            if i % 2:
                assert exchange.head().status == 200 and exchange.piece()
            exchange.abandon()
        parked = [client.open("GET", f"/http/park?point={label}") for _ in range(40)]
        points = control.wait_all(label, 40)
        assert sorted(point.data["core"] for point in points) == list(range(40))
        for point in points:
            point.release("free")
        assert [answer.body for answer in client.replies(parked)] == [b"free"] * 40


def test_all_fronts_at_once(service, control):
    """One server, one application, clients of every kind side by side, each request parked until all have come."""
    clients = {name: service.front(name).client() for name in ALL_FRONTS}
    try:
        exchanges = {(name, i): client.open("GET", f"/waits?how=fd&note=all&owner={name}{i}", [("X-Owner", f"{name}{i}")]) for i in range(4) for name, client in clients.items()}
        for point in control.wait_all("all-2", len(exchanges)):
            point.release()
        for (name, i), exchange in exchanges.items():
            assert exchange.reply().text == "".join(f"{line} {name}{i}\n" for line in range(5))
    finally:
        for client in clients.values():
            client.__exit__()
