"""examples/ugreenchat.py as a program sees it that speaks HTTP: who listens hears everything once and in order, whoever comes, goes, stumbles or is slow."""

import contextlib
import itertools
import json
import socket
from urllib.parse import quote, urlencode

import pytest

from serving import PATIENCE, Server, abort, get_bytes, many, read_until, until

CORES = 30
#: What the chat leaves for the page and for those who talk.
SPARE = 4
_names = itertools.count(1)


class Refused(Exception):
    """There is no place for one more listener."""


class Listener:
    """Somebody who listens; ``seen`` is all that came so far."""

    def __init__(self, server, name, last=0):
        self.socket = server.connect()
        self.socket.sendall(get_bytes(f"/listen/{last}?name={quote(name)}"))
        self.stream = self.socket.makefile("rb")
        status = self.stream.readline()
        if b" 200 " not in status:
            self.leave()
            raise Refused(status)
        head = b"".join(iter(self.stream.readline, b"\r\n"))
        assert b"application/x-ndjson" in head and b"Transfer-Encoding: chunked" in head
        self.seen, self.silences, self._rest = [], 0, b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.leave()

    def leave(self, how=socket.socket.close):
        self.stream.close()
        how(self.socket)

    def read(self):
        """The next line's object; None for a sign of life."""
        while b"\n" not in self._rest:
            size = self.stream.readline()
            assert size.strip() not in (b"", b"0"), "the stream has ended"
            self._rest += self.stream.read(int(size, 16) + 2)[:-2]
        line, _, self._rest = self._rest.partition(b"\n")
        if not line:
            self.silences += 1
            return None
        self.seen.append(json.loads(line))
        return self.seen[-1]

    def wait(self, condition):
        """Read until an object comes for which this is true; gives it. Each read is bounded, and so is this: signs of life come for ever, but not the patience."""
        return until(lambda: (found := self.read()) and condition(found) and found, "a line for this listener", every=0)

    def hear(self, text):
        return self.wait(lambda message: message.get("text") == text)

    @property
    def texts(self):
        return [message["text"] for message in self.seen if "text" in message]

    @property
    def number(self):
        return max(message.get("n", 0) for message in self.seen)


def someone():
    """A name that no other test has."""
    return f"Person {next(_names)}"


def patient_listener(server, name):
    """Somebody who comes again while there is no place: those who left just now may still have theirs."""

    def attempt():
        try:
            return Listener(server, name)
        except Refused:
            return None

    return until(attempt, "a place for one more listener")


def say(server, name, text, **more):
    return server.post("/say", json.dumps({"name": name, "text": text, **more}), {"Content-Type": "application/json"})


def form(server, **fields):
    return server.post("/say", urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})


@pytest.fixture(scope="module")
def server():
    """With a heartbeat of 0.2 s and a history of 20 messages."""
    with Server("chat_quick", cores=CORES, options=["--shutdown-timeout", "1", "--disable-logging"]) as s:
        yield s


@pytest.fixture(autouse=True)
def _all_are_forgotten(server):
    yield
    until(lambda: server.get("/counts").json["here"] == 0, "everybody who left is forgotten")


# :: Talking and listening


def test_who_joins_is_told_and_who_talks_is_heard(server):
    ada, grace = someone(), someone()
    with Listener(server, ada) as first:
        first.wait(lambda message: message.get("joined") == ada)
        assert first.wait(lambda message: "here" in message) == {"here": [ada]}
        with Listener(server, grace) as second:
            first.wait(lambda message: message.get("joined") == grace)
            assert first.wait(lambda message: "here" in message) == {"here": sorted([ada, grace])}
            answer = form(server, name=grace, text="as a form, with an ö & more").json
            assert first.hear("as a form, with an ö & more") == second.hear("as a form, with an ö & more") == answer
            assert answer["name"] == grace and abs(answer["time"] - first.seen[0]["time"]) < PATIENCE
            answer = say(server, ada, "as JSON 🚂").json
            assert first.hear("as JSON 🚂") == second.hear("as JSON 🚂") == answer
        first.wait(lambda message: message.get("left") == grace)
        assert first.wait(lambda message: "here" in message) == {"here": [ada]}
    numbers = [message["n"] for message in first.seen if "n" in message]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "every message once, in order"


def test_who_comes_late_hears_what_was_said(server):
    texts = [f"{someone()} was here" for _ in range(5)]
    for text in texts:
        say(server, "Early", text)
    with Listener(server, someone()) as late:
        late.hear(texts[-1])
        assert late.texts[-5:] == texts


def test_who_comes_back_hears_what_was_missed_and_nothing_twice(server):
    name = someone()
    with Listener(server, name) as before:
        say(server, "Other", "one")
        before.hear("one")
    for text in ("two", "three"):
        say(server, "Other", text)
    with Listener(server, name, last=before.number) as after:
        after.hear("three")
        say(server, "Other", "four")
        after.hear("four")
    assert after.texts == ["two", "three", "four"]
    numbers = [message["n"] for message in after.seen if "n" in message]
    assert numbers == list(range(before.number + 1, before.number + 1 + len(numbers)))


def test_who_was_away_for_too_long_is_told_how_much_is_lost(server):
    name = someone()
    with Listener(server, name) as before:
        before.wait(lambda message: message.get("joined") == name)
    until(lambda: server.get("/counts").json["here"] == 0, "it is forgotten")
    for i in range(30):
        say(server, "Other", f"message {i}")
    with Listener(server, someone(), last=before.number) as after:
        # They, the line that the first one left, and the line that the second one joined: 32, of which 20 are kept.
        missed = after.wait(lambda message: "missed" in message)
        assert missed == {"missed": 12} and after.seen == [missed]
        after.hear("message 29")
        assert after.texts == [f"message {i}" for i in range(11, 30)]


def test_a_number_of_the_future_means_everything(server):
    say(server, "Other", "kept")
    with Listener(server, someone(), last=10**18) as listener:
        listener.hear("kept")


def test_a_message_that_comes_twice_with_one_id_is_said_once(server):
    with Listener(server, someone()) as listener:
        answers = [say(server, "Stubborn", text, id="x-1").json for text in ("once", "once", "once")]
        assert answers[0] == answers[1] == answers[2]
        for _ in range(2):
            say(server, "Stubborn", "without an id", id=None)
        say(server, "Other", "end")
        listener.hear("end")
        assert listener.texts[-4:] == ["once", "without an id", "without an id", "end"]


def test_a_silent_stream_shows_that_it_lives(server):
    with Listener(server, someone()) as listener:
        until(lambda: listener.read() is None and listener.silences >= 3, "three signs of life", every=0)


def test_what_is_said_wakes_those_who_listen():
    """And not the next sign of life, which is an hour away here."""
    with Server("chat_quick", cores=CORES, options=["--shutdown-timeout", "1"], env={"UGREEN_TEST_HEARTBEAT": "3600"}) as server, Listener(server, "Ada") as listener:
        listener.wait(lambda message: "here" in message)
        say(server, "Bob", "hello")
        listener.hear("hello")
        with Listener(server, "Grace"):
            listener.wait(lambda message: message.get("joined") == "Grace")
        listener.wait(lambda message: message.get("left") == "Grace")


# :: Leaving


@pytest.mark.parametrize("how", [abort, socket.socket.close], ids=["reset", "close"])
def test_who_leaves_is_missed_by_the_others(server, how):
    gone = someone()
    with Listener(server, someone()) as stays:
        leaves = Listener(server, gone)
        stays.wait(lambda message: message.get("joined") == gone)
        leaves.leave(how)
        stays.wait(lambda message: message.get("left") == gone)


def test_somebody_with_two_windows_leaves_with_the_last(server):
    name = someone()
    with Listener(server, someone()) as stays:
        one, other = Listener(server, name), Listener(server, name)
        stays.wait(lambda message: message.get("joined") == name)
        one.leave()
        until(lambda: server.get("/counts").json["here"] == 2, "one window is forgotten")
        other.leave()
        stays.wait(lambda message: message.get("left") == name)
        assert [message.get("joined") or message.get("left") for message in stays.seen].count(name) == 2


def test_a_full_house_says_so_and_has_room_again(server):
    places = CORES - SPARE
    listeners = [Listener(server, someone()) for _ in range(places)]
    for listener in listeners:
        listener.wait(lambda message: "here" in message)
    refused = server.get("/listen/0?name=Late")
    assert (refused.status, refused.headers["Retry-After"], refused.text) == (503, "5", f"All {places} places are taken.\n")
    # Nobody needs a place to talk, nor to get the page.
    assert [answer.status for answer in many(20, lambda i: say(server, "Guest", f"hello {i}"))] == [200] * 20
    assert server.get("/").status == 200
    for listener in listeners:
        listener.wait(lambda message: message.get("text", "").startswith("hello"))
    listeners.pop().leave()

    listeners.append(patient_listener(server, "Late"))
    for listener in listeners:
        listener.leave()


def test_a_thousand_visits_leave_nothing(server):
    def visit(i):
        for k in range(50):
            with patient_listener(server, f"Visitor {i}") as listener:
                say(server, f"Visitor {i}", f"{i} {k}")
                listener.hear(f"{i} {k}")

    def counts():
        return until(lambda: (now := server.get("/counts").json)["here"] == 0 and now, "everybody has left")

    many(4, visit)
    before = counts()
    for _ in range(4):
        many(5, visit)
    after = counts()
    # A leak of one object per visit would be a thousand; memory breathes by .NET's heap.
    assert after["objects"] - before["objects"] < 500
    assert after["fds"] - before["fds"] < 15
    assert after["resident"] - before["resident"] < 40 << 20


# :: Slow ones


def test_a_slow_listener_holds_up_nobody(server):
    name = someone()
    slow = server.connect(receive_buffer=4096)
    slow.sendall(get_bytes(f"/listen/0?name={quote(name)}"))
    read_until(slow, b"joined")
    with Listener(server, someone()) as quick:
        quick.wait(lambda message: "here" in message)
        # Far more than all the buffers on the way to somebody who does not read.
        texts = [f"{i} ".ljust(2000, "x") for i in range(2500)]
        with contextlib.closing(server.client()) as talker:
            for text in texts:
                talker.request("POST", "/say", urlencode({"name": "Talker", "text": text}))
                assert talker.getresponse().read()
                quick.hear(text)
        assert quick.texts[-len(texts):] == texts and not any("missed" in message for message in quick.seen)
    # The slow one has waited with its first piece, is told what it lost, and hears the end.
    data = read_until(slow, texts[-1].encode())
    assert b'{"missed": ' in data
    slow.close()


def test_somebody_whose_message_takes_too_long_is_told(server):
    with server.connect() as s:
        s.sendall(b"POST /say HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nConnection: close\r\n\r\nname=Slow&text=")
        assert b"The message took too long to arrive." in read_until(s, b"arrive.")


# :: What is refused, and what is changed

WRONG = [
    ({"name": "Ada", "text": ""}, "The text is empty."),
    ({"name": "Ada", "text": " \n\t\u200b "}, "The text is empty."),
    ({"name": "Ada"}, "The text is empty."),
    ({"name": "", "text": "x"}, "The name is empty."),
    ({"name": "\0\x1b", "text": "x"}, "The name is empty."),
    ({"name": ["Ada"], "text": "x"}, "The name is empty."),
    ({"name": "Ada", "text": 5}, "The text is empty."),
    ({"name": "A" * 33, "text": "x"}, "The name has 33 characters, 1 too many."),
    ({"name": "Ada", "text": "🚂" * 2100}, "The text has 2100 characters, 100 too many."),
]


@pytest.mark.parametrize("message, why", WRONG)
def test_what_cannot_be_said(server, message, why):
    answer = server.post("/say", json.dumps(message), {"Content-Type": "application/json"})
    assert (answer.status, answer.text, answer.headers["Content-Type"]) == (400, why + "\n", "text/plain; charset=utf-8")


@pytest.mark.parametrize("kind, body", [("application/json", b'{"name": "Ada", '), ("application/json", b"[" * 30_000), ("application/json", b"[1]"), ("application/json", b'"text"'), ("application/json", b'{"name": "\xff"}'), ("application/x-www-form-urlencoded", b"name=%ff&text=x")])
def test_what_is_no_message(server, kind, body):
    answer = server.post("/say", body, {"Content-Type": kind})
    assert (answer.status, answer.text) == (400, "A message is a form or a JSON object, in UTF-8.\n")


def test_a_message_without_a_length_or_with_a_long_one(server):
    for head in ("Content-Length: 32769", "Transfer-Encoding: chunked"):
        with server.connect() as s:
            s.sendall(f"POST /say HTTP/1.1\r\nHost: test\r\n{head}\r\n\r\n".encode())
            data = read_until(s, b"bytes.")
            assert b" 413 " in data and b"A message needs a Content-Length, of at most 32768 bytes." in data


def test_names_of_listeners(server):
    for query, why in (("", "The name is empty."), ("?name=%20", "The name is empty."), ("?name=%ff", "The name is empty."), (f"?name={'x' * 33}", "The name has 33 characters, 1 too many.")):
        answer = server.get(f"/listen/0{query}")
        assert (answer.status, answer.text) == (400, why + "\n")
    assert server.get("/listen/x?name=Ada").status == 404


def test_the_longest_that_fit(server):
    answer = say(server, "🚂" * 32, "🚂" * 2000)
    assert answer.json["text"] == "🚂" * 2000
    answer = form(server, name="🚂" * 32, text="🚂" * 2000)
    assert answer.json["text"] == "🚂" * 2000


def test_control_characters_are_blanks(server):
    answer = say(server, " A\nd\0a\u202e ", "one\r\ntwo\x1b[31m\n\u2067three\ud800\x85four\n").json
    assert (answer["name"], answer["text"]) == ("A d a", "one\ntwo [31m\n three \nfour")


def test_markup_passes_as_it_is(server):
    """It is the page that must show it as text, and does: see test_chat_browser.py."""
    text = "<img src=x onerror=alert(1)>&amp;\"'\\ \u2028 {\"n\": 1}"
    with Listener(server, someone()) as listener:
        assert say(server, "<b>", text.replace("\u2028", "")).json["name"] == "<b>"
        listener.hear(text.replace("\u2028", ""))


# :: A restart


def test_numbers_go_on_after_a_restart():
    with Server("chat_quick", cores=CORES) as first:
        before = say(first, "Ada", "before").json["n"]
    with Server("chat_quick", cores=CORES, options=["--shutdown-timeout", "1"]) as second:
        say(second, "Ada", "after")
        with Listener(second, "Ada", last=before) as listener:
            listener.hear("after")
            assert listener.texts == ["after"] and listener.number > before and not any("missed" in message for message in listener.seen)
