"""Flask, Bottle and Django with the same small site, over every front: what browsers do with a site works whatever they speak. wsgiref.validate watches both sides all the time."""

import hashlib
import json
import random
from urllib.parse import urljoin

import pytest

from fronts import Service

SIZES = [0, 1, 3_000_000]


@pytest.fixture(scope="module", params=["flask", "bottle", "django"])
def service(request):
    with Service(f"{request.param}_site:validated") as s:
        yield s
        assert "AssertionError" not in s.log and "WSGIWarning" not in s.log


def test_log_in_and_come_back(front):
    """A form, a session cookie, a redirect, and URLs with the scheme and the host that the client asked for."""
    site = f"{front.scheme}://site.example"
    with front.client() as client:
        answer = client.post("/login", "name=Żółw&x=1".encode(), [("Content-Type", "application/x-www-form-urlencoded")])
        assert answer.status in (302, 303) and urljoin(f"{site}/login", answer["location"]) == f"{site}/me"
        cookie = answer["set-cookie"].partition(";")[0]
        answer = client.get("/me?a=%20b", [("Cookie", "other=1"), ("Cookie", cookie)])
        assert (answer.status, answer.text) == (200, f"Żółw at {site}/me from {site}/me?a=%20b")


def test_the_host_of_urls_is_the_clients(front):
    with front.client() as client:
        cookie = client.post("/login", b"name=x", [("Content-Type", "application/x-www-form-urlencoded")])["set-cookie"].partition(";")[0]
        answer = client.get("/me", [("Host", "site.example:4711"), ("Cookie", cookie)])
        assert answer.text == f"x at {front.scheme}://site.example:4711/me from {front.scheme}://site.example:4711/me"


@pytest.mark.parametrize("size", SIZES)
def test_a_file_is_uploaded_by_a_form(front, size):
    data = random.Random(size).randbytes(size)
    body = b"".join((
        b'--limit\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n',
        b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n', data, b"\r\n--limit--\r\n",
    ))
    answer = front.post("/upload", body, [("Content-Type", "multipart/form-data; boundary=limit")])
    assert answer.status == 200 and answer["content-type"].startswith("application/json")
    assert json.loads(answer.body) == {"field": "value", "name": "a.bin", "size": size, "sha": hashlib.sha256(data).hexdigest()}


def test_thirty_streams_keep_their_requests_apart(front):
    with front.client() as client:
        exchanges = [client.open("GET", f"/local/n{i}?q=q{i}", [("X-Name", f"h{i}")]) for i in range(30)]
        for i, exchange in enumerate(exchanges):
            answer = exchange.reply()
            assert (answer.status, answer.complete) == (200, True)
            assert answer.text == "".join(f"{line} q{i} h{i} n{i}\n" for line in range(5))


def test_a_stream_that_is_left(front):
    with front.client() as client:
        left = client.open("GET", "/local/left?q=1", [("X-Name", "x")])
        assert left.head().status == 200 and left.piece()
        left.abandon()
        assert client.get("/static/site.css").status == 200


@pytest.mark.parametrize("path, status, word", [("/missing", 404, "not found"), ("/raises", 500, "error"), ("/%E2%82%AC/missing?x=1", 404, "not found")])
def test_error_pages(front, path, status, word):
    mark = len(front.service.log)
    answer = front.get(path)
    assert (answer.status, answer.complete) == (status, True) and word in answer.text.lower()
    assert answer["content-type"].startswith("text/html")
    if status == 500:
        front.service.wait_log("KeyError: 'of the view'", start=mark)


def test_static_files(front):
    with front.client() as client:
        answer = client.get("/static/site.css")
        assert (answer.status, answer["content-length"], answer.complete) == (200, str(len(answer.body)), True)
        assert answer["content-type"].startswith("text/css") and answer.text.endswith("body { color: #123456; }\n")
        head = client.request("HEAD", "/static/site.css")
        assert (head.status, head["content-length"], head.body) == (200, answer["content-length"], b"")
        again = client.get("/static/site.css", [("If-Modified-Since", answer["last-modified"])])
        assert (again.status, again.body, again.complete) == (304, b"", True)
        assert client.get("/static/../flask_site.py").status in (400, 404)
