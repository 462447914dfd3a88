"""``uwsgi.listen_queue()``: how many connections wait to be accepted, as the kernel knows it."""

import os
import socket
import struct

from _ugreen import sockets

# struct tcp_info of Linux: eight bytes, then numbers of 32 bits. Of a listening socket tcpi_unacked is the length of its queue.
_TCP_INFO_BYTES = 32
_UNACKED = struct.Struct("=24xI")

# struct nlmsghdr; struct unix_diag_req; struct unix_diag_msg; struct rtattr; struct unix_diag_rqlen. See sock_diag(7).
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_UDIAG_SHOW_RQLEN = 0x10
_UNIX_DIAG_RQLEN = 4
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBHIIIII")
_MESSAGE_BYTES = 16
_ATTRIBUTE = struct.Struct("=HH")
_QUEUES = struct.Struct("=II")


def listen_queue(sock: int = 0, /) -> int:
    """Number of connections that wait to be accepted on listening socket ``sock``, counted from 0 in the order of the addresses.

    Raises ValueError when there is no such socket, TypeError for what is no int.
    """
    if not isinstance(sock, int):
        raise TypeError(f"listen_queue(): the number of a socket must be an int, it is a {type(sock).__name__}")
    descriptors = sockets()
    if not 0 <= sock < len(descriptors):
        raise ValueError(f"unable to find socket {sock}")
    # A descriptor of its own: closing this one must not close the server's.
    with socket.socket(fileno=os.dup(descriptors[sock])) as listener:
        if listener.family == socket.AF_UNIX:
            return _unix_queue(os.fstat(listener.fileno()).st_ino)
        return int(_UNACKED.unpack_from(listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES))[0])


def _unix_queue(inode: int) -> int:
    """Of a unix socket; 0 where the kernel does not tell (it has no unix_diag, or a container forbids to ask)."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as kernel:
            # The kernel answers before send() returns; the limit is for one that does not.
            kernel.settimeout(1)
            request = _REQUEST.pack(socket.AF_UNIX, 0, 0, 0xFFFFFFFF, inode, _UDIAG_SHOW_RQLEN, 0xFFFFFFFF, 0xFFFFFFFF)
            kernel.send(_HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + request)
            answer = kernel.recv(4096)
    except OSError:
        return 0
    if _HEADER.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        return 0
    at = _HEADER.size + _MESSAGE_BYTES
    while at + _ATTRIBUTE.size <= len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, at)
        if kind == _UNIX_DIAG_RQLEN:
            return int(_QUEUES.unpack_from(answer, at + _ATTRIBUTE.size)[0])
        at += max(length + 3 & ~3, _ATTRIBUTE.size)
    return 0


__all__ = ["listen_queue"]
