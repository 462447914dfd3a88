"""Telling when files change, by Linux's inotify. Python's library has no function for it, so libc is called.

A file is watched by itself and by its name in its folder: editors and deployment tools put a new file in the place of the old one, and the new one must be watched from then on.
"""

import ctypes
import errno
import os
import struct
from threading import RLock
from typing import Callable, Dict, List, Optional

from _ugreen import spawn_cores

from ugreen._green import SpawnLimit, prepare, start
from ugreen._io import wait_read
from ugreen._report import tell

# From <sys/inotify.h> (inotify(7)).
_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x2, 0x4, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
_OVERFLOW, _IGNORED, _MASK_ADD, _ONLYDIR = 0x4000, 0x8000, 0x20000000, 0x01000000

# What changes a file, or a folder's content; and what changes which file a name in a folder stands for.
_ITSELF = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_NAMES = _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE

_EVENT = struct.Struct("iIII")


class _Monitor:
    """One path."""

    def __init__(self, path: str, changed: Callable[[], None]) -> None:
        self.path = os.path.abspath(path)
        self.folder, self.name = os.path.split(os.fsencode(self.path))
        self.changed = changed
        #: Numbers of its watches; -1: none.
        self.itself = -1
        self.in_folder = -1

    def hears(self, watch: int, name: bytes) -> bool:
        """Whether an event is about it."""
        return watch == self.itself or (watch == self.in_folder and name == self.name)


class _Inotify:
    """The kernel's queue of events, and the green thread that reads it."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            self._fail("add_file_monitor(): inotify is not available")
        # By number of a watch. One file may be watched for several.
        self._monitors: Dict[int, List[_Monitor]] = {}
        # Never held during a wait of a green thread; libc is called without the GIL.
        self._lock = RLock()

    def add(self, monitor: _Monitor) -> None:
        """Watch a path. Raises OSError when its folder cannot be watched."""
        with self._lock:
            # What happened before is not its; the kernel keeps some 16,000 events, of which a read takes 240 at least.
            for _ in range(100):
                if not self._read():
                    break
            if monitor.name:
                monitor.in_folder = self._watch(monitor, monitor.folder, _NAMES | _ONLYDIR)
                if monitor.in_folder < 0:
                    self._fail(os.fsdecode(monitor.folder))
            self._renew(monitor)
            if monitor.itself < 0 and ctypes.get_errno() != errno.ENOENT:
                self._monitors[monitor.in_folder].remove(monitor)
                self._fail(monitor.path)

    def serve(self) -> None:
        """Tell monitors of changes, for ever."""
        while True:
            wait_read(self._fd)
            self._read()

    def _read(self) -> bool:
        """Tell monitors what there is; False when there is nothing."""
        with self._lock:
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                return False
            heard = self._heard(data)
        for monitor in heard:
            monitor.changed()
        return True

    def _heard(self, data: bytes) -> Dict[_Monitor, None]:
        # In the order of the events.
        heard: Dict[_Monitor, None] = {}
        at = 0
        while at < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, at)
            name = data[at + _EVENT.size:at + _EVENT.size + length].rstrip(b"\0")
            at += _EVENT.size + length
            if mask & _OVERFLOW:
                # Events were lost, nobody knows whose.
                heard.update((monitor, None) for monitors in self._monitors.values() for monitor in monitors)
                continue
            for monitor in self._monitors.get(watch, [])[:]:
                if monitor.hears(watch, name):
                    heard[monitor] = None
                if watch == monitor.in_folder and mask & (_CREATE | _MOVED_TO) and name == monitor.name:
                    self._renew(monitor)
            if mask & _IGNORED:
                self._gone(watch)
        return heard

    def _renew(self, monitor: _Monitor) -> None:
        """Watch the file that the path now stands for."""
        old, monitor.itself = monitor.itself, self._watch(monitor, os.fsencode(monitor.path), _ITSELF)
        if old not in (-1, monitor.itself):
            self._unwatch(monitor, old)

    def _watch(self, monitor: _Monitor, path: bytes, mask: int) -> int:
        # Added to the mask of another watch for the same file.
        watch: int = self._libc.inotify_add_watch(self._fd, path, mask | _MASK_ADD)
        if watch >= 0:
            monitors = self._monitors.setdefault(watch, [])
            if monitor not in monitors:
                monitors.append(monitor)
        return watch

    def _unwatch(self, monitor: _Monitor, watch: int) -> None:
        monitors = self._monitors.get(watch, [])
        if monitor in monitors and watch != monitor.in_folder:
            monitors.remove(monitor)
            if not monitors:
                del self._monitors[watch]
                # Fails when the kernel has dropped it already, which is what is wanted.
                self._libc.inotify_rm_watch(self._fd, watch)

    def _gone(self, watch: int) -> None:
        """The kernel has dropped a watch: what it was for is deleted, or unmounted."""
        for monitor in self._monitors.pop(watch, []):
            if watch == monitor.itself:
                monitor.itself = -1
                # The name may have a new file already.
                self._renew(monitor)
            if watch == monitor.in_folder:
                monitor.in_folder = self._watch(monitor, monitor.folder, _NAMES | _ONLYDIR)
                if monitor.in_folder < 0:
                    tell(f"the file monitor of {monitor.path} has ended: its folder is gone")

    def _fail(self, what: str) -> None:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


_inotify: Optional[_Inotify] = None


def monitor(path: str, changed: Callable[[], None]) -> None:
    """Have ``changed()`` called, on a green thread, when a path changes. Raises OSError when its folder cannot be watched, SpawnLimit when there is no core for that green thread."""
    global _inotify
    if _inotify is None:
        if spawn_cores < 3:
            raise SpawnLimit(f"add_file_monitor(): needs room for at least three spawned green threads, and there is room for {spawn_cores}; see --ugreen-spawn-max")
        inotify = _Inotify()
        thread = prepare(inotify.serve, (), {})
        thread.name = "ugreen file monitors"
        thread._daemon = True
        start(thread)
        _inotify = inotify
    _inotify.add(_Monitor(path, changed))
