"""Waiting for file descriptors, whatever else the caller has registered."""

from typing import Optional, Protocol, Union

from _ugreen import wait_one


class HasFileno(Protocol):
    """A socket, a file, a connection of a database driver."""

    def fileno(self) -> int:
        """Its file descriptor."""
        ...


def wait_read(fd: Union[int, HasFileno], timeout: Optional[float] = None) -> bool:
    """Wait until ``fd`` (an int, or an object with ``fileno()``) can be read. Returns False when ``timeout`` (seconds) was over first.

    What was registered with ``uwsgi.wait_fd_read`` and the like is not touched, so a library may wait in the middle of whatever its caller does. Any number of green threads may
    wait for one descriptor. Regular files are always ready. Raises OSError when it cannot be waited for, TypeError when it is neither an int nor has a ``fileno()``. In another OS thread this is a plain ``poll``.
    """
    return wait_one(fd, False, timeout)


def wait_write(fd: Union[int, HasFileno], timeout: Optional[float] = None) -> bool:
    """Wait until ``fd`` can be written. Returns False when ``timeout`` (seconds) was over first. Otherwise as ``wait_read``, also in what it raises: OSError."""
    return wait_one(fd, True, timeout)


__all__ = ["wait_read", "wait_write"]
