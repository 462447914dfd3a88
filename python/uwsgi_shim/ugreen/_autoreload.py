"""``--py-autoreload``: asking for a reload when a file of a loaded module has changed."""

import os
import sys
import threading
import time
from typing import Collection, Dict, Iterable, List, Optional, Tuple

import _ugreen

from ugreen._report import report

# Time of the last change and size: two versions that are written within one tick of the file system's clock mostly differ in size.
State = Optional[Tuple[int, int]]


def start() -> None:
    """Begin to look, if the server was told to. The application is loaded."""
    if _ugreen.autoreload:
        # An OS thread, so that a request that computes or blocks does not hold it up: that may be the mistake which the new version mends.
        threading.Thread(target=_serve, args=(_ugreen.autoreload, frozenset(_ugreen.autoreload_ignored)), name="ugreen autoreload", daemon=True).start()


def module_files(ignored: Collection[str] = ()) -> List[str]:
    """The files that the loaded modules were made from, sources where there are any."""
    files = []
    for name, module in list(sys.modules.items()):
        if any(name == one or name.startswith(one + ".") for one in ignored):
            continue
        path = getattr(module, "__file__", None)
        if isinstance(path, str):
            source = path[:-1] if path.endswith(".pyc") and os.path.exists(path[:-1]) else path
            files.append(os.path.abspath(source))
    return files


class Watch:
    """What the files looked like when each was seen first."""

    def __init__(self) -> None:
        self._seen: Dict[str, State] = {}

    def changed(self, files: Iterable[str]) -> Optional[str]:
        """The first file that is not as it was; those that are new are taken note of."""
        for path in files:
            state = _look(path)
            if self._seen.setdefault(path, state) != state:
                return path
        return None


def _look(path: str) -> State:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _serve(seconds: float, ignored: Collection[str]) -> None:
    try:
        watch = Watch()
        while (changed := watch.changed(module_files(ignored))) is None:
            time.sleep(seconds)
        _ugreen.reload(f"file changed: {changed}")
    except BaseException as error:
        report("--py-autoreload has ended", error)
