"""Attributes that every green thread has for itself.

The values of a local lie in one dict per green thread, found by the number of the green thread, which is never used again. What takes them out at its end is an object that the
green thread keeps (``_ugreen.keep``) and whose finalizer runs when it has ended. Not a ContextVar: contexts are copied (by asyncio for every task, by ``run_in_thread`` for another thread),
and then one dict would have several owners.
"""

import threading
import weakref
from typing import Any, Dict, Tuple

from _ugreen import green_id, keep


class local:
    """Attributes that every green thread, hence every request, has for itself::

        here = ugreen.local()

        def application(environ, start_response):
            here.user = login(environ)          # nobody else sees it, and it is gone with the request

    It has the look of ``threading.local``: a subclass may have an ``__init__``, which is called in every green thread at its first use of an attribute, with the arguments
    that the object was made with; without one, arguments are a TypeError. ``threading.local`` itself belongs to the core here, so it stays from one request to the
    next: right for a connection that is used again, wrong for what belongs to the request.

    The values are released when the green thread ends, or when the local does. In other OS threads it is what ``threading.local`` is. It cannot be pickled or copied (TypeError).
    """

    __slots__ = ("_ugreen_store", "__weakref__")

    def __new__(cls, /, *args: Any, **kwargs: Any) -> "local":
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        store = _Store(args, kwargs, cls.__init__ is not object.__init__)
        # The green thread that makes it is initialised by the call of the class, as any object.
        store.add(green_id())
        _set_store(self, store)
        return self

    def __getattribute__(self, name: str) -> Any:
        values = _values(self)
        if name == "__dict__":
            return values
        try:
            return values[name]
        except KeyError:
            return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__dict__":
            raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
        if _is_data_descriptor(type(self), name):
            object.__setattr__(self, name, value)
        else:
            _values(self)[name] = value

    def __delattr__(self, name: str) -> None:
        if name == "__dict__":
            raise AttributeError(f"{type(self).__name__!r} object attribute '__dict__' is read-only")
        if _is_data_descriptor(type(self), name):
            object.__delattr__(self, name)
        elif _values(self).pop(name, _MISSING) is _MISSING:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")


_MISSING = object()
_get_store = local.__dict__["_ugreen_store"].__get__
_set_store = local.__dict__["_ugreen_store"].__set__


class _Store:
    """What a local holds: the values of all green threads, and those of each OS thread."""

    __slots__ = ("args", "kwargs", "initialises", "greens", "others", "__weakref__")

    def __init__(self, args: Tuple[Any, ...], kwargs: Dict[str, Any], initialises: bool) -> None:
        self.args, self.kwargs, self.initialises = args, kwargs, initialises
        #: Number of a green thread to its values.
        self.greens: Dict[int, Dict[str, Any]] = {}
        self.others = threading.local()

    def add(self, green: int) -> Dict[str, Any]:
        """The values of a thread that has none yet; ``green`` is negative for an OS thread."""
        values: Dict[str, Any] = {}
        if green < 0:
            self.others.values = values
        else:
            end = _ends.get(green)
            if end is None:
                end = _ends[green] = _End(green)
                keep(end)
            end.stores.add(self)
            self.greens[green] = values
        return values

    def remove(self, green: int) -> None:
        if green < 0:
            del self.others.values
        else:
            self.greens.pop(green, None)


class _End:
    """Is kept by a green thread, for its end. It holds neither locals nor values: both may go before."""

    __slots__ = ("_green", "stores", "__weakref__")

    def __init__(self, green: int) -> None:
        self._green = green
        self.stores: "weakref.WeakSet[_Store]" = weakref.WeakSet()

    def __del__(self) -> None:
        for store in self.stores:
            store.remove(self._green)


#: Of the green threads that run and use a local.
_ends: "weakref.WeakValueDictionary[int, _End]" = weakref.WeakValueDictionary()


def _values(self: local) -> Dict[str, Any]:
    """The values of the running thread."""
    store: _Store = _get_store(self)
    green = green_id()
    try:
        found: Dict[str, Any] = store.others.values if green < 0 else store.greens[green]
        return found
    except (AttributeError, KeyError):
        pass
    values = store.add(green)
    if store.initialises:
        try:
            type(self).__init__(self, *store.args, **store.kwargs)
        except BaseException:
            # The next use tries again.
            store.remove(green)
            raise
    return values


def _is_data_descriptor(kind: type, name: str) -> bool:
    """Whether the class decides what assigning to this attribute means: a property, a slot."""
    for base in kind.__mro__:
        if name in base.__dict__:
            kind_of_it = type(base.__dict__[name])
            return hasattr(kind_of_it, "__set__") or hasattr(kind_of_it, "__delete__")
    return False


__all__ = ["local"]
