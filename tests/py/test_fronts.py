"""Where the server listens and what it speaks there: TLS, HTTP/2 with and without it, unix and inherited sockets, several at once, proxies that are believed."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import stat
import subprocess

import h2.config
import h2.connection
import h2.events
import pytest

from apps_http.wire import APPS_HTTP, Wire
from serving import PATIENCE, ROOT, Server, background, command, free_port, until

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a certificate for localhost (cert.pem, key.pem) and files that cannot be used."""
    folder = tmp_path_factory.mktemp("tls")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    for name in ("", "other-"):
        subprocess.run([*make, "-nodes", "-keyout", folder / f"{name}key.pem", "-out", folder / f"{name}cert.pem"], check=True, capture_output=True, timeout=PATIENCE)
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", folder / "key.pem", "-out", folder / "locked.pem", "-passout", "pass:x"], check=True, capture_output=True, timeout=PATIENCE)
    subprocess.run(
        [*make, "-nodes", "-addext", "extendedKeyUsage=clientAuth", "-keyout", folder / "client-key.pem", "-out", folder / "client-cert.pem"],
        check=True, capture_output=True, timeout=PATIENCE)
    (folder / "garbage.pem").write_text("-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n")
    (folder / "empty.pem").write_text("")
    return folder


class Fronts(Server):
    """A server whose first socket may be of any kind; ``addresses`` is what it says of itself."""

    def wait_ready(self):
        self.wait_log(r"listening on .*\n")
        # One write for all lines.
        self.addresses = re.findall(r"^listening on (\S+)$", self.log, re.MULTILINE)
        found = re.match(r"http://(\S+):(\d+)$", self.addresses[0])
        if found:
            self.host, self.port = found[1], int(found[2])


def fronts(*options, app="http_app", **more):
    return Fronts(app, http=None, options=["--pp", APPS_HTTP, *options], **more)


def curl(*arguments):
    """The answer's body as text; fails when curl does."""
    done = subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), *map(str, arguments)], capture_output=True, timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def environ(*arguments):
    return json.loads(curl(*arguments))


def refused(*arguments, code=1, cwd=ROOT):
    """Start it, see that it does not; its one line."""
    done = subprocess.run([*command(), "-w", "examples.hello", *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=cwd)
    assert done.returncode == code and "listening on" not in done.stderr and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class Http2:
    """One HTTP/2 connection as a client. Events are kept per stream until a test asks for them."""

    def __init__(self, s):
        self.socket, self.answers, self.ended, self.goaway = s, {}, set(), False
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="latin-1", validate_outbound_headers=False))
        self.h2.initiate_connection()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def request(self, path, method="GET", headers=(), body=None, scheme="http", end=True):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", method), (":scheme", scheme), (":authority", "test:81"), (":path", path), *headers], end_stream=end and body is None)
        if body is not None:
            self.h2.send_data(stream, body, end_stream=end)
        self.answers[stream] = [None, b""]
        self.flush()
        return stream

    def receive(self):
        """One read; False at the end of the connection."""
        data = self.socket.recv(65536)
        for event in self.h2.receive_data(data) if data else ():
            if isinstance(event, h2.events.ResponseReceived):
                self.answers[event.stream_id][0] = int(dict(event.headers)[":status"])
            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id][1] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaway = True
        self.flush()
        return bool(data)

    def answer(self, stream):
        """(status, body) of a stream, once it has ended."""
        while stream not in self.ended:
            assert self.receive(), f"the connection ended before stream {stream} did"
        return tuple(self.answers[stream])


@contextlib.contextmanager
def http2(server):
    with server.connect() as s:
        yield Http2(s)


# :: HTTP/2 without TLS


@pytest.fixture(scope="module")
def plain():
    with fronts("--http", "127.0.0.1:0") as server:
        yield server


def test_both_protocols_on_one_port(plain):
    one, two = environ(plain.url), environ("--http2-prior-knowledge", plain.url)
    assert (one["SERVER_PROTOCOL"], two["SERVER_PROTOCOL"]) == ("HTTP/1.1", "HTTP/2.0")
    for seen in one, two:
        assert seen["wsgi.url_scheme"] == "http" and "HTTPS" not in seen
        assert (seen["SERVER_NAME"], seen["SERVER_PORT"], seen["REMOTE_ADDR"]) == ("127.0.0.1", str(plain.port), "127.0.0.1")
        assert seen["HTTP_HOST"] == f"127.0.0.1:{plain.port}"


def test_the_scheme_is_not_the_clients_to_choose(plain):
    with http2(plain) as client:
        status, body = client.answer(client.request("/environ", scheme="https"))
    seen = json.loads(body)
    assert status == 200 and seen["wsgi.url_scheme"] == "http" and "HTTPS" not in seen and seen["HTTP_HOST"] == "test:81"


@pytest.mark.parametrize("cuts", [[n] for n in range(1, len(PREFACE))] + [list(range(1, len(PREFACE) + 1))])
def test_a_preface_in_pieces(plain, cuts):
    with http2(plain) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = 0
        data = client.h2.data_to_send()
        assert data.startswith(PREFACE)
        for cut in cuts:
            client.socket.sendall(data[begin:cut])
            # Another connection's whole request: time enough for the server to have read the piece.
            assert plain.get("/small").status == 200
            begin = cut
        client.socket.sendall(data[begin:])
        assert client.answer(client.request("/small?n=1")) == (200, b"small 1")


@pytest.mark.parametrize("piece", ["P", "PR", "PRI", "PRI *", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM"])
def test_what_only_begins_like_a_preface_is_http_1(plain, piece):
    with Wire(plain) as wire:
        wire.send(piece)
        assert plain.get("/small").status == 200
        if piece == "P":
            wire.send("UT /ignore HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            assert wire.head().status == 200
        else:
            wire.send("x\r\n\r\n")
            # A client that knows the first line of HTTP/2 is answered in frames: GOAWAY with HTTP_1_1_REQUIRED.
            assert wire.rest().startswith((b"HTTP/1.1 400 ", b"\0\0\x08\x07\0\0\0\0\0" + bytes(4) + b"\0\0\0\x0d"))


def test_an_upgrade_to_http_2_is_passed_over(plain):
    with Wire(plain) as wire:
        answer = wire.ask("/small?n=2", headers="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n")
        assert (answer.status, answer.protocol, answer.body) == (200, "HTTP/1.1", b"small 2")
        assert wire.ask("/small?n=3").body == b"small 3"


def test_hundreds_of_streams(plain):
    done = subprocess.run(["nghttp", "-n", "-v", "-m", "300", f"{plain.url}/small"], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and done.stdout.count(":status: 200") == 300, done.stdout[-2000:] + done.stderr


def test_streams_run_side_by_side(control):
    with fronts("--http", "127.0.0.1:0", env=control.env, cores=60) as server, http2(server) as client:
        streams = [client.request(f"/park?point=here&n={n}") for n in range(50)]
        for point in control.wait_all("here", 50):
            point.release(str(point.data["core"]))
        answers = [client.answer(stream) for stream in streams]
        assert {status for status, _ in answers} == {200} and len({body for _, body in answers}) == 50


def test_large_bodies(plain, tmp_path):
    data = os.urandom(8 << 20)
    (tmp_path / "data").write_bytes(data)
    seen = environ("--http2-prior-knowledge", "--data-binary", f"@{tmp_path}/data", f"{plain.url}/digest?size=65536")
    assert seen["length"] == len(data)
    curl("--http2-prior-knowledge", "-o", tmp_path / "answer", f"{plain.url}/big?note=h2&blocks=128")
    assert (tmp_path / "answer").read_bytes() == b"".join(i.to_bytes(4, "big") * 16384 for i in range(128))


def test_cookies_in_several_fields_are_one_variable(plain):
    with http2(plain) as client:
        _, body = client.answer(client.request("/environ", headers=[("cookie", "a=1"), ("x-other", "y"), ("cookie", "b=2"), ("x-other", "z")]))
    seen = json.loads(body)
    assert seen["HTTP_COOKIE"] == "a=1; b=2" and seen["HTTP_X_OTHER"].replace(" ", "") == "y,z"


def test_a_reset_stream_is_one_client_that_left(control):
    with fronts("--http", "127.0.0.1:0", env=control.env) as server, http2(server) as client:
        stays = client.request("/park?point=stays")
        point = control.wait("stays")
        leaves = client.request("/reader?note=leaves", "POST", headers=[("content-length", "10")], body=b"12345", end=False)
        control.wait("leaves")
        client.h2.reset_stream(leaves)
        client.flush()
        seen = until(lambda: server.get("/noted?note=leaves").json, "the reader was told")
        assert seen[0][1], seen
        point.release("still here")
        assert client.answer(stays) == (200, b"still here")
        assert client.answer(client.request("/small?n=4")) == (200, b"small 4")


def test_a_graceful_stop_lets_streams_finish(control):
    with fronts("--http", "127.0.0.1:0", env=control.env) as server, http2(server) as idle, server.connect() as unused:
        assert idle.answer(idle.request("/small?n=1")) == (200, b"small 1")
        with background(curl, "--http2-prior-knowledge", f"{server.url}/park?point=here") as running:
            point = control.wait("here")
            server.send_signal(signal.SIGTERM)
            while not idle.goaway:
                assert idle.receive()
            # One that never said anything is not waited for.
            assert unused.recv(1) == b""
            assert server.running
            point.release("done")
            assert running.result(PATIENCE) == "done"
        assert server.wait_exit() == 0
        assert "Exception" not in server.log


def test_streams_have_no_descriptor_of_their_own():
    with fronts("--http", "127.0.0.1:0", app="run_code") as server:
        code = json.dumps({"code": "return uwsgi.connection_fd()", "values": {}})
        ask = ["-H", "Content-Type: application/json", "-d", code, server.url]
        assert json.loads(curl("--http2-prior-knowledge", *ask))["result"] == -1
        assert json.loads(curl(*ask))["result"] > 2


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/1.0"])
def test_connect_is_answered_without_the_application(plain, protocol):
    begin = len(plain.log)
    with Wire(plain) as wire:
        wire.send(f"CONNECT example.org:443 {protocol}\r\nHost: example.org:443\r\n\r\n")
        assert wire.head().status == 501
        assert wire.is_closed()
    plain.wait_log(r'CONNECT "example.org:443" 501 0 bytes [\d.]+ ms$', start=begin)


def test_connect_over_http_2(plain):
    with http2(plain) as client:
        stream = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream, [(":method", "CONNECT"), (":authority", "example.org:443")], end_stream=True)
        client.answers[stream] = [None, b""]
        client.flush()
        assert client.answer(stream) == (501, b"")
        assert client.answer(client.request("/small?n=5")) == (200, b"small 5")
    assert plain.warnings == []


# :: TLS


@pytest.fixture(scope="module")
def secure(files):
    with fronts("--https", "127.0.0.1:0,cert.pem,key.pem", "--chdir", "/", cwd=files) as server:
        assert len(server.addresses) == 1
        server.https = server.addresses[0]
        yield server


@pytest.mark.parametrize("option, protocol", [("--http2", "HTTP/2.0"), ("--http1.1", "HTTP/1.1")])
def test_tls(secure, files, option, protocol):
    seen = environ(option, "--cacert", files / "cert.pem", secure.https)
    assert seen["SERVER_PROTOCOL"] == protocol
    assert (seen["wsgi.url_scheme"], seen["HTTPS"], seen["REMOTE_ADDR"]) == ("https", "on", "127.0.0.1")
    assert seen["SERVER_PORT"] == secure.https.rpartition(":")[2]


def test_tls_bodies(secure, files, tmp_path):
    (tmp_path / "data").write_bytes(os.urandom(3 << 20))
    for option in "--http2", "--http1.1":
        assert environ(option, "--cacert", files / "cert.pem", "--data-binary", f"@{tmp_path}/data", f"{secure.https}/digest")["length"] == 3 << 20
        curl(option, "--cacert", files / "cert.pem", "-o", tmp_path / "answer", f"{secure.https}/big?note=tls&blocks=64")
        assert (tmp_path / "answer").stat().st_size == 64 * 65536


@pytest.mark.parametrize("version, works", [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)])
def test_tls_versions(secure, files, version, works):
    context = ssl.create_default_context(cafile=files / "cert.pem")
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning) if not works else contextlib.nullcontext():
        context.minimum_version = context.maximum_version = version
    port = int(secure.https.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as s, contextlib.nullcontext() if works else pytest.raises(ssl.SSLError):
        with context.wrap_socket(s, server_hostname="localhost") as tls:
            assert tls.version() == version.name.replace("_", ".")


def test_plain_http_on_a_tls_socket_harms_nobody(secure, files):
    port = int(secure.https.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"200" not in s.recv(65536)
    assert environ("--cacert", files / "cert.pem", secure.https)["HTTPS"] == "on"
    assert "   at " not in secure.log


@pytest.mark.parametrize("pair, names, reason", [
    ("missing.pem,key.pem", "certificate file {}/missing.pem", "no such file"),
    ("cert.pem,missing.pem", "key file {}/missing.pem", "no such file"),
    ("nowhere/cert.pem,key.pem", "certificate file {}/nowhere/cert.pem", "no such file"),
    (".,key.pem", "certificate file {}", "directory"),
    ("cert.pem,other-key.pem", "key file {}/other-key.pem", "belongs to the certificate in"),
    ("cert.pem,cert.pem", "key file {}/cert.pem", "no private key"),
    ("cert.pem,locked.pem", "key file {}/locked.pem", "password"),
    ("garbage.pem,key.pem", "certificate file {}/garbage.pem", "not a certificate"),
    ("empty.pem,key.pem", "certificate file {}/empty.pem", "no certificate"),
    ("key.pem,key.pem", "certificate file {}/key.pem", "no certificate"),
    ("client-cert.pem,client-key.pem", "certificate file {}/client-cert.pem", "servers"),
])
def test_files_that_cannot_be_used(files, pair, names, reason):
    text = refused("--https", f"127.0.0.1:0,{pair}", "--pp", ROOT, cwd=files)
    assert f"--https: {names.format(files)}: " in text and reason in text


# :: Unix sockets


@pytest.fixture
def folder(tmp_path_factory):
    """Short: the path of a socket has 107 bytes."""
    return tmp_path_factory.mktemp("s")


def test_unix_sockets_of_each_kind(folder, files):
    options = ["--http", "a.sock", "--https", f"./b.sock,{files}/cert.pem,{files}/key.pem", "--http-socket", f"@{folder}/c", "-s", "d.sock", "--chdir", "/"]
    with fronts(*options, cwd=folder) as server:
        assert server.addresses == [f"http://unix:{folder}/a.sock", f"http://unix:@{folder}/c", f"https://unix:{folder}/b.sock", f"uwsgi://unix:{folder}/d.sock"]
        one = environ("--unix-socket", folder / "a.sock", "http://name:99/")
        two = environ("--http2-prior-knowledge", "--unix-socket", folder / "a.sock", "http://[::1]:99/")
        three = environ("--abstract-unix-socket", f"{folder}/c", "http://name/", "-H", "Host:", "--http1.0")
        four = environ("--insecure", "--unix-socket", folder / "b.sock", "https://name/")
        names = [(seen["SERVER_NAME"], seen["SERVER_PORT"], seen["REMOTE_ADDR"], seen["SERVER_PROTOCOL"], seen["wsgi.url_scheme"]) for seen in (one, two, three, four)]
        assert names == [
            ("name", "80", "", "HTTP/1.1", "http"), ("[::1]", "80", "", "HTTP/2.0", "http"), ("localhost", "80", "", "HTTP/1.0", "http"), ("name", "443", "", "HTTP/2.0", "https"),
        ]
        with contextlib.closing(UnixConnection(str(folder / "a.sock"))) as connection:
            for n in range(3):
                connection.request("GET", f"/small?n={n}")
                assert connection.getresponse().read() == b"small %d" % n
    assert os.listdir(folder) == []


@pytest.mark.parametrize("options, mode", [(["--chmod-socket"], 0o666), (["--chmod-socket=600"], 0o600), (["-C660"], 0o660), ([], 0o777 & ~0o27)])
def test_permissions(folder, options, mode):
    before = os.umask(0o27)
    try:
        with fronts("--http", folder / "a", "-s", folder / "b", "--http", "127.0.0.1:0", *options):
            for name in "a", "b":
                assert stat.S_IMODE(os.stat(folder / name).st_mode) == mode
    finally:
        os.umask(before)


def test_a_file_that_a_killed_server_left(folder):
    path = folder / "a"
    server = fronts("--http", path)
    server.start()
    server.kill()
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    with fronts("--http", path):
        assert curl("--unix-socket", path, "http://x/small") == "small "
        # It is in use now.
        text = refused("--http", path)
        assert f"cannot listen on --http {path}: the address is already in use" in text
        assert curl("--unix-socket", path, "http://x/small") == "small "
    assert not path.exists()


def test_a_listener_with_a_full_queue_is_in_use(folder):
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as clients:
        listener.bind(str(folder / "a"))
        listener.listen(0)
        with pytest.raises(BlockingIOError):
            for _ in range(10):
                client = clients.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(str(folder / "a"))
        assert "already in use" in refused("--http", folder / "a")


def test_what_is_no_socket_is_left_alone(folder):
    (folder / "file").write_text("precious")
    (folder / "empty").write_text("")
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    for name in "file", "empty", "folder", "link", "pipe":
        text = refused("--http", folder / name)
        assert f"cannot listen on --http {folder / name}: " in text and "left alone" in text
    assert (folder / "file").read_text() == "precious" and (folder / "empty").exists() and (folder / "folder").is_dir() and (folder / "link").is_symlink()


def test_a_folder_that_is_not_there(folder):
    assert f"the directory {folder}/x does not exist" in refused("-s", folder / "x/a")


# :: Inherited sockets


def test_inherited_sockets(folder):
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        unix.bind(str(folder / "a"))
        unix.listen()
        options = [*command(), "--pp", ROOT / "tests/py/apps", "--pp", APPS_HTTP, "-w", "http_app", "--http", f"fd://{tcp.fileno()}", "--http", f"fd://{unix.fileno()}"]
        process = subprocess.Popen([*map(str, options)], stderr=subprocess.PIPE, text=True, pass_fds=[tcp.fileno(), unix.fileno()])
        try:
            lines = iter(process.stderr.readline, "")
            port = tcp.getsockname()[1]
            assert next(line for line in lines if "listening" in line) == f"listening on http://127.0.0.1:{port}\n"
            assert next(lines) == f"listening on http://unix:{folder}/a\n"
            assert environ(f"http://127.0.0.1:{port}")["SERVER_PORT"] == str(port)
            assert environ("--unix-socket", folder / "a", "http://x/")["SERVER_NAME"] == "x"
        finally:
            process.terminate()
            process.stderr.close()
            process.wait(PATIENCE)
    # Whoever made the file removes it.
    assert (folder / "a").exists()


def test_descriptors_that_are_no_sockets(tmp_path):
    assert "cannot listen on --http fd://999: file descriptor 999 is not an open socket" in refused("--http", "fd://999")
    assert "cannot listen on -" in refused("--socket", "fd://2")


# :: Several


def test_after_a_bind_error_nothing_is_left(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port, other = taken.getsockname()[1], free_port()
        text = refused("--http", f"127.0.0.1:{other}", "--http", folder / "a", "--socket", f"127.0.0.1:{port}")
        assert text == f"ugreen-py: cannot listen on --socket 127.0.0.1:{port}: the address is already in use\n"
    assert os.listdir(folder) == []


def test_after_an_application_that_cannot_be_loaded_no_file_is_left(folder):
    done = subprocess.run([*command(), "-w", "no_such_module", "--http", folder / "a", "-s", folder / "b"], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 1 and "no_such_module" in done.stderr
    assert os.listdir(folder) == []


def test_the_kernels_limit_of_the_backlog_is_told():
    limit = int(pathlib.Path("/proc/sys/net/core/somaxconn").read_text())
    with fronts("--http", "127.0.0.1:0", "--listen", "60000") as server:
        assert (f"--listen 60000: the kernel cuts it to {limit}" in server.log) == (limit < 60000)
    with fronts("--http", "127.0.0.1:0", "-l", "1") as server:
        assert "the kernel cuts" not in server.log and server.get("/small").status == 200


# :: Proxies


def forwarded(url, *headers, options=()):
    seen = environ(*[part for header in headers for part in ("-H", header)], *options, url)
    return seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]


def test_nobody_is_believed_unasked(plain):
    seen = environ("-H", "X-Forwarded-For: 9.9.9.9", "-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-Host: evil", plain.url)
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("127.0.0.1", "http") and "HTTPS" not in seen
    assert (seen["HTTP_X_FORWARDED_FOR"], seen["HTTP_X_FORWARDED_PROTO"], seen["HTTP_X_FORWARDED_HOST"]) == ("9.9.9.9", "https", "evil")


def test_peers_that_are_believed():
    with fronts("--http", "127.0.0.1:0", "--forwarded-allow", "127.0.0.1, 10.0.0.0/8,fd00::/8") as server:
        ask = lambda *headers, **more: forwarded(server.url, *headers, **more)
        for protocol in (), ("--http2-prior-knowledge",):
            assert ask("X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https", options=protocol) == ("9.9.9.9", "https")
        assert ask() == ("127.0.0.1", "http")
        # The rightmost that is not believed itself; what stands before it is hearsay.
        assert ask("X-Forwarded-For: 1.1.1.1, 9.9.9.9, 10.1.2.3") == ("9.9.9.9", "http")
        assert ask("X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 9.9.9.9:1234") == ("9.9.9.9", "http")
        assert ask("X-Forwarded-For: 10.0.0.1, 10.0.0.2") == ("10.0.0.1", "http")
        assert ask("X-Forwarded-For: 2001:db8::1, fd00::1") == ("2001:db8::1", "http")
        assert ask("X-Forwarded-For: [2001:db8::1]:80") == ("2001:db8::1", "http")
        # What is no address ends the search.
        assert ask("X-Forwarded-For: 9.9.9.9, unknown, 10.0.0.1") == ("10.0.0.1", "http")
        for wrong in "unknown", "9.9.9", "9.9.9.9,", "999.1.1.1", "_hidden", "010.0.0.1":
            assert ask(f"X-Forwarded-For: {wrong}", "X-Forwarded-Proto: gopher") == ("127.0.0.1", "http")
        assert ask("X-Forwarded-Proto: http, HTTPS") == ("127.0.0.1", "https")
        seen = environ("-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-Host: evil", server.url)
        assert seen["HTTPS"] == "on" and seen["HTTP_HOST"] == f"127.0.0.1:{server.port}"


def test_everybody_and_unix_sockets(folder):
    headers = "X-Forwarded-For: 1.1.1.1, 9.9.9.9", "X-Forwarded-Proto: https"
    with fronts("--http", "127.0.0.1:0", "--http", folder / "a", "--forwarded-allow", "*") as server:
        assert forwarded(server.url, *headers) == ("1.1.1.1", "https")
        assert forwarded("http://x/", *headers, options=["--unix-socket", folder / "a"]) == ("1.1.1.1", "https")
    with fronts("--http", "127.0.0.1:0", "--http", folder / "a", "--forwarded-allow", "unix") as server:
        assert forwarded(server.url, *headers) == ("127.0.0.1", "http")
        assert forwarded("http://x/", *headers, options=["--unix-socket", folder / "a"]) == ("9.9.9.9", "https")


@pytest.mark.parametrize("value", ["10.0.0.1/8", "localhost", "10.0.0", "10.0.0.0/33", "127.0.0.1,,::1", "10/8"])
def test_peers_that_are_none(value):
    text = refused("--forwarded-allow", value, code=2)
    assert f"--forwarded-allow '{value}': " in text
