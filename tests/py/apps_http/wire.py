"""For tests: HTTP/1.1 as bytes on a socket. http.client hides what these tests are about: framing, several requests in one segment, who closes the connection."""

import pathlib

#: The folder of this file's applications; give it to a Server with ``options=["--pp", APPS_HTTP]``.
APPS_HTTP = str(pathlib.Path(__file__).resolve().parent)


class Broken(Exception):
    """The connection ended in the middle of a response."""


class Response:
    """status, reason, protocol, headers (list of (name, value), names in lower case), body (bytes), chunks (list of bytes if the body was chunked, else None)."""

    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.protocol, status, self.reason = (lines[0] + " ").split(" ", 2)
        self.status, self.reason = int(status), self.reason.rstrip(" ")
        self.headers = []
        for line in lines[1:]:
            name, value = line.split(":", 1)
            self.headers.append((name.lower(), value.strip(" ")))
        self.body, self.chunks = b"", None

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def __getitem__(self, name):
        """The value of a header, or None; fails when the header is repeated."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is repeated: {values}"
        return values[0] if values else None

    def __repr__(self):
        return f"<Response {self.status} {self.reason} {self.headers} {self.body[:200]!r}>"


class Wire:
    """One connection to a server. Every read is bounded by the socket's timeout."""

    def __init__(self, server, **options):
        self.socket = server.connect(**options)
        self._file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self._file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def request(self, target, method="GET", headers="", body=b"", protocol="HTTP/1.1"):
        """Send one request. ``headers``: whole lines, each ended by CR LF."""
        if body and "ransfer-" not in headers:
            headers += f"Content-Length: {len(body)}\r\n"
        self.send(f"{method} {target} {protocol}\r\nHost: test\r\n{headers}\r\n".encode("latin-1") + body)

    def ask(self, target, method="GET", headers="", body=b"", protocol="HTTP/1.1"):
        self.request(target, method, headers, body, protocol)
        return self.response(method)

    # :: Reading

    def head(self):
        """Read up to the empty line; a Response without a body yet."""
        lines = []
        while True:
            line = self._file.readline(65536)
            if not line.endswith(b"\r\n"):
                raise Broken(f"the connection ended in the head: {lines} {line!r}")
            if line == b"\r\n":
                return Response(b"".join(lines).removesuffix(b"\r\n"))
            lines.append(line)

    def exactly(self, n):
        data = self._file.read(n)
        if len(data) != n:
            raise Broken(f"the connection ended after {len(data)} of {n} bytes")
        return data

    def chunk(self):
        """One chunk of a chunked body; b"" is the last one (its trailer section is read, too)."""
        line = self._file.readline(1024)
        if not line.endswith(b"\r\n"):
            raise Broken(f"the connection ended where a chunk should begin: {line!r}")
        data = self.exactly(int(line, 16))
        if self.exactly(2) != b"\r\n":
            raise Broken("a chunk is longer than it says")
        return data

    def response(self, method="GET"):
        """Read one whole response, framed as RFC 9112 section 6 says; interim responses are passed over."""
        answer = self.head()
        while answer.status == 100:
            answer = self.head()
        if method == "HEAD" or answer.status in (204, 304):
            return answer
        if answer["transfer-encoding"] == "chunked":
            assert answer["content-length"] is None, "both a length and chunked"
            answer.chunks = list(iter(self.chunk, b""))
            answer.body = b"".join(answer.chunks)
        elif answer["content-length"] is not None:
            answer.body = self.exactly(int(answer["content-length"]))
        else:
            answer.body = self._file.read()
        return answer

    def rest(self):
        """Everything until the server closes in an orderly way. A reset is an error (ConnectionResetError)."""
        return self._file.read()

    def is_closed(self):
        """Wait for the server to close; True also for a reset. Fails (by the socket's timeout) when it does not."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True
