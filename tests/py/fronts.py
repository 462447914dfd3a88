"""For tests: one server with a socket of every kind, and a table of what these fronts have in common and where they differ.

A behaviour that must hold whatever the client speaks is one test with the fixture ``front`` (conftest.py), which runs it over each of ALL_FRONTS. Its file has the server::

    @pytest.fixture(scope="module")
    def service(control):
        with Service("fronts_app", control) as s:
            yield s

    def test_hello(front):
        assert front.get("/hello").body == b"hello"

Where a front legitimately differs, the difference is a field of Kind and the test asks for the field; there is no ``if`` about a front's name in a test.
"""

import dataclasses
import functools
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile

import front_clients
from front_clients import HOST, Http1Client, Http2Client, UwsgiClient
from serving import PATIENCE, Server

#: The folders of applications that are on the sys.path of a Service, beside tests/py/apps.
FOLDERS = [str(pathlib.Path(__file__).resolve().parent / name) for name in ("apps_fronts", "apps_http")]


@dataclasses.dataclass(frozen=True)
class Kind:
    """What is true of one front."""

    name: str
    client: type
    #: Which socket of the Service.
    listener: str
    #: What the environ says of the connection. {port} is the socket's.
    environ: dict
    scheme: str = "http"
    #: The ALPN name to ask for; None: no TLS.
    alpn: str = None
    #: The next request goes over the same connection.
    keeps_connection: bool = True
    #: The text after the status reaches the client.
    has_reason: bool = True
    #: The status for a request body whose length is not known before it ends.
    unsized_upload: int = 200
    #: The server itself answers 100 (Continue).
    has_continue: bool = True
    #: A response without a length that breaks off does not look complete.
    shows_break: bool = True
    #: Leaving one request leaves the connection alone.
    keeps_connection_when_left: bool = False


_TCP = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "{port}", "REMOTE_ADDR": "127.0.0.1"}
# A unix socket has no name, so the server goes by the one that the client asked for.
_UNIX = {"SERVER_NAME": HOST, "SERVER_PORT": "80", "REMOTE_ADDR": ""}
_HTTP2 = {"has_reason": False, "keeps_connection_when_left": True}
_WEB_SERVER = {key: front_clients.WEB_SERVER[key] for key in ("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "SERVER_PROTOCOL")}
_UWSGI = {"client": UwsgiClient, "environ": _WEB_SERVER, "keeps_connection": False, "unsized_upload": 411, "has_continue": False}

KINDS = {kind.name: kind for kind in (
    Kind("http1", Http1Client, "http", {**_TCP, "SERVER_PROTOCOL": "HTTP/1.1"}),
    Kind("http2", Http2Client, "http", {**_TCP, "SERVER_PROTOCOL": "HTTP/2.0"}, **_HTTP2),
    Kind("tls-http1", Http1Client, "https", {**_TCP, "SERVER_PROTOCOL": "HTTP/1.1", "HTTPS": "on"}, "https", "http/1.1"),
    Kind("tls-http2", Http2Client, "https", {**_TCP, "SERVER_PROTOCOL": "HTTP/2.0", "HTTPS": "on"}, "https", "h2", **_HTTP2),
    Kind("unix-http1", Http1Client, "http-unix", {**_UNIX, "SERVER_PROTOCOL": "HTTP/1.1"}),
    Kind("unix-http2", Http2Client, "http-unix", {**_UNIX, "SERVER_PROTOCOL": "HTTP/2.0"}, **_HTTP2),
    Kind("uwsgi", listener="uwsgi", **_UWSGI),
    # A unix socket knows no reset: the end of the connection is all that there is.
    Kind("uwsgi-unix", listener="uwsgi-unix", shows_break=False, **_UWSGI),
)}

#: Names of the fronts, for ``pytest.mark.parametrize``.
ALL_FRONTS = list(KINDS)


@functools.cache
def certificate():
    """(certificate file, key file) for 127.0.0.1, HOST and localhost; made once."""
    folder = tempfile.TemporaryDirectory(prefix="ugreen-test-")
    certificate.folder = folder     # lives as long as the tests
    cert, key = f"{folder.name}/cert.pem", f"{folder.name}/key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key, "-out", cert,
         "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},DNS:localhost,IP:127.0.0.1"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
    )
    return cert, key


def tls_context(alpn):
    """For a client that trusts certificate() and nothing else."""
    context = ssl.create_default_context(cafile=certificate()[0])
    context.set_alpn_protocols([alpn])
    return context


class Front:
    """One front of a running Service, or what stands before it. ``source``: the client's own IP address."""

    def __init__(self, service, kind, address, source=None):
        self.service, self.kind, self.name, self.scheme, self._address, self._source = service, kind, kind.name, kind.scheme, address, source

    def client(self, receive_buffer=None):
        """A context manager. A small receive_buffer makes a slow client that the server notices early."""
        return self.kind.client(self, receive_buffer)

    def connect(self, receive_buffer=None):
        s = socket.socket(socket.AF_UNIX if isinstance(self._address, str) else socket.AF_INET)
        try:
            if receive_buffer:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if self._source:
                s.bind((self._source, 0))
            s.settimeout(PATIENCE)
            s.connect(self._address)
            if self.kind.alpn:
                # An end without close_notify is a connection that was cut, not an end.
                s = tls_context(self.kind.alpn).wrap_socket(s, server_hostname=HOST, suppress_ragged_eofs=False)
                assert s.selected_alpn_protocol() == self.kind.alpn
            elif s.family == socket.AF_INET:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            s.close()
            raise
        return s

    @property
    def environ(self):
        """What the table says about the environ."""
        port = None if isinstance(self._address, str) else self._address[1]
        return {key: value.format(port=port) for key, value in self.kind.environ.items()}

    def request(self, method, target, headers=(), body=None):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.request(method, target, headers, body)

    def get(self, target, headers=()):
        return self.request("GET", target, headers)

    def post(self, target, body, headers=()):
        return self.request("POST", target, headers, body)

    def __repr__(self):
        return f"<Front {self.name}>"


class Service(Server):
    """A Server with a socket of every kind. What it does is asked for through ``front(name)``; get() and the other methods of Server speak HTTP/1.1."""

    def __init__(self, app, control=None, cores=40, options=(), env=None):
        self._folder = tempfile.TemporaryDirectory(prefix="ugreen-test-")
        paths = [option for folder in FOLDERS for option in ("--pythonpath", folder)]
        sockets = ["--http", self._path("http"), "--https", ",".join(("127.0.0.1:0", *certificate())), "--socket", "127.0.0.1:0", "--socket", self._path("uwsgi")]
        super().__init__(app, cores, [*paths, *sockets, *options], {"PYTHONUTF8": "1", **(control.env if control else {}), **(env or {})})
        #: Listener: where it listens.
        self.control, self.addresses = control, {}

    def _path(self, name):
        return f"{self._folder.name}/{name}.sock"

    def __exit__(self, kind, error, trace):
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._folder.cleanup()

    def wait_ready(self):
        super().wait_ready()
        self.addresses = {
            "http": ("127.0.0.1", self.port), "http-unix": self._path("http"), "https": ("127.0.0.1", self._port("https")),
            "uwsgi": ("127.0.0.1", self._port("uwsgi")), "uwsgi-unix": self._path("uwsgi"),
        }
        for scheme in ("http", "uwsgi"):
            self.wait_log(re.escape(f"listening on {scheme}://unix:{self._path(scheme)}"))

    def _port(self, scheme):
        return int(self.wait_log(rf"listening on {scheme}://127\.0\.0\.1:(\d+)")[1])

    def assert_sound(self):
        """Whatever clients and applications did, the server has found no fault with itself."""
        for trouble in (" crit ", " error hub: ", "the driver failed", "Unhandled exception"):
            assert trouble not in self.log, self.log[max(0, self.log.index(trouble) - 200):][:2000]

    def front(self, name):
        kind = KINDS[name]
        return Front(self, kind, self.addresses[kind.listener])
