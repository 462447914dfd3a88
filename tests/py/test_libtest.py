"""CPython's own tests (Debian's libpython3.11-testsuite) in requests: what passes in a plain python3 passes there, except what libtest.toml names with a reason.

UGREEN_LIBTEST=all runs the slow ones, too, and the whole of each module in a plain python3 beside. Debian's package has no test_sqlite3.
"""

import concurrent.futures
import fnmatch
import os
import pathlib
import tomllib

import libtest
import pytest

EXPECTED = tomllib.loads((pathlib.Path(__file__).parent / "libtest.toml").read_text(encoding="utf-8"))
ALL = os.environ.get("UGREEN_LIBTEST") == "all"

pytestmark = [pytest.mark.waiting, pytest.mark.seconds(3000 if ALL else 600)]


@pytest.fixture(scope="module")
def checks(request):
    """The modules that are asked for, two at once: most of their tests wait."""
    wanted = [item.callspec.params["module"] for item in request.session.items if item.path == request.path]
    pool = concurrent.futures.ThreadPoolExecutor(2)
    yield {module: pool.submit(check, module) for module in EXPECTED["modules"] if module in wanted}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("module", EXPECTED["modules"])
def test_passes_in_a_request_as_in_a_plain_python(checks, module):
    wrong = checks[module].result()
    assert not wrong, "\n".join(wrong)


def named(kind, module):
    """The patterns of a kind, as unittest names tests."""
    return ["test." + name for group in EXPECTED[kind] for name in group["tests"] if name.startswith(module + ".")]


def check(module):
    """What is not as it should be, in words."""
    without = named("not_run", module) + ([] if ALL else named("slow", module))
    listed = {name for name in named("differs", module) if not any(fnmatch.fnmatchcase(name, pattern) for pattern in without)}
    run = libtest.in_requests(module, without=without)
    found = run.bad() - listed
    if found:
        # Not what a busy machine has made too slow once.
        again = libtest.in_requests(module, only=sorted(found))
        found = {name for name in found if again.outcomes.get(name) not in ("passed", "skipped", "expected")}
        run.texts.update(again.texts)
    skipped = {name for name, outcome in run.outcomes.items() if outcome == "skipped"}
    plain = libtest.in_plain_python(module, only=None if ALL else sorted(found | skipped), without=without)
    wrong = [f"{name}: {run.outcomes[name]} in a request, and not in a plain python3\n{run.texts.get(name, '')}" for name in sorted(found) if plain.outcomes.get(name) not in ("failed", "hung", "killed")]
    wrong += [f"{name}: skipped in a request only ({run.texts.get(name, '')})" for name in sorted(skipped) if plain.outcomes.get(name) == "passed"]
    wrong += [f"{name}: is in libtest.toml and is {run.outcomes.get(name, 'no test')}" for name in sorted(listed - run.bad())]
    wrong += [f"{name}: is in libtest.toml and does not pass in a plain python3 either" for name in sorted(listed & plain.bad())]
    passed = sum(outcome == "passed" for outcome in run.outcomes.values())
    if passed < EXPECTED["modules"][module]:
        wrong.append(f"only {passed} tests passed")
    print(f"{module}: {passed} passed, {len(skipped)} skipped, {len(listed)} differ as expected, {round(sum(run.seconds.values()))} s")
    return wrong
