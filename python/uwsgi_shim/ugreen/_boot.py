"""From a fresh interpreter to a loaded application: sys.path, standard streams, thread identity, import."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple, TypeVar

import _ugreen
from ugreen import _apps, _autoreload, _children, _driver, _fork, _greenlets, _identity, _load, _posix, _unraisable
from ugreen._report import report

if TYPE_CHECKING:
    from types import ModuleType
    from wsgiref.types import WSGIApplication

T = TypeVar("T")
# What could not be loaded: a message, and the text of a traceback where that helps.
Problem = Tuple[str, Optional[str]]
# An application: its mountpoint, the seconds that loading it took, and the address of its callable.
Loaded = Tuple[str, int, int]

_DEFAULT_CALLABLE = "application"

_PYTHONS_THRESHOLDS = gc.get_threshold()


def load() -> Tuple[List[Problem], List[Problem], List[Problem], List[Loaded]]:
    """Load the imports and the applications.

    Returns three lists of (message, traceback text or None): what could not be loaded of the applications, of the imports, of what must be there before them. And a list of the applications, in the order of
    their numbers.
    """
    _prepare()
    import_problems: List[Problem] = []
    problems: List[Problem] = []
    applications: Dict[str, WSGIApplication] = {}
    took: Dict[str, float] = {}
    if _ugreen.psycopg2:
        missing: List[Problem] = []
        _attempt(missing, "--psycopg2: psycopg2", _patch_psycopg2)
        if missing:
            return problems, import_problems, missing, []
    _load.begin()
    for name in _ugreen.imports:
        _attempt(import_problems, f"--import {name}", _import, name)
    for point, module, file, name in _ugreen.applications:
        began = time.monotonic()
        found = _attempt(problems, f"the application at {point}" if point else "the application", _find, point, module, file, name)
        if found is None:
            found = {"": _apps.unavailable}
        for key, application in found.items():
            key = _apps.mountpoint(point) + key
            if key in applications:
                problems.append((f"two applications at the mountpoint {key or '/'}: one is in a dict named applications", None))
            applications[key] = application
            took[key] = time.monotonic() - began
    _driver.application = _serve(applications)
    _load.end(call_hooks=not problems or any(application is not _apps.unavailable for application in applications.values()))
    _tune_collector()
    if not problems or not _ugreen.need_application:
        _autoreload.start()
    return problems, import_problems, [], [(key, round(took[key]), id(application)) for key, application in applications.items()]


def leave() -> None:
    """Run ``uwsgi.atexit`` and what Python runs at exit, without finalising the interpreter."""
    import atexit

    hook = getattr(sys.modules.get("uwsgi"), "atexit", None)
    try:
        if hook is not None:
            try:
                _fork.guard(hook)
            except BaseException as error:
                # SystemExit too: the others have their turn.
                report(f"the function uwsgi.atexit, {getattr(hook, '__qualname__', hook)}, failed", error)
        _children.end_soon()
        _fork.guard(_children.release_pools)
        _fork.guard(atexit._run_exitfuncs)
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):
                pass


class _LoadError(Exception):
    """Something that one line explains."""


def _prepare() -> None:
    sys.argv = ["uwsgi", *_ugreen.arguments]
    # The last --pythonpath comes first, and the current directory before them all, as with uWSGI.
    for path in _ugreen.python_paths:
        sys.path.insert(0, os.path.abspath(path))
    sys.path.insert(0, os.getcwd())
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    _identity.install()
    _greenlets.install()
    _posix.install()
    _fork.install()
    _unraisable.install()


def _tune_collector() -> None:
    """Spare the requests most of the looks for cycles: what was loaded stays, and 700 new objects are no reason to look.

    An application that has set its own thresholds, or has switched the collector off, knows better.
    """
    if _ugreen.gc_threshold == 0 or gc.get_threshold() != _PYTHONS_THRESHOLDS or not gc.isenabled():
        return
    # What importing left behind goes first: frozen objects are never looked at again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ugreen.gc_threshold, *_PYTHONS_THRESHOLDS[1:])


def _patch_psycopg2() -> None:
    try:
        from ugreen import psycopg2
    except ModuleNotFoundError as error:
        if error.name != "psycopg2":
            raise
        raise _LoadError("--psycopg2: there is no module 'psycopg2' on sys.path; install Debian's python3-psycopg2, or psycopg2 into the virtual environment") from None
    psycopg2.patch_psycopg()


def _serve(applications: Dict[str, WSGIApplication]) -> WSGIApplication:
    if set(applications) <= {""}:
        return applications.get("", _apps.not_found)
    return _apps.dispatcher(applications)


def _attempt(problems: List[Problem], what: str, function: Callable[..., T], *arguments: Any) -> Optional[T]:
    """What the function returns; None, and one problem more, when it raises."""
    try:
        return _fork.guard(function, *arguments)
    except _LoadError as error:
        problems.append((str(error), None))
    except SystemExit as error:
        _autoreload.note_failure(error)
        problems.append((f"{what} called sys.exit({error.code!r}) while it was imported", _relevant_traceback(error)))
    except BaseException as error:
        _autoreload.note_failure(error)
        # Our own frames and importlib's say nothing about the application's mistake.
        problems.append((f"{what} could not be imported: {_summary(error)}", _relevant_traceback(error)))
    return None


def _find(point: str, module_name: str, file: Optional[str], name: str) -> Dict[str, WSGIApplication]:
    """The applications of one option, by mountpoint below its own. A dict named ``applications`` makes several of a root application."""
    option = f"--mount {point}" if point else "--wsgi-file" if file else "-w"
    described = file or module_name
    module = _import_file(file, option) if file else _import_module(module_name, option)
    table = None if point or name != _DEFAULT_CALLABLE else _table(module)
    if table is not None:
        return table
    return {"": _callable(module, name, described)}


def _table(module: ModuleType) -> Optional[Dict[str, WSGIApplication]]:
    """The dict of a module that holds several applications; None: it does not say so."""
    uwsgi = sys.modules.get("uwsgi")
    table = getattr(uwsgi, "applications", None)
    described = "uwsgi.applications"
    if table is None:
        table = getattr(module, "applications", None)
        described = f"{module.__name__}.applications"
        # A variable of that name may be anything; only a dict whose keys are mountpoints is meant for us.
        if not isinstance(table, dict) or not all(isinstance(key, (str, bytes)) and key[:1] in ("", b"", "/", b"/") for key in table):
            return None
    if not isinstance(table, dict) or not table:
        raise _LoadError(f"{described} must be a dict of mountpoint to callable, with at least one")
    found = {}
    for key, application in table.items():
        try:
            point = _apps.mountpoint(key)
        except ValueError as error:
            raise _LoadError(f"{described}: {error}") from None
        if not callable(application):
            raise _LoadError(f"{described}: the application at {key!r} is not callable, it is a {type(application).__name__}")
        if point in found:
            raise _LoadError(f"{described}: {key!r} is there twice")
        found[point] = application
    return found


def _import(name: str) -> ModuleType:
    return _import_file(name, "--import") if "/" in name or name.endswith((".py", ".wsgi")) else _import_module(name, "--import")


def _import_module(name: str, option: str) -> ModuleType:
    if not name or any(not part.isidentifier() for part in name.split(".")):
        hint = "; for a file use --wsgi-file" if option == "-w" else ""
        raise _LoadError(f"{option} {name}: not the name of a module (write pkg.module or pkg.module:callable{hint})")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only when the module itself (or a package on its way) is missing; a missing import inside it is the application's.
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise _LoadError(f"{option} {name}: there is no module {error.name!r} in {os.getcwd()} or on sys.path (see --pythonpath, --chdir)") from None
        raise


def _import_file(path: str, option: str) -> ModuleType:
    """The module that a file makes; a file that is named twice is run once."""
    import importlib.util
    from importlib.machinery import SourceFileLoader

    if not os.path.isfile(path):
        raise _LoadError(f"{option} {path}: no such file (in {os.getcwd()})")
    name = "uwsgi_file_" + path.replace("/", "_").replace(".", "_")
    known = sys.modules.get(name)
    if known is not None and known.__spec__ is not None and known.__spec__.origin == os.path.abspath(path):
        return known
    # The loader is named, because the file need not end in .py (uWSGI users have .wsgi files).
    loader = SourceFileLoader(name, os.path.abspath(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None     # only for loaders that do not know whether they load a package
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        # As the import system does: half a module must not be found by the next who asks.
        del sys.modules[name]
        raise
    return module


def _callable(module: ModuleType, name: str, described: str) -> WSGIApplication:
    make = name.endswith("()")
    target: Any = module
    try:
        for part in name.removesuffix("()").split("."):
            target = getattr(target, part)
    except AttributeError:
        near = [n for n in ("application", "app", "wsgi") if callable(getattr(module, n, None))]
        hint = f"; it has {near[0]!r}: say {described}:{near[0]} or --callable {near[0]}" if near else ""
        raise _LoadError(f"{described} has no callable {name!r}{hint}") from None
    if make:
        target = target()
    if not callable(target):
        raise _LoadError(f"{name!r} in {described} is not callable, it is a {type(target).__name__}")
    application: WSGIApplication = target
    return application


def _summary(error: BaseException) -> str:
    return traceback.format_exception_only(type(error), error)[-1].strip()


def _relevant_traceback(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and (trace.tb_frame.f_code.co_filename in (__file__, _fork.__file__) or "importlib" in trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    # With nothing left it is a file that could not be compiled; a SyntaxError tells the place itself.
    return "".join(traceback.format_exception(type(error), error, trace))
