"""examples/sse.py: the lines of the protocol, what a client catches up with, and the page in a real browser."""

import itertools
import json

import pytest

from browser import Browser
from serving import Server, free_port, get_bytes, until

#: Values that are no percentages, so that they cannot be measured ones.
_values = itertools.count(1001)


@pytest.fixture(scope="module")
def server():
    with Server("sse_quick", options=["--shutdown-timeout", "1"]) as s:
        yield s


class Events:
    """A client; gives blocks of lines, which are events or comments."""

    def __init__(self, server, last=None):
        self.socket = server.connect()
        self.socket.sendall(get_bytes("/events", f"Last-Event-ID: {last}\r\n" if last is not None else ""))
        self.stream = self.socket.makefile("rb")
        self.head = b"".join(iter(self.stream.readline, b"\r\n")).decode()
        self._rest = ""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stream.close()
        self.socket.close()

    def block(self):
        while "\n\n" not in self._rest:
            size = int(self.stream.readline(), 16)
            assert size, "the stream has ended"
            self._rest += self.stream.read(size + 2)[:-2].decode()
        block, _, self._rest = self._rest.partition("\n\n")
        return block.split("\n")

    def event(self):
        """The next event: (id, value)."""
        lines = until(lambda: (block := self.block())[0].startswith("id: ") and block, "an event", every=0)
        assert len(lines) == 2 and lines[1].startswith("data: ")
        return int(lines[0][4:]), json.loads(lines[1][6:])["busy"]

    def until_value(self, value):
        """The events up to the one with this value."""
        events = [self.event()]
        while events[-1][1] != value:
            events.append(self.event())
        return events


def publish(server):
    value = next(_values)
    assert server.get(f"/publish?{value}").text == "published"
    return value


def test_the_head_and_the_first_lines(server):
    with Events(server) as client:
        assert client.head.startswith("HTTP/1.1 200 OK")
        assert "Content-Type: text/event-stream" in client.head and "X-Accel-Buffering: no" in client.head and "Cache-Control: no-store" in client.head
        assert client.block() == ["retry: 2000"]


def test_all_clients_get_what_comes(server):
    with Events(server) as one, Events(server) as other:
        first, second = publish(server), publish(server)
        assert one.until_value(second)[-20:] == other.until_value(second)[-20:]
        with Events(server) as late:
            assert {value for _, value in late.until_value(second)} >= {first, second}


def test_who_comes_back_gets_what_was_missed_once(server):
    value = publish(server)
    with Events(server) as before:
        last = before.until_value(value)[-1][0]
    missed = [publish(server) for _ in range(3)]
    with Events(server, last) as after:
        events = after.until_value(missed[-1])
    assert [value for _, value in events if value > 1000] == missed
    assert all(a < b for (a, _), (b, _) in zip([(last, 0), *events], events))


def test_a_number_of_the_future_means_everything(server):
    value = publish(server)
    with Events(server, 10**18) as client:
        client.until_value(value)


def test_what_is_published_wakes_those_who_wait():
    """And not the next comment, which is an hour away here."""
    with Server("sse_quick", options=["--shutdown-timeout", "1"], env={"UGREEN_TEST_HEARTBEAT": "3600"}) as server, Events(server) as client:
        client.block()
        client.until_value(publish(server))
        client.until_value(publish(server))


def test_silence_is_filled_with_comments(server):
    with Events(server) as client:
        until(lambda: client.block() == [": still here"], "a comment", every=0)


@pytest.mark.parametrize("wrong", ["x", "-1", "1" * 20, "\u00b2"])
def test_a_wrong_number(server, wrong):
    answer = server.get("/events", {"Last-Event-ID": wrong})
    assert (answer.status, answer.text) == (400, "Last-Event-ID must be a number.\n")


def test_the_page_in_a_browser_over_a_restart():
    """A browser comes back by itself, and the page shows the newest value and the state."""
    shown, state = "document.querySelector('#busy').innerText === '{} %'", "document.querySelector('#state').innerText === '{}'"
    port = free_port()
    with Browser() as browser:
        with Server("sse_quick", http=f"127.0.0.1:{port}") as first:
            page = browser.open("busy", first.url)
            page.wait(state.format("Connected."))
            value = publish(first)
            page.wait(f"points.some(point => point.busy === {value})")
            page.wait("document.querySelector('#line').getAttribute('d')?.startsWith('M')")
            first.kill()
        page.wait(state.format("Reconnecting…"))
        with Server("sse_quick", http=f"127.0.0.1:{port}", options=["--shutdown-timeout", "1"]) as second:
            page.wait(state.format("Connected."))
            value = publish(second)
            page.wait(f"points.some(point => point.busy === {value})")
            assert all("ERR_" in problem for problem in page.problems())
            page.close()
