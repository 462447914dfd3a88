"""SQLAlchemy's connection pools, for drivers whose waits are green.

A pool waits for a free connection in a condition of ``threading``, and the first connection of an engine is set up, with queries, under a lock of ``threading``. Where blocking calls do
not wait green (``--ugreen-blocking=false``) either would block the OS thread, and so the worker: for the time that the pool waits, or for good. The modules that make these locks get green ones instead.
"""

import importlib.machinery
import sys
import threading
from types import ModuleType
from typing import List, Any, Optional, Sequence

from ugreen._sync import BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore

#: Where locks are held, or waited for, while a connection is used. Each of them knows ``threading`` by this name, in SQLAlchemy 1.4 and 2.0.
MODULES = ("sqlalchemy.event.attr", "sqlalchemy.pool.impl", "sqlalchemy.util.queue")


class _Threading(ModuleType):
    """``threading`` with the locks of this package; also good on other OS threads."""

    BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore = BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)


_threading = _Threading("threading")


class _Finder:
    """Patches the modules when they are imported later."""

    @staticmethod
    def find_spec(name: str, path: Optional[Sequence[str]] = None, target: Any = None) -> Any:
        if name not in MODULES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _patch(module)

        spec.loader.exec_module = exec_module  # type: ignore[assignment]
        return spec


def _patch(module: Any) -> None:
    module.threading = _threading


def patch_sqlalchemy() -> None:
    """Give SQLAlchemy's pools locks of this package. Call it before an engine is created; ``patch_psycopg()`` and ``--psycopg2`` do it, too. SQLAlchemy need not be there."""
    for name in MODULES:
        if name in sys.modules:
            _patch(sys.modules[name])
    finders: List[Any] = sys.meta_path
    if _Finder not in finders:
        finders.insert(0, _Finder)


__all__ = ["MODULES", "patch_sqlalchemy"]
