"""What a child of a fork is: an ordinary process of Python's, without a server (docs/adr/0037).

Before anything here runs, machine code of the server's has given back its signals, closed its descriptors and made every hub call a RuntimeError, in the child of every fork. This is
what Python has to do with it.
"""

import os
import socket
import stat
import sys
import threading
import traceback
from typing import Any, Callable, Dict, List, NoReturn, Optional, Set, Tuple, TypeVar

import _ugreen
from ugreen import _identity, _posix

T = TypeVar("T")

#: True in a child. What the server calls in Python must then not come back to it; see ``end``.
forked = False

_Address = Tuple[str, int]

# Descriptors that .NET had opened by the time that Python began, with what tells the open file from a later one of the same number.
_files: List[Tuple[int, int, int]] = []
_folders: Tuple[str, ...] = ()
_listening: Set[Any] = set()


def install() -> None:
    """Begin to watch for forks; before the application is loaded, in the thread that loads it."""
    global _folders
    _files.extend(_own_files())
    _folders = tuple({os.path.dirname(link) + "/" for fd, _, _ in _files if (link := _link(fd)).endswith((".dll", ".so"))})
    os.register_at_fork(before=_before, after_in_child=_in_child)


def end(error: Optional[BaseException], returned: bool = False) -> NoReturn:
    """End this child, as Python ends a process: the function that it ran raised ``error``, or returned although there is nothing to return to."""
    code: Any = 1
    if returned:
        _say("a forked child returned to the server, which is not in it; it ends with exit code 1 (a child leaves by os._exit() or sys.exit())")
    elif isinstance(error, SystemExit):
        code = error.code
        if code is None:
            code = 0
        elif not isinstance(code, int):
            _say(str(code), prefix="")
            code = 1
    elif error is not None:
        _say("".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip("\n"), prefix="")
    if returned:
        os._exit(1)
    _leave(code & 0xFF)


def guard(function: Callable[..., T], /, *arguments: Any) -> T:
    """Call a function of the application; a child that it makes ends when it returns."""
    try:
        result = function(*arguments)
    except BaseException as error:
        if forked:
            end(error)
        raise
    if forked:
        end(None, returned=True)
    return result


def _leave(code: int) -> NoReturn:
    import atexit

    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)


def _say(text: str, prefix: str = "ugreen-py: ") -> None:
    try:
        sys.stderr.write(f"{prefix}{text}\n")
        sys.stderr.flush()
    except Exception:  # nobody is there to be told
        pass


def _before() -> None:
    if forked:
        # A child forks: there is no server any more, and nothing of it to be closed.
        return
    # Connections with TLS are .NET's, and are known by the address on this side: that of a listening socket.
    for fd in _ugreen.listening():
        try:
            with socket.socket(fileno=os.dup(fd)) as one:
                _listening.add(_address(one))
        except OSError:
            pass


def _in_child() -> None:
    global forked
    if forked:
        return
    forked = True
    _identity.forked()
    # A socket object that is made of a descriptor makes it non-blocking when there is a default time-out, for the process that shares it, too.
    seconds = socket.getdefaulttimeout()
    socket.setdefaulttimeout(None)
    _close_descriptors()
    socket.setdefaulttimeout(seconds)
    _posix.forked()
    _release_modules()


def _release_modules() -> None:
    """What the server's own modules have from it must not be asked again."""
    for name, module in list(sys.modules.items()):
        if not name.startswith("ugreen.") or module is None:
            continue
        for known in ("green_id", "async_id"):
            if known in vars(module):
                # "Not on a green thread": locks and events are then those of OS threads.
                setattr(module, known, _no_core)
    driver = sys.modules.get("ugreen._driver")
    if driver is not None:
        # The driver's steps after the application has returned or raised.
        vars(driver).update(send=_came_back, respond=_came_back, end=_came_back, raise_told=_nothing, fail=_failed)
    threads = sys.modules.get("ugreen._threads")
    if threads is not None:
        threads._executor = None  # type: ignore[attr-defined]
    extensions: Any = sys.modules.get("psycopg2.extensions")
    if "ugreen.psycopg2" in sys.modules and extensions is not None:
        extensions.set_wait_callback(None)


def _no_core() -> int:
    return -1


def _came_back(*_: Any) -> NoReturn:
    end(None, returned=True)


def _nothing() -> None:
    """Nobody ends a wait for an exception of the server's here."""


def _failed(*_: Any) -> NoReturn:
    end(sys.exc_info()[1])


def _own_files() -> List[Tuple[int, int, int]]:
    found = []
    for fd in _open_descriptors():
        try:
            # What was handed to this process stays; .NET makes its own so that programs do not get them.
            if fd > 2 and not os.get_inheritable(fd):
                status = os.fstat(fd)
                found.append((fd, status.st_dev, status.st_ino))
        except OSError:
            pass
    return found


def _close_descriptors() -> None:
    known: Dict[int, Tuple[int, int]] = {fd: (device, inode) for fd, device, inode in _files}
    for fd in _open_descriptors():
        try:
            status = os.fstat(fd)
            if known.get(fd) == (status.st_dev, status.st_ino) or _is_code(fd, status.st_mode) or _is_connection(fd, status.st_mode):
                os.close(fd)
        except OSError:
            pass


def _open_descriptors() -> List[int]:
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return []


def _is_code(fd: int, mode: int) -> bool:
    """A file of .NET's or of the server's that holds code; they are opened when they are first needed."""
    return stat.S_ISREG(mode) and (link := _link(fd)).endswith((".dll", ".so")) and link.startswith(_folders)


def _is_connection(fd: int, mode: int) -> bool:
    if not stat.S_ISSOCK(mode) or not _listening:
        return False
    one = socket.socket(fileno=fd)
    try:
        return one.type == socket.SOCK_STREAM and _address(one) in _listening or (one.family != socket.AF_UNIX and _anywhere(one) in _listening)
    finally:
        one.detach()


def _address(one: socket.socket) -> Any:
    name = one.getsockname()
    return name[:2] if one.family in (socket.AF_INET, socket.AF_INET6) else name or None


def _anywhere(one: socket.socket) -> Any:
    """The address of a socket that listens on every address of the machine, and that this one may have been accepted from."""
    return ("0.0.0.0" if one.family == socket.AF_INET else "::", one.getsockname()[1])


def _link(fd: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""


__all__ = ["end", "forked", "guard", "install"]
