"""Greenlets in requests: each core is a thread to the library greenlet.

greenlet keeps a state for each OS thread: which greenlet runs, and the main greenlet, whose stack is the thread's own. All green threads are one OS thread, so they would share it: a request
that waits in a greenlet would leave the next one in the middle of that, on another stack, and ``greenlet.getcurrent()``, by which some libraries tell threads apart (SQLAlchemy's
``scoped_session``, older ones of Flask-SQLAlchemy and Werkzeug), would be the same for all.

The state hangs on one thread-local word of greenlet's C module. The switch between green threads exchanges it. Then a greenlet belongs to its core as otherwise to its thread, with
greenlet's own rules: switching to one of another core raises ``greenlet.error``, and what another core drops is thrown away on its own.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any, List, Optional, Sequence

import _ugreen
from ugreen._report import tell

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_NAME = "greenlet"

# What greenlet's word holds in a thread that has not used it: the state is made when it is first asked for.
_UNUSED = 1

# <elf.h>
_PT_TLS = 7

# The lowest address that a pointer may have; less is a flag or a small number.
_FIRST_ADDRESS = 0x10000


class _Finder:
    """Hears of the first import of greenlet."""

    def find_spec(self, name: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        if name != _NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            sys.meta_path.insert(0, self)
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _adopt(module)

        spec.loader.exec_module = exec_module   # type: ignore[assignment]
        return spec


def install() -> None:
    """Make greenlet know the cores, as soon as it is imported."""
    if _NAME in sys.modules:
        _adopt(sys.modules[_NAME])
    else:
        sys.meta_path.insert(0, _Finder())


def _adopt(greenlet: Any) -> None:
    try:
        main = greenlet.getcurrent()
        while main.parent is not None:
            main = main.parent
        found = _words(greenlet._greenlet.__file__, id(main))
        if len(found) == 1 and _ugreen.share_out(found[0], _UNUSED):
            return
        why = "it was first imported on an OS thread of the application's" if found else "its state of a thread was not found"
    except (AttributeError, ImportError, OSError) as error:
        why = f"{type(error).__name__}: {error}"
    tell(f"greenlet {getattr(greenlet, '__version__', '')}: {why}; all requests share its current greenlet: none may wait inside one (--import greenlet imports it at the start)")


def _words(library: str, main: int) -> List[int]:
    """Addresses of the thread-local words of a loaded library that point to a state of which the main greenlet is the first member."""
    import ctypes

    class Segment(ctypes.Structure):
        """Elf64_Phdr"""
        _fields_ = [("type", ctypes.c_uint32), ("flags", ctypes.c_uint32), *((name, ctypes.c_uint64) for name in ("offset", "vaddr", "paddr", "filesz", "memsz", "align"))]

    class Library(ctypes.Structure):
        """struct dl_phdr_info"""
        _fields_ = [
            ("base", ctypes.c_uint64), ("name", ctypes.c_char_p), ("segments", ctypes.POINTER(Segment)), ("count", ctypes.c_uint16),
            ("adds", ctypes.c_uint64), ("subs", ctypes.c_uint64), ("tls_number", ctypes.c_size_t), ("tls", ctypes.c_void_p)]

    found: List[int] = []

    def word(address: int) -> int:
        return ctypes.c_uint64.from_address(address).value

    def look(info: Any, size: int, data: Optional[int]) -> int:
        # .tls is where the calling thread has its variables.
        if info.contents.name != library.encode() or not info.contents.tls:
            return 0
        for i in range(info.contents.count):
            segment = info.contents.segments[i]
            if segment.type == _PT_TLS:
                for address in range(info.contents.tls, info.contents.tls + segment.memsz - 7, 8):
                    state = word(address)
                    if state >= _FIRST_ADDRESS and state % 8 == 0 and word(state) == main:
                        found.append(address)
        return 1

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Library), ctypes.c_size_t, ctypes.c_void_p)
    ctypes.CDLL(None).dl_iterate_phdr(callback(look), None)
    return found
