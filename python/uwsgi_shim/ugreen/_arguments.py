"""Reading arguments of functions that are written in Python, as the hub calls read theirs: an error names the function and the argument."""

import _thread
import errno
from typing import Any, Optional


def descriptor(function: str, fd: Any) -> int:
    """The number of a file descriptor, given as an int or as an object with ``fileno()``."""
    number = fd
    if not isinstance(fd, int):
        try:
            number = fd.fileno()
        except (AttributeError, ValueError):
            number = None
    if not isinstance(number, int):
        raise TypeError(f"{function}(): fd must be an int or an object with fileno(), not {type(fd).__name__}")
    if not 0 <= number < 1 << 31:
        raise OSError(errno.EBADF, f"{function}(): fd {number} is not a file descriptor")
    return int(number)


def seconds(function: str, argument: str, value: Any) -> float:
    """A time in seconds as a float."""
    if isinstance(value, (str, bytes, bytearray)):
        # float() would read them.
        value = None
    try:
        number = float(value)
    except TypeError:
        raise TypeError(f"{function}(): {argument} must be an int or a float (seconds)") from None
    except OverflowError:
        # An int of hundreds of digits: for ever.
        number = float("inf") if value > 0 else 0.0
    if number != number:
        raise ValueError(f"{function}(): {argument} is not a number")
    return number


def lock_timeout(blocking: bool, timeout: Optional[float]) -> Optional[float]:
    """The arguments of a lock's ``acquire``, checked as ``threading`` checks them, whether it is free or not. None: no limit."""
    if timeout is None or timeout == -1:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        timeout = seconds("acquire", "timeout", timeout)
    if not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout != timeout:
        raise ValueError("timeout value is not a number")
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > _thread.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return timeout


def queue_timeout(block: bool, timeout: Optional[float]) -> Optional[float]:
    """The arguments of ``put`` and ``get``, as ``queue`` reads them: who does not wait may name any time."""
    if not block or timeout is None:
        return None
    if timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")
    return timeout
