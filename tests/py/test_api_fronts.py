"""uwsgi.send(data), green_pause(), green_write_all() and green_unpause_all() over every front: what others write is proper body data of each response, and leaves at once."""

import urllib.parse

import pytest

from fronts import Service
from serving import Control, until


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def service(control):
    with Service("api_app", control) as s:
        yield s
        s.assert_sound()


def noted(front, label, n=1):
    """The notes of a label as soon as there are n."""
    return until(lambda: len(found := front.service.get(f"/noted?note={label}").json) >= n and found, f"{n} notes of {label}")


def say(front, **what):
    name, value = next(iter(what.items()))
    assert front.service.get(f"/say?{name}={urllib.parse.quote(str(value))}").json is None


def stop(front):
    assert front.service.get("/stop").json is None


def listeners(front, client, label, n, extra=""):
    exchanges = [client.open("GET", f"/listen?note={label}{extra}") for _ in range(n)]
    assert noted(front, label, n) == ["pauses"] * n
    return exchanges


# :: Pauses


def test_what_one_says_all_others_hear(front):
    """Each piece is at every client while all of them are still paused; then all go on, and every response ends as it should."""
    label = f"hear-{front.name}"
    with front.client() as client:
        exchanges = listeners(front, client, label, 5, "&greeting=welcome")
        for exchange in exchanges:
            assert exchange.head().status == 200 and exchange.read(7) == b"welcome"
        for text in ("first", "sécond"):
            say(front, text=text)
            for exchange in reversed(exchanges):
                assert exchange.read(len(text.encode())) == text.encode()
        assert noted(front, label) == ["pauses"] * 5
        stop(front)
        assert noted(front, label, 10)[5:] == [True] * 5
        for answer in client.replies(exchanges):
            assert answer.body == b"bye" and answer.complete


def test_the_first_to_be_sent_may_be_what_others_say(front):
    """The head goes with it."""
    label = f"first-{front.name}"
    with front.client() as client:
        exchanges = listeners(front, client, label, 2)
        say(front, text="hello")
        for exchange in exchanges:
            head = exchange.head()
            assert (head.status, head["content-type"], exchange.read(5)) == (200, "text/plain", b"hello")
        stop(front)
        assert [answer.body for answer in client.replies(exchanges)] == [b"bye"] * 2


def test_the_time_ends_a_pause(front):
    label = f"time-{front.name}"
    answer = front.get(f"/listen?note={label}&timeout=0.05")
    assert answer.body == b"bye" and answer.complete and noted(front, label) == ["pauses", True]


def test_a_time_limit_ends_a_pause(front):
    """Afterwards it is not paused: what others say is not for it."""
    label = f"limit-{front.name}"
    answer = front.get(f"/listen?note={label}&limit=0.05")
    say(front, text="nobody hears this")
    assert answer.body == b"bye" and answer.complete and noted(front, label) == ["pauses", "Timeout"]


@pytest.mark.parametrize("leave", ["abandon", "abort"])
def test_a_client_that_leaves_ends_its_pause(front, leave):
    """And nobody else's."""
    label, other = f"left-{front.name}-{leave}", f"stays-{front.name}-{leave}"
    with front.client() as staying, front.client() as leaving:
        stays = listeners(front, staying, other, 1, "&greeting=welcome")[0]
        exchange = listeners(front, leaving, label, 1, "&greeting=welcome")[0]
        assert exchange.head().status == 200 and exchange.read(7) == b"welcome"
        getattr(exchange if leave == "abandon" else leaving, leave)()
        assert noted(front, label, 3) == ["pauses", None, "closed"]
        say(front, text="still here")
        assert stays.head().status == 200 and stays.read(7 + 10) == b"welcomestill here"
        assert noted(front, other) == ["pauses"]
        stop(front)
        assert stays.reply().body == b"bye"


def test_a_client_that_does_not_read_is_given_up(front):
    """Bounded, however long it goes on; the one who reads has every byte, and so has nobody to wait for."""
    label, other, size = f"slow-{front.name}", f"fast-{front.name}", 60_000
    with front.client(receive_buffer=4096) as slow, front.client() as fast:
        sleeper = listeners(front, slow, label, 1, "&greeting=welcome")[0]
        assert sleeper.head().status == 200 and sleeper.read(7) == b"welcome"
        reader = listeners(front, fast, other, 1)[0]
        for said in range(1, 400):
            say(front, size=size)
            reader.head()
            assert reader.read(size) == bytes(size)
            if len(notes := noted(front, label)) > 1:
                break
        assert notes[1] is None and noted(front, label, 3) == ["pauses", None, "closed"], f"after {said} messages"
        front.service.wait_log(rf'"?GET /listen\?note={label}.*reads too slowly for green_write_all.*limit 65536')
        assert noted(front, other) == ["pauses"]
        stop(front)
        assert reader.reply().body == b"bye"


def test_a_large_message(front):
    """Larger than the limit for those who are behind, and than all buffers; nobody was behind."""
    label, size = f"large-{front.name}", 3_000_000
    with front.client() as client:
        exchange = listeners(front, client, label, 1)[0]
        say(front, size=size)
        assert exchange.head().status == 200 and exchange.read(1000 + size - 1000) == bytes(size)
        stop(front)
        assert exchange.reply().body == b"bye"


def test_a_declared_length_leaves_no_room(front):
    """What does not fit is not sent, and the pause tells; the response itself is whole."""
    label = f"sized-{front.name}"
    with front.client() as client:
        exchange = client.open("GET", f"/listen-sized?note={label}")
        noted(front, label)
        say(front, text="fits-it-")
        assert exchange.head().status == 200 and exchange.read(8) == b"fits-it-"
        say(front, text="does not fit")
        assert noted(front, label, 2)[1] is None
        # Two bytes are missing in the end, so this response is broken off by the rules of Content-Length.
        answer = exchange.reply()
        assert answer.body in (b"", b"bye") and not answer.complete


@pytest.mark.parametrize("method, status", [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")])
def test_responses_without_a_body(front, method, status):
    label = f"none-{front.name}-{method}-{status[:3]}"
    with front.client() as client:
        exchange = client.open(method, f"/bodyless?note={label}&status={status.replace(' ', '+')}")
        assert noted(front, label) == ["pauses"]
        say(front, text="for those who can have it")
        stop(front)
        answer = exchange.reply()
        assert (answer.status, answer.body, answer.complete) == (int(status[:3]), b"", True) and noted(front, label, 2) == ["pauses", True]


def test_a_pause_before_the_head(front):
    """It can be woken by it, but not written to."""
    label = f"news-{front.name}"
    with front.client() as client:
        exchange = client.open("GET", f"/news?note={label}")
        noted(front, label)
        say(front, text="not for this one")
        stop(front)
        assert exchange.reply().body == b"news" and noted(front, label, 2) == ["pauses", True]


# :: send(data)


@pytest.mark.parametrize("length", ["", "&length=1"])
def test_what_is_sent_leaves_at_once(front, control, length):
    """The client has each piece while the application still holds the next one back."""
    label = f"sends-{front.name}{length}".replace("&length=1", "-sized")
    with front.client() as client:
        exchange = client.open("GET", f"/sends?note={label}{length}")
        head = exchange.head()
        assert head.status == 200 and head["content-length"] == ("9" if length else None)
        for at, piece in enumerate((b"one", b"two", b"six")):
            assert exchange.read(3) == piece
            if at < 2:
                control.wait(label).release()
        assert exchange.piece() == b"" and noted(front, label, 3) == [True] * 3


def test_the_client_is_asked_about_by_its_descriptor(front):
    """Also where it has none of its own."""
    assert front.get("/connected").json == [True, True]


def test_what_cannot_be_sent(front):
    label = f"wrong-{front.name}"
    answer = front.get(f"/sends-wrongly?note={label}")
    early, *types, long, empty, right, late = noted(front, label)
    assert answer.body == b"1234" and answer.complete
    assert early[0] == "AssertionError" and "start_response" in early[1]
    assert [kind for kind, _ in types] == ["TypeError"] * 4 and all("send(): data must be bytes, not " in text for _, text in types)
    assert long[0] == late[0] == "ValueError" and "Content-Length" in long[1]
    assert empty is True and right is True


def test_sending_to_one_who_leaves_is_none(front):
    label = f"gone-{front.name}"
    with front.client(receive_buffer=4096) as client:
        exchange = client.open("GET", f"/endless?note={label}")
        assert exchange.head().status == 200 and exchange.piece()
        exchange.abandon()
        assert noted(front, label, 2) == [None, [None, None]]
