"""For tests: one small client for each wire protocol, all with the same interface, so that one test can run over every front.

A client gives exchanges, an exchange is one request under way::

    with front.client() as client:
        exchange = client.open("POST", "/echo", body=UPLOAD, length=10)
        exchange.send(b"01234")
        exchange.head().status              # as soon as it is there
        exchange.piece()                    # the next bytes of the body as they arrive; b"" is the end; Incomplete when it broke off
        exchange.abandon()                  # RST_STREAM in HTTP/2, a reset of the connection elsewhere

Nothing here blocks the other direction: bytes are sent while bytes are received. Every wait ends after PATIENCE seconds with a TimeoutError.
"""

import json
import select
import socket
import ssl
import struct
import time
import urllib.parse

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from serving import PATIENCE, abort

#: As ``body``: the body is given later, by Exchange.send() and finish().
UPLOAD = object()

#: The Host of every request that names no other.
HOST = "site.example"


class Incomplete(Exception):
    """The response ended before it was complete."""


class Reply:
    """A response: ``status`` (0: not even a head came), ``reason``, ``headers`` (list of (name in lower case, value)), ``body``, ``complete``, ``interim`` (statuses that came before)."""

    def __init__(self, status=0, reason="", headers=(), interim=()):
        self.status, self.reason, self.headers, self.interim = status, reason, list(headers), list(interim)
        self.body, self.complete = b"", False

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def __getitem__(self, name):
        """The value of a header, or None; fails when the header is repeated."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is repeated: {values}"
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        assert self.status == 200 and self.complete, self
        return json.loads(self.body)

    def __repr__(self):
        return f"<Reply {self.status} {self.reason} {self.headers} {self.body[:300]!r} complete={self.complete}>"


class Link:
    """A connected socket that sends while it receives, so that neither side can wait for the other for ever."""

    def __init__(self, sock):
        sock.setblocking(False)
        self.socket, self.outgoing, self.incoming = sock, bytearray(), bytearray()
        #: None while it is open; then "closed", or "reset" when the end was not orderly.
        self.ended = None
        self._poll = select.poll()

    def turn(self):
        """Wait until something was sent, received (into ``incoming``) or the connection has ended."""
        end = time.monotonic() + PATIENCE
        while self.ended is None and not (self._send() | self._receive()):
            self._poll.register(self.socket, select.POLLIN | (select.POLLOUT if self.outgoing else 0))
            left = end - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError(f"nothing came and nothing could be sent for {PATIENCE} s")

    def start(self):
        """Send what can be sent without waiting."""
        while self._send():
            pass

    def flush(self):
        while self.outgoing and self.ended is None:
            self.turn()

    def _send(self):
        if not self.outgoing:
            return False
        try:
            sent = self.socket.send(self.outgoing[:65536])
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            # What the server said before it stopped reading is still to be read; the other direction tells how it ended.
            sent = len(self.outgoing)
        del self.outgoing[:sent]
        return True

    def _receive(self):
        try:
            data = self.socket.recv(262144)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except (ConnectionResetError, ssl.SSLEOFError):
            self.ended = "reset"
            return True
        self.incoming += data
        if not data:
            self.ended = "closed"
        return True

    def close(self):
        self.socket.close()

    def abort(self):
        if self.socket.family == socket.AF_UNIX:
            self.socket.close()     # knows no reset
        else:
            abort(self.socket)


class Exchange:
    """One request under way; see the module."""

    #: Set by head().
    answer = None

    def reply(self):
        """The whole response. ``complete`` is False when it broke off; then ``body`` is what had come."""
        answer = Reply()
        pieces = []
        try:
            answer = self.head()
            pieces.extend(iter(self.piece, b""))
            answer.complete = True
        except Incomplete:
            pass
        answer.body = b"".join(pieces)
        return answer

    def read(self, n):
        """Exactly n bytes of the body, or Incomplete. What a piece holds beyond them is an AssertionError: it came too early."""
        data = b""
        while len(data) < n:
            piece = self.piece()
            assert piece, f"the response ended after {data!r}"
            data += piece
        assert len(data) == n, f"more than {n} bytes: {data!r}"
        return data


class Client:
    """Connections to one front. ``connections`` counts those that were made."""

    def __init__(self, front, receive_buffer=None):
        self.front, self.connections = front, 0
        self._receive_buffer, self._links = receive_buffer, []

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for link in self._links:
            link.close()

    def connect(self):
        link = Link(self.front.connect(self._receive_buffer))
        self.connections += 1
        self._links.append(link)
        return link

    def request(self, method, target, headers=(), body=None):
        return self.open(method, target, headers, body).reply()

    def get(self, target, headers=()):
        return self.request("GET", target, headers)

    def post(self, target, body, headers=()):
        return self.request("POST", target, headers, body)

    def replies(self, exchanges):
        """The whole responses of exchanges that are under way side by side."""
        return [exchange.reply() for exchange in exchanges]

    def abort(self):
        """Break all connections, as a client that crashed."""
        for link in self._links:
            link.abort()


# :: HTTP/1.1


class Http1Client(Client):
    """One request after the other on a connection; a second one at the same time takes another connection."""

    _last = None

    def open(self, method, target, headers=(), body=None, length=None):
        last = self._last
        link = last.link if last is not None and last.is_reusable else self.connect()
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in with_host(headers))]
        if body is not None and body is not UPLOAD:
            length = len(body)
        if length is not None:
            lines.append(f"Content-Length: {length}")
        elif body is UPLOAD:
            lines.append("Transfer-Encoding: chunked")
        link.outgoing += "\r\n".join([*lines, "", ""]).encode("latin-1")
        self._last = exchange = Http1Exchange(link, method, chunked=body is UPLOAD and length is None)
        link.outgoing += b"" if body in (None, UPLOAD) else body
        link.start()
        exchange.is_sent = body is not UPLOAD
        return exchange


class Http1Exchange(Exchange):
    def __init__(self, link, method, chunked=False):
        self.link, self.method, self.is_chunked_upload = link, method, chunked
        self.is_sent = False
        # How the body ends: number of bytes left, "chunked" (then _chunk has what is left of the chunk) or "close".
        self._left, self._chunk, self._ended = 0, 0, False

    @property
    def is_reusable(self):
        return self.is_sent and self._ended and self._left != "close" and self.answer["connection"] != "close" and self.link.ended is None

    def send(self, data):
        self.link.outgoing += b"%x\r\n%s\r\n" % (len(data), data) if self.is_chunked_upload else data
        self.link.flush()

    def finish(self):
        if self.is_chunked_upload:
            self.link.outgoing += b"0\r\n\r\n"
            self.link.flush()
        self.is_sent = True

    def abandon(self):
        self.link.abort()

    def head(self):
        if self.answer is None:
            interim = []
            answer = self._read_head()
            while 100 <= answer.status < 200:
                interim.append(answer.status)
                answer = self._read_head()
            answer.interim = interim
            if self.method == "HEAD" or answer.status in (204, 304):
                self._ended = True
            elif answer["transfer-encoding"] is not None:
                assert answer["transfer-encoding"] == "chunked" and answer["content-length"] is None, answer
                self._left = "chunked"
            elif answer["content-length"] is not None:
                self._left = int(answer["content-length"])
            else:
                self._left = "close"
            self.answer = answer
        return self.answer

    def wait_interim(self):
        """Wait for an interim response and take it; its status."""
        return self._read_head().status

    def piece(self):
        self.head()
        if self._ended or self._left == 0:
            self._ended = True
            return b""
        if self._left == "chunked":
            return self._chunk_piece()
        data = self._some(65536 if self._left == "close" else self._left)
        if self._left == "close":
            self._ended = not data
        else:
            if not data:
                raise Incomplete(f"the connection ended with {self._left} bytes missing")
            self._left -= len(data)
            self._ended = self._left == 0
        return data

    def _chunk_piece(self):
        if self._chunk == 0:
            self._chunk = int(self._line(), 16)
            if self._chunk == 0:
                while self._line():
                    pass
                self._ended = True
                return b""
        data = self._some(self._chunk)
        if not data:
            raise Incomplete("the connection ended in a chunk")
        self._chunk -= len(data)
        if self._chunk == 0 and self._line():
            raise AssertionError("a chunk is longer than it says")
        return data

    def _read_head(self):
        lines = list(iter(self._line, ""))
        protocol, status, reason = (lines[0] + " ").split(" ", 2)
        assert protocol.startswith("HTTP/1."), lines
        fields = (line.split(":", 1) for line in lines[1:])
        return Reply(int(status), reason.rstrip(" "), [(name.lower(), value.strip(" ")) for name, value in fields])

    def _line(self):
        incoming = self.link.incoming
        while (end := incoming.find(b"\r\n")) < 0:
            if self.link.ended:
                raise Incomplete(f"the connection ended where a line should be: {bytes(incoming)!r}")
            self.link.turn()
        line = incoming[:end].decode("latin-1")
        del incoming[:end + 2]
        return line

    def _some(self, most):
        """Some bytes, or none at the orderly end of the connection."""
        incoming = self.link.incoming
        while not incoming and not self.link.ended:
            self.link.turn()
        if not incoming and self.link.ended == "reset":
            raise Incomplete("the connection was reset")
        data = bytes(incoming[:most])
        del incoming[:most]
        return data


# :: HTTP/2


class Http2Client(Client):
    """Everything on one connection. For one thread."""

    #: What the server may send on a stream before the test takes a piece.
    WINDOW = 128 * 1024

    def __init__(self, front, receive_buffer=None):
        super().__init__(front, receive_buffer)
        self._streams = {}
        self.link = self.connect()
        # The library checks what comes; what goes out may be wrong on purpose.
        configuration = h2.config.H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False)
        self.state = h2.connection.H2Connection(configuration)
        self.state.local_settings = h2.settings.Settings(client=True, initial_values={
            h2.settings.SettingCodes.ENABLE_PUSH: 0, h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: self.WINDOW, h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: 1 << 20,
        })
        self.state.initiate_connection()
        # One stream that nobody reads must not stop the others.
        self.state.increment_flow_control_window(64 << 20)

    def open(self, method, target, headers=(), body=None, length=None):
        fields = [(name.lower(), value) for name, value in with_host(headers)]
        authority = [value for name, value in fields if name == "host"]
        if body is not None and body is not UPLOAD:
            length = len(body)
        if length is not None:
            fields.append(("content-length", str(length)))
        lines = [(":method", method), (":scheme", self.front.scheme), (":authority", authority[0]), (":path", target), *(f for f in fields if f[0] != "host")]
        stream = self.state.get_next_available_stream_id()
        self.state.send_headers(stream, [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines], end_stream=body is None)
        exchange = self._streams[stream] = Http2Exchange(self, stream)
        exchange.is_finished = body is not UPLOAD
        exchange.is_sent = body is None
        if body is not None and body is not UPLOAD:
            exchange.outgoing += body
        self.push()
        self.link.start()
        return exchange

    def replies(self, exchanges):
        # The uploads share a window as well: a stream whose response nobody takes can fill it with what its application does not read.
        for exchange in exchanges:
            exchange.is_greedy = True
        return super().replies(exchanges)

    def turn(self):
        """Send, receive and hand what came to the streams."""
        self.push()
        self.link.turn()
        data = bytes(self.link.incoming)
        self.link.incoming.clear()
        if data:
            for event in self.state.receive_data(data):
                self._on(event)
        self.push()
        if self.link.ended:
            for exchange in self._streams.values():
                exchange.break_off("the connection ended")

    def push(self):
        """Give the link what the windows allow."""
        for exchange in self._streams.values():
            exchange.push()
        self.link.outgoing += self.state.data_to_send()

    def _on(self, event):
        if isinstance(event, h2.events.ConnectionTerminated):
            for exchange in self._streams.values():
                if exchange.stream > (event.last_stream_id or 0) or event.error_code != h2.errors.ErrorCodes.NO_ERROR:
                    exchange.break_off(f"GOAWAY {event.error_code}")
            return
        exchange = self._streams.get(getattr(event, "stream_id", None))
        if exchange is not None:
            exchange.on(event)


class Http2Exchange(Exchange):
    def __init__(self, client, stream):
        self.client, self.stream = client, stream
        self.outgoing = bytearray()
        self.is_finished = self.is_sent = False
        #: Take what comes at once, not only when the test asks for it.
        self.is_greedy = False
        #: The error code of the server's RST_STREAM.
        self.reset = None
        self._answer, self._interim, self._received, self._ended, self._broken = None, [], [], False, None

    def send(self, data):
        self.outgoing += data
        self._flush()

    def finish(self):
        self.is_finished = True
        self._flush()

    def _flush(self):
        self.client.push()
        while (self.outgoing or self.client.link.outgoing) and not self._broken and not self.client.link.ended:
            self.client.turn()

    def abandon(self):
        if not self._ended and not self._broken:
            self.client.state.reset_stream(self.stream, h2.errors.ErrorCodes.CANCEL)
            self.break_off("abandoned")
            self.client.push()
            self.client.link.flush()

    def head(self):
        while self._answer is None:
            self._go_on()
        self.answer = self._answer
        return self.answer

    def wait_interim(self):
        while not self._interim:
            self._go_on()
        return self._interim[-1]

    def piece(self):
        while not self._received:
            if self._ended:
                return b""
            self._go_on()
        data, size = self._received.pop(0)
        # Only now: what nobody takes must hold the server back.
        if size and not self._broken:
            self.client.state.acknowledge_received_data(size, self.stream)
            self.client.push()
        return data

    def _go_on(self):
        if self._broken:
            raise Incomplete(self._broken)
        self.client.turn()

    def on(self, event):
        if isinstance(event, (h2.events.ResponseReceived, h2.events.InformationalResponseReceived)):
            fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
            answer = Reply(int(dict(fields)[":status"]), "", [f for f in fields if not f[0].startswith(":")], self._interim)
            if isinstance(event, h2.events.ResponseReceived):
                self._answer = answer
            else:
                self._interim.append(answer.status)
        elif isinstance(event, h2.events.DataReceived):
            size = event.flow_controlled_length
            if size and (self.is_greedy or not event.data):
                self.client.state.acknowledge_received_data(size, self.stream)
                size = 0
            if event.data:
                self._received.append((event.data, size))
        elif isinstance(event, h2.events.StreamEnded):
            self._ended = True
        elif isinstance(event, h2.events.StreamReset):
            self.reset = event.error_code
            self.break_off(f"RST_STREAM {event.error_code}")

    def break_off(self, why):
        """Nothing more comes or goes. After the end of the response that is no loss: the server may refuse the rest of an upload."""
        self.outgoing.clear()
        self.is_sent = True
        if not self._ended:
            self._broken = why

    def push(self):
        state = self.client.state
        while self.outgoing and not self.is_sent and (window := state.local_flow_control_window(self.stream)) > 0:
            size = min(window, state.max_outbound_frame_size, len(self.outgoing))
            state.send_data(self.stream, bytes(self.outgoing[:size]))
            del self.outgoing[:size]
        if self.is_finished and not self.outgoing and not self.is_sent:
            state.end_stream(self.stream)
            self.is_sent = True


# :: The uwsgi protocol


class UwsgiClient(Client):
    """What nginx's uwsgi_pass does: one packet of CGI variables and the body; the answer is HTTP/1.x text until the connection ends."""

    def open(self, method, target, headers=(), body=None, length=None):
        if body is UPLOAD and length is None:
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        if body is not None and body is not UPLOAD:
            length = len(body)
        link = self.connect()
        link.outgoing += uwsgi_packet(cgi_variables(method, target, with_host(headers), length, self.front.scheme))
        exchange = UwsgiExchange(link, method)
        link.outgoing += b"" if body in (None, UPLOAD) else body
        link.start()
        exchange.is_sent = body is not UPLOAD
        return exchange


class UwsgiExchange(Http1Exchange):
    @property
    def is_reusable(self):
        return False

    def piece(self):
        assert self.head()["transfer-encoding"] is None, "the uwsgi protocol has no chunks"
        return super().piece()


#: What the front web server says of itself and of its client.
WEB_SERVER = {"SERVER_NAME": HOST, "SERVER_PORT": "80", "REMOTE_ADDR": "192.0.2.7", "REMOTE_PORT": "50123", "DOCUMENT_ROOT": "/usr/share/nginx/html", "SERVER_PROTOCOL": "HTTP/1.1"}


def cgi_variables(method, target, headers, length, scheme):
    """As nginx's uwsgi_params and its passing on of headers make them: an empty CONTENT_TYPE and CONTENT_LENGTH where there is none, repeated headers as one (nginx since 1.23)."""
    path, _, query = target.partition("?")
    joined = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = (joined[key] + ("; " if key == "cookie" else ", ") + value) if key in joined else value
    content_type = joined.pop("content-type", "")
    variables = {
        "QUERY_STRING": query, "REQUEST_METHOD": method, "CONTENT_TYPE": content_type, "CONTENT_LENGTH": "" if length is None else str(length), "REQUEST_URI": target,
        "PATH_INFO": urllib.parse.unquote_to_bytes(path).decode("latin-1"), "REQUEST_SCHEME": scheme, **WEB_SERVER,
    }
    return {**variables, **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in joined.items()}}


def uwsgi_packet(variables):
    """modifier1 0, the size of the block, modifier2 0; then for each name and each value its length and its bytes, all numbers of 16 bits with the low byte first."""
    block = b"".join(struct.pack("<H", len(text)) + text for pair in variables.items() for text in (part.encode("latin-1") for part in pair))
    return struct.pack("<BHB", 0, len(block), 0) + block


def with_host(headers):
    return list(headers) if any(name.lower() == "host" for name, _ in headers) else [("Host", HOST), *headers]
