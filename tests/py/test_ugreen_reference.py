"""docs/reference.md is what tools/reference makes, and what it makes leaves no reader without units and errors."""

import importlib.machinery
import importlib.util
import re
import subprocess
import textwrap

import pytest

from serving import PATIENCE, ROOT, Server

TOOL = ROOT / "tools" / "reference"


@pytest.fixture(scope="module")
def reference():
    """The tool, as a module."""
    loader = importlib.machinery.SourceFileLoader("reference", str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("reference", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def shim(reference, tmp_path, monkeypatch):
    """Lets the tool read another shim: a function that writes a file of it."""
    (tmp_path / "ugreen").mkdir()
    monkeypatch.setattr(reference, "SHIM", tmp_path)

    def write(name, text):
        (tmp_path / name).write_text(textwrap.dedent(text))

    write("uwsgi.py", '"""Doc."""\n__all__ = []\n')
    return write


def test_the_page_is_up_to_date(reference):
    assert reference.PAGE.read_text() == reference.page(), "docs/reference.md is not what the docstrings say; run tools/reference and commit the page"


def test_every_public_name_is_told_with_units_and_errors(reference):
    assert list(reference.complaints()) == []


def test_every_link_leads_to_a_heading(reference):
    text = reference.PAGE.read_text()
    slugs, headings = {}, set()
    # Outside of code blocks, where lines may begin with # as well.
    for title in re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        slugs[slug] = slugs.get(slug, -1) + 1
        headings.add(f"{slug}-{slugs[slug]}" if slugs[slug] else slug)
    links = re.findall(r"\]\(#([^)]*)\)", text)
    assert links and [link for link in links if link not in headings] == []


def test_the_page_knows_what_the_server_has(reference):
    """The names are read from the sources; here they are compared with the modules in a running server."""
    told = {one.name for _, items in [*reference.package(), *reference.uwsgi()] for one in items}
    with Server("run_code", cores=2) as server:
        there = server.run("""
            import types, ugreen
            return [f"{m.__name__}.{name}" for m in (ugreen, uwsgi) for name in m.__all__], \\
                   [name for name in vars(uwsgi) if not name.startswith("_") and name not in uwsgi.__all__], \\
                   [name for name, value in vars(ugreen).items() if not name.startswith("_") and name not in ugreen.__all__ and not isinstance(value, types.ModuleType)]
        """)
    assert sorted(there[0]) == sorted(told)
    assert there[1] == [], "python/uwsgi_shim/uwsgi.py has public names that are not in its __all__"
    assert there[2] == [], "python/uwsgi_shim/ugreen/__init__.py has public names that are not in its __all__"


def test_what_a_docstring_lacks_is_complained_of(reference, shim):
    shim("ugreen/_part.py", '''
        """A part. More."""
        #: A value that is told.
        told = 1
        untold = 2
        class Thing:
            """Something."""
            def __init__(self, timeout=None):
                #: Told.
                self.here = timeout
            def nameless(self): pass
            def fails(self):
                """Do it. Raises ValueError."""
                if self.here: raise ValueError("x")
                raise KeyError
        def wait(timeout):
            """Wait."""
        def wait_long(seconds):
            """Wait some seconds."""
        ''')
    shim("ugreen/__init__.py", '"""Doc."""\nfrom ugreen._part import Thing, told, untold, wait, wait_long\n__all__ = ["Thing", "told", "untold", "wait", "wait_long"]\n')
    assert [text.split(" and does")[0] for text in reference.complaints()] == [
        "ugreen.untold: no docstring (a value: no comment #: above it)",
        "ugreen.Thing: has a time among its parameters",
        "ugreen.Thing.nameless: no docstring (a value: no comment #: above it)",
        "ugreen.Thing.fails: raises KeyError",
        "ugreen.wait: has a time among its parameters",
    ]


def test_how_a_docstring_becomes_markdown(reference, shim):
    shim("ugreen/_part.py", '''
        """What parts are. More."""
        from typing import Dict, List, Optional, Union
        def first(a: "Optional[int]", /, b: List[Dict[str, int]] = [], *rest: Union[int, str], c: bool = False, **more: int) -> Optional[str]:
            """Do ``a`` and call it::

                x = 1

                y = 2

            Then a < b, 2 * 3, __init__ and wait(b).

            a    one thing
            rest  others
            """
        class Second(first):
            """Only code::

                here()
            """
            def __init__(self, /, x: int) -> None:
                """``x``: number."""
            @property
            def size(self) -> int:
                """How many."""
            @size.setter
            def size(self, value: int) -> None:
                """Never seen."""
            @staticmethod
            def make(x=None) -> None:
                """Make one.

                Or not.
                """
            def _hidden(self) -> None: ...
        ''')
    shim("ugreen/__init__.py", '"""Doc."""\nfrom ugreen._part import Second, first\n__all__ = ["Second", "first"]\n')
    page = reference.page()
    assert page.partition("### What parts are\n\n")[2].partition("## The module uwsgi")[0] == textwrap.dedent("""\
        #### `ugreen.first`

        ```python
        first(a: int | None, /, b: list[dict[str, int]] = [], *rest: int | str, c: bool = False, **more: int) -> str | None
        ```

        Do `a` and call it:

        ```python
        x = 1

        y = 2
        ```

        Then a \\< b, 2 \\* 3, \\__init\\__ and `wait(b)`.

        - `a`: one thing
        - `rest`: others

        #### `ugreen.Second`

        ```python
        class Second(x: int)
        ```

        Only code:

        ```python
        here()
        ```

        `x`: number.

        Derived from `first`.

        - `size`: How many.
        - `make(x=None) -> None`: Make one.

          Or not.

        """)


def test_a_name_that_is_nowhere_is_an_error(reference, shim):
    shim("ugreen/__init__.py", '"""Doc."""\n__all__ = ["nowhere"]\n')
    with pytest.raises(SystemExit, match="has 'nowhere' in __all__, but neither defines nor imports it"):
        reference.page()


@pytest.mark.parametrize("arguments, code, text", [(["--check"], 0, ""), (["--wrong"], 1, "usage: tools/reference")])
def test_on_the_command_line(arguments, code, text):
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (code, "") and done.stderr.startswith(text)
