"""The ``green_*`` functions of uWSGI 0.9.5 and 0.9.6, which wait by themselves. Its later releases have only ``green_schedule``."""

from typing import Callable, Union

from _ugreen import async_sleep, ready_fd, suspend, wait_fd_read, wait_fd_write
from ugreen._arguments import descriptor, seconds as _seconds
from ugreen._io import HasFileno


def green_sleep(seconds: float, /) -> bool:
    """Wait, and let the others run: ``async_sleep(seconds)`` and ``suspend()`` in one. Fractions count; with 0 or less the others run once. Returns True.

    The wait ends early when the client leaves, or with what was registered for the next ``suspend()`` before.
    """
    async_sleep(_seconds("green_sleep", "seconds", seconds))
    return suspend()


def green_wait_fdread(fd: Union[int, HasFileno], timeout: float = 0, /) -> bool:
    """Wait until fd can be read: ``wait_fd_read(fd, timeout)`` and ``suspend()`` in one.

    timeout is in seconds (fractions count); 0 or less means none. Returns True when fd is ready; False when the time was over, or something else ended the wait (the client
    left, or something registered before). Raises OSError when fd cannot be waited for. uWSGI returned True in all these cases, and did not keep the time.
    """
    return _wait("green_wait_fdread", wait_fd_read, fd, timeout)


def green_wait_fdwrite(fd: Union[int, HasFileno], timeout: float = 0, /) -> bool:
    """The same for writing, ``timeout`` in seconds."""
    return _wait("green_wait_fdwrite", wait_fd_write, fd, timeout)


def _wait(function: str, register: Callable[[int, float], bytes], fd: Union[int, HasFileno], timeout: float) -> bool:
    number = descriptor(function, fd)
    register(number, _seconds(function, "timeout", timeout))
    suspend()
    return ready_fd() == number
