"""Reading arguments of functions that are written in Python, as the hub calls read theirs: an error names the function and the argument."""

import errno
from typing import Any


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
