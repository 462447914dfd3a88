"""``--py-autoreload``: files of the application that change have all workers replaced."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from typing import Dict, Iterable, List, Optional, Set, Tuple

import _ugreen

#: What a file is known by: it is another when one of these differs. None: it is not there.
_Stamp = Optional[Tuple[int, int, int]]

# Files of a load that failed: of its tracebacks, also where no module came of them.
_failed: Set[str] = set()


def note_failure(error: BaseException) -> None:
    """Remember the files that a failed import was in."""
    link: Optional[BaseException] = error
    while link is not None:
        _failed.update(frame.filename for frame in traceback.extract_tb(link.__traceback__))
        if isinstance(link, SyntaxError) and link.filename:
            _failed.add(link.filename)
        link = link.__cause__ or link.__context__


def files() -> List[str]:
    """The source files of all modules that are loaded, and of those that could not be; Python's own and the server's are left out."""
    found = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _ugreen.autoreload_ignore or name in _ugreen.autoreload_ignore:
            continue
        path = getattr(module, "__file__", None)
        if isinstance(path, str):
            found.add(path)
    own = (os.path.dirname(os.__file__) + os.sep, _ugreen.shim_path + os.sep)
    # What is installed below Python's own folder (site-packages) does change while one develops.
    return sorted(path for path in map(_source, found | _failed) if os.path.isabs(path) and (not path.startswith(own) or "-packages" in path))


def start() -> None:
    """Begin to watch, in a daemon thread; nothing without the option."""
    if _ugreen.autoreload > 0:
        threading.Thread(target=_watch, name="ugreen autoreload", args=(_ugreen.autoreload,), daemon=True).start()


def _watch(seconds: float) -> None:
    seen = _stamps(files())
    while True:
        # An OS thread of its own: no request waits for it.
        time.sleep(seconds)
        # Modules come later, too; a file that is seen for the first time has not changed.
        now = _stamps(files() + list(seen))
        changed = _changed(seen, now)
        seen = now
        if changed is not None:
            _ugreen.source_changed(changed)


def _changed(before: Dict[str, _Stamp], now: Dict[str, _Stamp]) -> Optional[str]:
    for path, stamp in now.items():
        # A file that is away may be on its way: editors write a new one and rename it.
        if path in before and stamp is not None and stamp != before[path]:
            return path
    return None


def _stamps(paths: Iterable[str]) -> Dict[str, _Stamp]:
    found: Dict[str, _Stamp] = {}
    for path in paths:
        try:
            stat = os.stat(path)
        except OSError:
            found[path] = None
        else:
            found[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found


def _source(path: str) -> str:
    return path[:-1] if path.endswith(".pyc") else path


__all__ = ["files", "note_failure", "start"]
