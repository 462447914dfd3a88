"""The types of ``ugreen`` and ``uwsgi``: checked by Debian's mypy, and compared with what a running server has."""

import ast
import inspect
import os
import re
import subprocess

import pytest

from serving import PATIENCE, ROOT, Server

SHIM = ROOT / "python" / "uwsgi_shim"
STUB = SHIM / "_ugreen.pyi"
TYPED = ROOT / "tests" / "py" / "typed"


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    """A function that checks programs as the README says it, or without any the shim by python/mypy.ini: exit code and lines."""
    cache = tmp_path_factory.mktemp("mypy")

    def check(*programs, options=()):
        how = ["--strict", *programs] if programs else ["--config-file", ROOT / "python" / "mypy.ini"]
        arguments = ["/usr/bin/python3", "-m", "mypy", *how, "--cache-dir", cache, "--no-error-summary", "--show-error-codes", *options]
        environment = {**os.environ, "MYPYPATH": str(SHIM)} if programs else None
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=4 * PATIENCE, cwd=TYPED, env=environment)
        return done.returncode, done.stdout.splitlines()

    return check


@pytest.fixture(scope="module")
def real():
    """The module _ugreen of a running server: name to [signature or None, docstring or None]."""
    with Server("run_code", cores=2) as server:
        return server.run("""
            import _ugreen
            return {name: [getattr(value, "__text_signature__", None), value.__doc__ if callable(value) else None]
                    for name, value in vars(_ugreen).items() if not name.startswith("__")}
        """)


def stub():
    """What the stub says: name to its syntax tree."""
    names = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
    return names


def test_the_shim_is_fully_typed(mypy):
    assert mypy() == (0, [])


def test_mypy_checks_every_file_of_the_shim(mypy):
    """A file that it does not find is not checked either."""
    _, lines = mypy(options=["-v"])
    seen = set(re.findall(r"BuildSource\(path='[^']*/uwsgi_shim/([^']+)'", "\n".join(lines)))
    assert {str(path.relative_to(SHIM)) for path in [*SHIM.rglob("*.py"), STUB]} == seen
    assert (SHIM / "ugreen" / "py.typed").exists()


def test_a_program_has_the_types_that_it_expects(mypy):
    code, lines = mypy("program.py")
    found = {int(m[1]): m[2] for m in (re.match(r'program\.py:(\d+): note: Revealed type is "(.*)"', line) for line in lines) if m}
    wanted = {number: m[1] for number, line in enumerate((TYPED / "program.py").read_text().split("\n"), 1) if (m := re.search(r"  # -> (.*)$", line))}
    assert [line for line in lines if "error:" in line] == [] and code == 0
    assert {number: kind.replace("?", "") for number, kind in found.items()} == wanted


def test_mypy_finds_a_programs_mistakes(mypy):
    code, lines = mypy("mistakes.py")
    found = {int(m[1]): m[2] for m in (re.match(r"mistakes\.py:(\d+): error: .*\[([\w-]+)\]$", line) for line in lines) if m}
    wanted = {number: m[1] for number, line in enumerate((TYPED / "mistakes.py").read_text().split("\n"), 1) if (m := re.search(r"  # error: (.*)$", line))}
    assert (code, found) == (1, wanted)


@pytest.mark.parametrize("module, file", [("ugreen", "ugreen/__init__.py"), ("uwsgi", "uwsgi.py")])
def test_the_program_uses_every_public_name(module, file):
    tree = ast.parse((SHIM / file).read_text())
    public = next(ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
    # Also in types that stand in quotes.
    used = set(re.findall(rf"\b{module}\.(\w+)", (TYPED / "program.py").read_text()))
    missing = sorted(set(public) - used)
    assert missing == [], f"tests/py/typed/program.py does not use {', '.join(f'{module}.{name}' for name in missing)}: add a line for each, with reveal_type"


def test_the_stub_has_every_name_of_the_real_module(real):
    missing = [entry(name, *about) for name, about in real.items() if name not in stub()]
    assert missing == [], "python/uwsgi_shim/_ugreen.pyi lacks these (write better types):\n\n" + "\n".join(missing)


def test_the_real_module_has_every_name_of_the_stub(real):
    assert [name for name in stub() if not name.startswith("_") and name not in real] == [], "python/uwsgi_shim/_ugreen.pyi has names that the server does not have: remove them"


@pytest.mark.green_waits  # without, os_ident is CPython's own get_ident, with its docstring
def test_the_stub_has_the_real_parameters_and_docstrings(real):
    wrong = []
    for name, node in stub().items():
        signature, doc = real.get(name, (None, None))
        if not isinstance(node, ast.FunctionDef) or doc is None:
            continue
        if parameters(signature) != [(arg.arg, has_default) for arg, has_default in arguments(node)]:
            wrong.append(f"{name}: the stub has {ast.unparse(node.args)}, the server {signature}")
        if ast.get_docstring(node) != inspect.cleandoc(doc):
            wrong.append(f"{name}: the docstrings differ; the server's is\n{entry(name, signature, doc)}")
    assert wrong == [], "python/uwsgi_shim/_ugreen.pyi and the hub calls' signatures in C# disagree:\n" + "\n".join(wrong)


def parameters(signature):
    """[(name, whether it has a default)] of a built-in function's signature."""
    return [(arg.arg, has_default) for arg, has_default in arguments(ast.parse(f"def f{signature}: ...").body[0])]


def arguments(node):
    both = [*node.args.posonlyargs, *node.args.args]
    return [(arg, i >= len(both) - len(node.args.defaults)) for i, arg in enumerate(both)]


def entry(name, signature, doc):
    """What to put into the stub, with types that say nothing yet."""
    if doc is None:
        return f"{name}: Any\n"
    text = doc.replace("\n\n", "\n\n    ") + ("\n    " if "\n" in doc else "")
    return f'def {name}{signature} -> Any:\n    """{text}"""\n    ...\n'
