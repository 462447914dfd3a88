"""Behind a real nginx that is set up as the README says: proxy_pass over TCP and over a unix socket, and uwsgi_pass; with and without nginx's buffering."""

import hashlib

import pytest

from front_clients import UPLOAD
from fronts import KINDS, Front, Service, certificate
from nginx import Nginx
from serving import Control, free_port, many, until

UPSTREAMS = """
upstream tcp {{
    server 127.0.0.1:{http};
    keepalive 32;
}}
upstream unix {{
    server unix:{http_unix};
    keepalive 32;
}}
"""

PROXY = """
        proxy_pass http://{upstream};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host:$server_port;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
"""

UWSGI = """
        include uwsgi_params;
        uwsgi_param HTTP_HOST $host:$server_port;
        uwsgi_pass unix:{uwsgi};
"""

#: Name: what the location holds.
WAYS = {
    "tcp": PROXY.replace("{upstream}", "tcp"),
    "tcp-unbuffered": PROXY.replace("{upstream}", "tcp") + "proxy_buffering off; proxy_request_buffering off;",
    "unix": PROXY.replace("{upstream}", "unix"),
    "unix-unbuffered": PROXY.replace("{upstream}", "unix") + "proxy_buffering off; proxy_request_buffering off;",
    "uwsgi": UWSGI,
    "uwsgi-unbuffered": UWSGI + "uwsgi_buffering off; uwsgi_request_buffering off;",
}

#: The same with nginx's own TLS, for what the application hears of the client.
WITH_TLS = ["tcp", "unix", "uwsgi"]

MIB = 1 << 20


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def service(control):
    with Service("fronts_app", control, options=["--forwarded-allow", "127.0.0.1,unix"]) as s:
        yield s
        s.assert_sound()


@pytest.fixture(scope="module")
def ports(service):
    """One nginx that listens on a port for each way, and for some of them on one with TLS ("tls-" before the name); the port of each."""
    ports = {way: free_port() for way in [*WAYS, *("tls-" + way for way in WITH_TLS)]}
    addresses = service.addresses
    values = {"http": addresses["http"][1], "http_unix": addresses["http-unix"], "uwsgi": addresses["uwsgi-unix"]}
    tls = "listen 127.0.0.1:{} ssl;\n    ssl_certificate {};\n    ssl_certificate_key {};"
    servers = []
    for way, location in WAYS.items():
        listen = f"listen 127.0.0.1:{ports[way]};" + (tls.format(ports["tls-" + way], *certificate()) if way in WITH_TLS else "")
        servers.append(f"server {{\n    {listen}\n    location / {{{location.format(**values)}    }}\n}}\n")
    with Nginx(UPSTREAMS.format(**values) + "".join(servers), ports.values()) as nginx:
        yield ports
        for trouble in ("[emerg]", "[alert]", "[crit]"):
            assert trouble not in nginx.log, nginx.log


@pytest.fixture(params=WAYS)
def way(request, service, ports):
    """A client's view of each way: a Front that speaks HTTP/1.1 to nginx."""
    front = Front(service, KINDS["http1"], ("127.0.0.1", ports[request.param]))
    front.name, front.port = request.param, ports[request.param]
    return front


def noted(service, label):
    return service.get(f"/noted?note={label}").json


def pieces_and_hash(exchange):
    size, sha = 0, hashlib.sha256()
    for piece in iter(exchange.piece, b""):
        size += len(piece)
        sha.update(piece)
    return size, sha.hexdigest()


def test_requests_and_responses_pass_unchanged(way):
    answer = way.post("/environ-types?q=%20", b"body", [("Content-Type", "text/plain"), ("Cookie", "a=1"), ("X-A", "1")])
    values = answer.json["values"]
    assert answer.json["input"] == "body"
    assert [values[key] for key in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_COOKIE", "HTTP_X_A", "HTTP_HOST")] == [
        repr(text) for text in ("POST", "/environ-types", "q=%20", "4", "text/plain", "a=1", "1", f"site.example:{way.port}")]
    answer = way.get("/http/echo", [("X-Echo", "1 2")])
    assert (answer["x-echo"], answer.all("set-cookie")) == ("1 2", ["a=1", "b=2, c"])
    assert way.request("HEAD", "/as-list").body == b""
    assert (way.get("/http/status?code=304").status, way.get("/http/status?code=204").status) == (304, 204)


@pytest.mark.parametrize("way", WITH_TLS)
@pytest.mark.parametrize("kind", ["http1", "tls-http1"])
def test_the_application_hears_of_the_client_and_not_of_nginx(service, ports, way, kind):
    """The address, the scheme, and the host with its port; a client cannot say something else."""
    port = ports[way if kind == "http1" else "tls-" + way]
    front = Front(service, KINDS[kind], ("127.0.0.1", port), source="127.0.0.2")
    found = front.get("/environ/", [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Host", "other.example")]).json
    assert (found["REMOTE_ADDR"], found["wsgi.url_scheme"], found["HTTP_HOST"]) == ("127.0.0.2", front.scheme, f"site.example:{port}")


def test_five_hundred_requests_and_no_502(way):
    """Over connections that nginx keeps open, where the upstream may be kept."""
    def client(i):
        with way.client() as c:
            answers = [c.get("/environ/").json for _ in range(50)]
            assert c.connections == 1
            return [answer["REMOTE_PORT"] for answer in answers]

    seen = many(10, client)
    if way.name.startswith("tcp"):
        assert len({port for ports in seen for port in ports}) <= 50, "the connections to the server were not reused"


def test_methods_mixed_on_kept_connections(way):
    """What one request leaves unread never disturbs the next on the same upstream connection."""
    with way.client() as client:
        for i in range(30):
            assert client.post("/http/ignore?n=1", b"x" * (i * 3000)).body == b"small 1"
            # nginx itself may close a connection whose upload it has not read to its end; a client then asks again (RFC 9112, section 9.3.1).
            answer = client.get(f"/http/small?n={i}")
            assert (answer if answer.status else client.get(f"/http/small?n={i}")).body == f"small {i}".encode()
            assert client.get("/raises?when=before").status == 500
            assert client.request("HEAD", "/as-generator").status == 200


def test_fifty_mebibytes_up(way):
    block = bytes(range(256)) * 4096
    sha = hashlib.sha256(block * 50).hexdigest()
    with way.client() as client:
        exchange = client.open("POST", "/digest", body=UPLOAD, length=50 * MIB)
        for _ in range(50):
            exchange.send(block)
        exchange.finish()
        assert exchange.reply().json == {"length": 50 * MIB, "sha": sha}
        assert client.get("/keywords").body == b"one two three"


@pytest.mark.parametrize("length", ["", "&length=1"])
def test_fifty_mebibytes_down(way, length):
    with way.client() as client:
        exchange = client.open("GET", f"/download?size={50 * MIB}&piece=65536{length}")
        assert exchange.head().status == 200
        size, sha = pieces_and_hash(exchange)
        small = way.get("/download?size=65536&piece=65536").body
        assert (size, sha) == (50 * MIB, hashlib.sha256(small * 800).hexdigest())
        assert client.get("/keywords").body == b"one two three"


def test_a_chunked_upload(way):
    with way.client() as client:
        exchange = client.open("POST", "/digest", body=UPLOAD)
        for i in range(20):
            exchange.send(b"%07d" % i * 5000)
        exchange.finish()
        assert exchange.reply().json == {"length": 700_000, "sha": hashlib.sha256(b"".join(b"%07d" % i * 5000 for i in range(20))).hexdigest()}


def test_pieces_pass_at_once(way, control):
    """Without buffering every piece comes as it is made; X-Accel-Buffering: no does the same for one response where nginx buffers."""
    label = f"nginx-{way.name}"
    page = "steps" if way.name.endswith("unbuffered") else "steps-unbuffered"
    with way.client() as client:
        exchange = client.open("GET", f"/{page}?how=yield&note={label}")
        for i in range(3):
            assert exchange.read(6) == b"step %d" % i
            if i < 2:
                control.wait(label).release("go")
        assert exchange.piece() == b"" and exchange.head()["x-accel-buffering"] is None


def test_a_client_that_leaves_is_noticed(way, control):
    label = f"nginx-left-{way.name}"
    with way.client() as client:
        client.open("GET", f"/asks-is-connected?note={label}")
        control.wait(label)
        client.abort()
        found = until(lambda: len(seen := noted(way.service, label)) >= 4 and seen, "the end of the request")
    assert found == [["connected", True], ["connected", False], "GeneratorExit", "closed"]


@pytest.mark.parametrize("length", ["", "&length=1"])
def test_a_response_that_breaks_off_does_not_look_complete(way, length):
    answer = way.get(f"/raises?when=middle{length}&note=nginx")
    # Where the uwsgi protocol comes over a unix socket, nothing but a missing length tells.
    assert not answer.complete or answer.status == 502 or (way.name.startswith("uwsgi") and not length)
