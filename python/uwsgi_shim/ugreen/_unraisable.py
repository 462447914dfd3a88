"""An exception that ends a green thread, raised while a finalizer ran in it, is not lost with the finalizer.

Python prints what a finalizer or a callback of a weak reference raises ("Exception ignored in") and goes on. Where that is a ``Harakiri`` or a ``GreenExit``,
which were meant for the code around it, going on would be for ever: nobody raises them twice.
"""

import sys
from typing import TYPE_CHECKING, Any

import _ugreen
from ugreen._green import GreenExit
from ugreen._harakiri import Harakiri

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_shows: Any = None


def install() -> None:
    """Have ``sys.unraisablehook`` bring back what must not be lost. An application's own hook takes its place, and may call it."""
    global _shows
    _shows = sys.unraisablehook
    sys.unraisablehook = _bring_back


def _bring_back(unraisable: "UnraisableHookArgs", /) -> None:
    """Raise an end of this green thread once more, outside the finalizer; show anything else."""
    error = unraisable.exc_value
    if not isinstance(error, (Harakiri, GreenExit)) or not _ugreen.interrupt(_ugreen.green_id(), error, True):
        _shows(unraisable)


__all__ = ["install"]
