"""Request and response bodies of all sizes, over every front: whole, streamed, both at once, slow, ignored."""

import hashlib
import pathlib
import random
import re

import pytest

from fronts import FOLDERS, Service
from front_clients import UPLOAD
from serving import Control, background, until

MIB = 1 << 20

# The front takes some of a slow client's response, and the kernel's two socket buffers some megabytes more.
MAX_BUFFERED = 16 * MIB


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def service(control):
    with Service("fronts_app", control) as s:
        yield s
        s.assert_sound()


@pytest.fixture(scope="module")
def bodies():
    """Random bytes by size; made once."""
    return {size: random.Random(size).randbytes(size) for size in (0, 1, 65536, 65537, MIB, 10 * MIB)}


def sha(data):
    return hashlib.sha256(data).hexdigest()


def pattern(size):
    """What fronts_app makes."""
    return random.Random(size).randbytes(size)


def usable(client):
    assert client.get("/keywords").body == b"one two three"


# :: Whole bodies


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, MIB, 10 * MIB])
def test_an_upload_arrives_whole(front, bodies, size):
    with front.client() as client:
        assert client.post("/digest", bodies[size]).json == {"length": size, "sha": sha(bodies[size])}
        usable(client)
    assert client.connections == (1 if front.kind.keeps_connection else 2)


@pytest.mark.parametrize("size", [0, 1, 65537, MIB, 10 * MIB])
@pytest.mark.parametrize("length", ["", "&length=1"])
def test_a_download_arrives_whole(front, size, length):
    with front.client() as client:
        answer = client.get(f"/download?size={size}&piece=65536{length}")
        assert (answer.status, len(answer.body), answer.complete) == (200, size, True)
        block = pattern(65536)
        assert answer.body == block * (size // 65536) + block[:size % 65536]
        assert answer["content-length"] == (str(size) if length else None if size else answer["content-length"])
        usable(client)


@pytest.mark.parametrize("size", [1, 65537, 10 * MIB])
def test_one_block(front, size):
    answer = front.get(f"/whole?size={size}")
    assert (answer["content-length"], answer.body, answer.complete) == (str(size), pattern(size), True)


@pytest.mark.parametrize("send", ["", "&send=1"])
def test_a_file_and_what_only_lends_its_descriptor(front, send):
    data = (pathlib.Path(FOLDERS[0]) / "fronts_app.py").read_bytes()
    with front.client() as client:
        for _ in range(2):
            plain, shouted = client.get(f"/file?{send}"), client.get(f"/file?shout=1{send}")
            assert (plain.status, plain.body, plain.complete) == (200, data, True)
            assert (shouted.status, shouted.body, shouted.complete) == (200, data.upper(), True)
        usable(client)


def test_small_pieces(front):
    answer = front.get("/download?size=3000&piece=1")
    assert (answer.body, answer.complete) == (pattern(1) * 3000, True)


# :: Both directions at once


@pytest.mark.parametrize("size", [0, 1, MIB, 10 * MIB])
def test_an_echo_streams_while_the_upload_goes_on(front, bodies, size):
    """More than all buffers on the way hold: neither side may wait for the other to finish."""
    with front.client() as client:
        answer = client.post("/echo", bodies[size])
        assert (answer.status, len(answer.body), sha(answer.body), answer.complete) == (200, size, sha(bodies[size]), True)
        usable(client)


def test_an_echo_piece_by_piece(front):
    """Each piece comes back before the next one is sent."""
    pieces = [b"%04d" % i * 250 for i in range(20)]
    with front.client() as client:
        exchange = client.open("POST", "/echo?piece=1000", body=UPLOAD, length=20_000)
        for piece in pieces:
            exchange.send(piece)
            assert exchange.head().status == 200
            assert exchange.read(1000) == piece
        exchange.finish()
        assert exchange.piece() == b""
        usable(client)


def test_a_response_begins_before_the_upload(front):
    label = f"late-{front.name}"
    with front.client() as client:
        exchange = client.open("POST", f"/sends-upload-back-late?note={label}", body=UPLOAD, length=5)
        assert exchange.head().status == 200 and exchange.read(8) == b"started "
        exchange.send(b"hello")
        exchange.finish()
        front.service.control.wait(label).release()
        assert exchange.read(5) == b"hello" and exchange.piece() == b""
        usable(client)


# :: Bodies without a known length


SIZES = {"empty": [], "pieces": [b"a", b"bc" * 100, b"\r\n0\r\n\r\n", b"end"], "large": [b"%07d" % i * 10_000 for i in range(50)]}


@pytest.mark.parametrize("pieces", SIZES)
def test_an_upload_without_a_length(front, pieces):
    body = b"".join(SIZES[pieces])
    with front.client() as client:
        exchange = client.open("POST", "/http/digest", body=UPLOAD)
        for piece in SIZES[pieces]:
            exchange.send(piece)
        exchange.finish()
        answer = exchange.reply()
        assert answer.status == front.kind.unsized_upload
        if answer.status == 200:
            found = answer.json
            assert (found["length"], found["sha"], found["CONTENT_LENGTH"], found["terminated"]) == (len(body), sha(body), None, True)
        usable(client)


# :: Bodies that nobody reads


@pytest.mark.parametrize("page, expected", [("http/ignore?n=1", b"small 1"), ("http/half", b"G"), ("raises?when=before&note=x", b"Internal Server Error\n")])
@pytest.mark.parametrize("size", [1000, 100_000])
def test_a_body_that_the_application_does_not_read(front, page, expected, size):
    """What is left of it is never taken for a request."""
    body = (b"GET /forged HTTP/1.1\r\nHost: t\r\n\r\n" * 4000)[:size]
    mark = len(front.service.log)
    with front.client() as client:
        for i in range(3):
            answer = client.post(f"/{page}", body)
            assert (answer.body, answer.complete) == (expected, True)
            assert client.get(f"/http/small?n=next{i}").body == f"small next{i}".encode()
    assert "forged" not in front.service.log[mark:]
    assert client.connections == (1 if front.kind.keeps_connection else 6)


def test_a_large_body_that_the_application_does_not_read(front, bodies):
    answer = front.post("/http/ignore?n=1", bodies[10 * MIB])
    assert (answer.status, answer.body) == (200, b"small 1")


# :: Expect: 100-continue


def test_continue_comes_when_the_application_reads(front):
    with front.client() as client:
        exchange = client.open("POST", "/digest", [("Expect", "100-continue")], body=UPLOAD, length=5)
        if front.kind.has_continue:
            assert exchange.wait_interim() == 100
        exchange.send(b"hello")
        exchange.finish()
        assert exchange.reply().json == {"length": 5, "sha": sha(b"hello")}
        usable(client)


def test_no_continue_when_the_application_does_not_read(front):
    """The answer comes without the body having been sent."""
    with front.client() as client:
        exchange = client.open("POST", "/http/ignore?n=1", [("Expect", "100-continue")], body=UPLOAD, length=5)
        answer = exchange.reply()
        assert (answer.status, answer.body, answer.interim) == (200, b"small 1", [])


# :: Slow clients


def test_a_slow_upload_is_read_as_it_comes(front):
    note = f"slow-{front.name}"
    block = random.Random(1).randbytes(65536)
    with front.client() as client:
        exchange = client.open("POST", f"/http/digest?size=65536&note={note}", body=UPLOAD, length=len(block) * 6)
        for i in range(6):
            exchange.send(block)
            # The application has this block before the next one is sent, and others are served meanwhile.
            until(lambda: front.service.get(f"/http/noted-length?note={note}").json > i, f"block {i} in the application")
        exchange.finish()
        assert exchange.reply().json["sha"] == sha(block * 6)


def memory(service, key="VmRSS"):
    with open(f"/proc/{service.pid}/status", encoding="ascii") as status:
        return int(re.search(rf"^{key}:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) * 1024


def test_a_slow_download_holds_the_application_back(front):
    """To a client that does not read: the application stops early, memory stays bounded, others are served; then all bytes arrive."""
    blocks, note = 500, f"backpressure-{front.name}"
    before = memory(front.service)
    with front.client(receive_buffer=65536) as client:
        exchange = client.open("GET", f"/http/big?blocks={blocks}&note={note}")
        assert exchange.head().status == 200
        progress = []

        def stands_still():
            progress.append(front.service.get(f"/http/noted-length?note={note}").json)
            return len(progress) > 30 and progress[-1] == progress[-30]

        until(stands_still, "the application to be held back")
        assert 0 < progress[-1] * 65536 < MAX_BUFFERED
        assert memory(front.service) - before < MAX_BUFFERED
        found, expected = hashlib.sha256(), hashlib.sha256()
        for piece in iter(exchange.piece, b""):
            found.update(piece)
        for i in range(blocks):
            expected.update(i.to_bytes(4, "big") * 16384)
        assert found.digest() == expected.digest()
    assert memory(front.service) - before < MAX_BUFFERED


def test_a_client_that_does_not_read_holds_up_nobody_on_the_same_connection(front):
    with front.client(receive_buffer=65536) as client:
        stuck = client.open("GET", f"/http/big?blocks=200&note=stuck-{front.name}")
        assert stuck.head().status == 200
        for i in range(5):
            assert client.get(f"/http/small?n={i}").body == f"small {i}".encode()
        assert sum(len(piece) for piece in iter(stuck.piece, b"")) == 200 * 65536


@pytest.mark.parametrize("how", ["abandon", "abort"])
def test_a_client_that_leaves_in_its_upload(front, how):
    """read() raises OSError in the application."""
    note = f"upload-left-{how}-{front.name}"
    with front.client() as client:
        exchange = client.open("POST", f"/http/reader?note={note}", body=UPLOAD, length=100)
        exchange.send(b"hello")
        # A reset would take back what the server has not read yet, the request's head included.
        front.service.control.wait(note)
        getattr(exchange if how == "abandon" else client, how)()
        seen = until(lambda: front.service.get(f"/http/noted?note={note}").json, "the end of the read")
        if how == "abandon" and front.kind.keeps_connection_when_left:
            usable(client)
            assert client.connections == 1
    assert len(seen) == 1 and seen[0][1] is True and "wsgi.input" in seen[0][2], seen


def test_many_uploads_and_downloads_at_once(front, bodies):
    body = bodies[MIB]
    with front.client() as client:
        with background(front.service.get, "/keywords") as other:
            exchanges = [client.open("POST", "/echo", body=body) for _ in range(8)]
            assert [sha(answer.body) for answer in client.replies(exchanges)] == [sha(body)] * 8
            assert other.result(30).text == "one two three"
