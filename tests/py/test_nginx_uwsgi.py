"""Behind a real nginx: the uwsgi protocol over TCP and over a unix socket, with the configuration that the README shows."""

import hashlib
import http.client
import os

import pytest

from nginx import Nginx
from serving import PATIENCE, Server, free_port

CONFIGURATION = """
server {{
    listen 127.0.0.1:{port};
    location / {{
        include uwsgi_params;
        uwsgi_pass {upstream};
        uwsgi_buffering off;
    }}
}}
"""

APPLICATION = '''
import hashlib
import uwsgi
from wsgiref.validate import validator

def stream(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    def chunks():
        for i in range(5):
            uwsgi.async_sleep(0.01)
            uwsgi.suspend()
            yield b"%d\\n" % i
    return chunks()

def digest(environ, start_response):
    seen = hashlib.sha256()
    while data := environ["wsgi.input"].read(65536):
        seen.update(data)
    body = seen.hexdigest().encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]

def environ_text(environ, start_response):
    body = "\\n".join(f"{key}={value}" for key, value in sorted(environ.items()) if type(value) is str).encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain; charset=latin-1")])
    return [body]

@validator
def application(environ, start_response):
    page = {"/stream": stream, "/digest": digest}.get(environ["PATH_INFO"], environ_text)
    return page(environ, start_response)
'''


@pytest.fixture(scope="module", params=["tcp", "unix"])
def nginx(request, tmp_path_factory):
    """The port of an nginx in front of a server that only speaks uwsgi."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "behind_nginx.py").write_text(APPLICATION)
    address = f"127.0.0.1:{free_port()}" if request.param == "tcp" else str(folder / "app.sock")
    port = free_port()
    upstream = address if request.param == "tcp" else f"unix:{address}"
    with Server("behind_nginx", 20, ["--pythonpath", folder, "--socket", address], http=None, ready=False) as server, Nginx(CONFIGURATION.format(port=port, upstream=upstream), [port]):
        server.wait_log("listening on uwsgi://")
        yield port


def get(port, path, method="GET", body=None, headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_environ(nginx):
    status, body = get(nginx, "/a%20b/%C3%A9?x=%201", headers={"X-One": "1", "UWSGI_FILE": "/etc/passwd"})
    lines = dict(line.split("=", 1) for line in body.decode("latin-1").splitlines() if "=" in line)
    assert status == 200
    assert lines["PATH_INFO"] == "/a b/Ã©" and lines["QUERY_STRING"] == "x=%201" and lines["SCRIPT_NAME"] == ""
    assert lines["REQUEST_METHOD"] == "GET" and lines["HTTP_X_ONE"] == "1" and lines["REMOTE_ADDR"] == "127.0.0.1"
    assert lines["SERVER_PORT"] == str(nginx) and not any(key.startswith("UWSGI_") for key in lines)


def test_upload(nginx):
    data = os.urandom(10 * 1024 * 1024)
    assert get(nginx, "/digest", "POST", data) == (200, hashlib.sha256(data).hexdigest().encode())


def test_stream_and_head(nginx):
    assert get(nginx, "/stream") == (200, b"0\n1\n2\n3\n4\n")
    assert get(nginx, "/", "HEAD") == (200, b"")
