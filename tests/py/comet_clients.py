"""For tests: a thousand clients that listen, in one thread."""

import ctypes
import select
import socket
import struct
import time

from serving import PATIENCE, abort, get_bytes

# <asm-generic/socket.h> and <linux/filter.h>: a program of one instruction, "return 0", which keeps no byte of any packet.
_SO_ATTACH_FILTER = 26
_RETURN_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)


class Crowd:
    """Connections that have asked for ``path`` and got the first line. ``receive_buffer``: see Server.connect."""

    def __init__(self, server, count, path, receive_buffer=None):
        self._poll = select.epoll()
        #: File descriptor: (socket, what came and was not waited for yet).
        self._members = {}
        for _ in range(count):
            s = server.connect(receive_buffer=receive_buffer)
            s.sendall(get_bytes(path))
            s.setblocking(False)
            self._members[s.fileno()] = (s, bytearray())
            self._poll.register(s, select.EPOLLIN)
        self.wait_for(b"listening\n")

    def __len__(self):
        return len(self._members)

    @property
    def sockets(self):
        return [s for s, _ in self._members.values()]

    def wait_for(self, text):
        """Read until every member has got the text; what came before it is forgotten."""
        missing = set(self._members)
        for fd, (_, data) in self._members.items():
            if _took(data, text):
                missing.discard(fd)
        end = time.monotonic() + PATIENCE
        while missing:
            events = self._poll.poll(max(0, end - time.monotonic()), 256)
            assert events, f"{len(missing)} of {len(self)} clients did not get {text[:40]!r} within {PATIENCE} s"
            for fd, _ in events:
                s, data = self._members[fd]
                piece = s.recv(1 << 18)
                assert piece, f"the server closed a connection that waits for {text[:40]!r}"
                data += piece
                if fd in missing and _took(data, text):
                    missing.discard(fd)

    def split(self, count):
        """Take some members out, as a crowd of their own."""
        part = Crowd.__new__(Crowd)
        part._poll, part._members = select.epoll(), {}
        for fd in list(self._members)[:count]:
            part._members[fd] = self._members.pop(fd)
            self._poll.unregister(fd)
            part._poll.register(fd, select.EPOLLIN)
        return part

    def join(self, other):
        for fd, member in other._members.items():
            self._members[fd] = member
            self._poll.register(fd, select.EPOLLIN)
        other._members = {}

    def reset(self):
        """All go by a reset."""
        for s in self.sockets:
            abort(s)
        self._members.clear()

    def vanish(self):
        """From now on nothing reaches them and nothing comes from them, not even an acknowledgement: as if the cable were cut. Needs no rights."""
        for s in self.sockets:
            code = ctypes.create_string_buffer(_RETURN_NOTHING, len(_RETURN_NOTHING))
            s.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(code)))


def _took(data, text):
    end = data.find(text)
    if end < 0:
        return False
    del data[:end + len(text)]
    return True
