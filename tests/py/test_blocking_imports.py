"""Requests that import the same slow modules at once, also such that import each other in circles: each module's code runs once, and everybody gets it whole."""

import random
import textwrap

import pytest

from serving import Server, many

AT_ONCE = 20
MODULES = 8

HEAD = "import time, race\nrace.ran(__name__)\ntime.sleep(0.01)\n"
TAIL = "\ntime.sleep(0.01)\nDONE = True\n"


def write(folder, name, *imports):
    path = folder / (name.replace(".", "/") + ".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "\n".join(imports) + TAIL, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("race")
    (root / "race.py").write_text(textwrap.dedent("""
        import importlib
        count = {}

        def ran(name):
            count[name] = count.get(name, 0) + 1

        def get(names):
            # What a request sees after "import x" must be whole.
            return [getattr(importlib.import_module(name), "DONE", "partly") for name in names]
        """), encoding="utf-8")
    for kind in ("line", "wide", "again"):
        for n in range(MODULES):
            write(root, f"{kind}{n}", *([f"import {kind}{n + 1}"] if n + 1 < MODULES and kind == "line" else []))
    write(root, "pack.__init__", "from pack import one")
    write(root, "pack.one", "from pack import two")
    write(root, "pack.two", "from . import three")
    write(root, "pack.three")
    for n in range(MODULES):
        write(root, f"circle{n}", f"import circle{(n + 1) % MODULES}")
    for n in range(2):
        write(root, f"pair{n}", f"import pair{1 - n}")
    (root / "broken.py").write_text(HEAD + "raise ValueError('broken')\n", encoding="utf-8")
    return root


@pytest.fixture(params=[1, 30])
def server(request, folder):
    with Server("run_code", cores=request.param, options=["--pythonpath", folder, "--ugreen-spawn-max", AT_ONCE]) as s:
        yield s


def get(server, names):
    return server.run("import race\nreturn race.get(names)", names=names)


def test_each_module_runs_once(server):
    names = [*[f"line{n}" for n in range(MODULES)], *[f"wide{n}" for n in range(MODULES)], "pack.two", "pack", "pack.three"]
    dice = random.Random(3)
    asked = [dice.sample(names, len(names)) for _ in range(AT_ONCE)]
    assert many(AT_ONCE, lambda i: get(server, asked[i])) == [[True] * len(names)] * AT_ONCE
    assert set(server.run("import race\nreturn list(race.count.values())")) == {1}


@pytest.mark.parametrize("kind,count", [("pair", 2), ("circle", MODULES)])
def test_circles(server, kind, count):
    """Two that import a circle from different ends would wait for each other for ever: CPython sees that, by the identities of threads, and shows one of them a module that is not ready."""
    many(AT_ONCE, lambda i: get(server, [f"{kind}{i % count}"]))
    assert get(server, [f"{kind}{n}" for n in range(count)]) == [True] * count
    assert set(server.run("import race\nreturn list(race.count.values())")) == {1}


def test_green_threads_of_one_request(server):
    assert server.run("""
        import race, ugreen
        with ugreen.Pool(count) as pool:
            threads = [pool.spawn(race.get, ["again%d" % ((n + k) % size) for k in range(size)]) for n in range(count)]
            results = [thread.result(30) for thread in threads]
        return results, set(race.count.values()) == {1}
        """, count=AT_ONCE, size=MODULES) == [[[True] * MODULES] * AT_ONCE, True]


def test_beside_os_threads(server):
    """Both kinds of threads wait for each other's imports."""
    assert server.run("""
        import race, ugreen
        names, faults = ["again%d" % n for n in range(size)], []
        def work(k):
            if race.get(names[k:] + names[:k]) != [True] * size: faults.append(k)
        greens = [ugreen.spawn(work, k) for k in range(size)]
        threads = [threading.Thread(target=work, args=(k,)) for k in range(size)]
        for one in threads: one.start()
        for one in [*greens, *threads]: one.join(30)
        return faults, any(one.is_alive() for one in threads), set(race.count.values()) == {1}
        """, size=MODULES) == [[], False, True]


def test_a_module_that_fails_stops_nobody(server):
    """CPython shows the unfinished module to those that waited for it, if it was there when they began; whoever asks later gets the error."""
    code = """
        try:
            import broken
        except ValueError as error:
            return str(error)
        """
    assert "broken" in many(AT_ONCE, lambda i: server.run(code))
    assert server.run(code) == "broken"
