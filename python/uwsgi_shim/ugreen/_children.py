"""Processes that the application has started by ``multiprocessing`` and ``concurrent.futures``: none outlives the worker."""

import sys
import threading
import time
from typing import Any

# A stop waits for the end of Python's part for two seconds at least; both fit into them.
_UNASKED = 0.7
_ASKED = 0.6


def release_pools() -> None:
    """Let the processes of all ``ProcessPoolExecutor``s end when they have done what they were given: Python does so when it is finalised, which does not happen here."""
    module: Any = sys.modules.get("concurrent.futures.process")
    if module is not None:
        module._python_exit()


def end_soon() -> None:
    """Have those that do not end by themselves, in a moment, ended by SIGTERM, and then by SIGKILL: what waits for them would wait longer than the server does."""
    if "multiprocessing.process" in sys.modules:
        threading.Thread(target=_end, name="ugreen children", daemon=True).start()


def _end() -> None:
    for pause, how in ((_UNASKED, "terminate"), (_ASKED, "kill")):
        # An OS thread of its own.
        time.sleep(pause)
        for process in list(sys.modules["multiprocessing.process"]._children):
            try:
                getattr(process._popen, how)()
            except (AttributeError, OSError):
                pass


__all__ = ["end_soon", "release_pools"]
