"""Whether the application is being loaded, and what waits for the end of that."""

import sys
from _thread import get_ident
from typing import Callable, List, Optional

from ugreen import _fork
from ugreen._report import report

_thread: Optional[int] = None
_over = False
_hooks: List[Callable[[], object]] = []


def under_way() -> bool:
    """Whether the application is being loaded."""
    return not _over


def in_this_thread() -> bool:
    """Whether the caller is what loads it: then no green thread runs."""
    return not _over and _thread == get_ident()


def begin() -> None:
    """The loading begins, in this thread."""
    global _thread
    _thread = get_ident()


def end(call_hooks: bool) -> None:
    """The loading is over. Calls the functions that ``when_loaded`` was given, and ``uwsgi.post_fork_hook``; what one raises goes to the log."""
    global _over
    if call_hooks:
        while _hooks:
            _call(_hooks.pop(0))
        hook = getattr(sys.modules.get("uwsgi"), "post_fork_hook", None)
        if hook is not None:
            _call(hook)
    _over = True


def when_loaded(hook: Callable[[], object]) -> None:
    """Call a function when the application has been loaded, before the first request; at once when it has been."""
    if _over:
        _call(hook)
    else:
        _hooks.append(hook)


def _call(hook: Callable[[], object]) -> None:
    try:
        _fork.guard(hook)
    except BaseException as error:
        # SystemExit too, as everywhere in a worker.
        report(f"the post-fork function {getattr(hook, '__qualname__', hook)} failed", error)
