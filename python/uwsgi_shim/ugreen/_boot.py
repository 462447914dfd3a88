"""From a fresh interpreter to a loaded application: sys.path, standard streams, thread identity, import."""

import importlib
import os
import sys
import traceback

import _ugreen
from ugreen import _driver, _identity


def load():
    """Load the application. Returns None, or (message, traceback text or None) when that failed."""
    _prepare()
    try:
        application = _find()
    except _LoadError as error:
        return str(error), None
    except SystemExit as error:
        return f"the application called sys.exit({error.code!r}) while it was imported", _relevant_traceback(error)
    except BaseException as error:
        # Our own frames and importlib's say nothing about the application's mistake.
        return f"the application could not be imported: {_summary(error)}", _relevant_traceback(error)
    _driver.application = application
    return None


def leave():
    """Run what Python runs at exit, without finalising the interpreter."""
    import atexit

    try:
        atexit._run_exitfuncs()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):
                pass


class _LoadError(Exception):
    """Something that one line explains."""


def _prepare():
    sys.argv = ["uwsgi"]
    # The last --pythonpath comes first, and the current directory before them all, as with uWSGI.
    for path in _ugreen.python_paths:
        sys.path.insert(0, os.path.abspath(path))
    sys.path.insert(0, os.getcwd())
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    _identity.install()


def _find():
    if _ugreen.wsgi_file is not None:
        module = _import_file(_ugreen.wsgi_file)
        name, described = _ugreen.callable, _ugreen.wsgi_file
    else:
        described, _, name = _ugreen.module.partition(":")
        name = name or _ugreen.callable
        module = _import_module(described)
    return _callable(module, name, described)


def _import_module(name):
    if not name or any(not part.isidentifier() for part in name.split(".")):
        raise _LoadError(f"-w {name}: not the name of a module (write pkg.module or pkg.module:callable; for a file use --wsgi-file)")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only when the module itself (or a package on its way) is missing; a missing import inside it is the application's.
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise _LoadError(f"-w {name}: there is no module {error.name!r} in {os.getcwd()} or on sys.path (see --pythonpath, --chdir)") from None
        raise


def _import_file(path):
    import importlib.util
    from importlib.machinery import SourceFileLoader

    if not os.path.isfile(path):
        raise _LoadError(f"--wsgi-file {path}: no such file (in {os.getcwd()})")
    name = "uwsgi_file_" + path.replace("/", "_").replace(".", "_")
    # The loader is named, because the file need not end in .py (uWSGI users have .wsgi files).
    loader = SourceFileLoader(name, os.path.abspath(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _callable(module, name, described):
    make = name.endswith("()")
    target = module
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
    return target


def _summary(error):
    return traceback.format_exception_only(type(error), error)[-1].strip()


def _relevant_traceback(error):
    trace = error.__traceback__
    while trace is not None and (trace.tb_frame.f_code.co_filename == __file__ or "importlib" in trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    # With nothing left it is a file that could not be compiled; a SyntaxError tells the place itself.
    return "".join(traceback.format_exception(type(error), error, trace))
