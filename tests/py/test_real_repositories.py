"""Repositories over HTTP with the real git and hg as clients: klaus (Flask and dulwich) and hgweb. Everyone clones, and pushes a branch with 3 MB of its own into the same repository."""

import hashlib
import os
import random
import shutil
import subprocess

import pytest

from real_apps import serve, visits

FILES = 10
PUSHED = 3_000_000

# One into which everybody pushes, and one whose pages stay the same.
REPOSITORIES = "shared", "quiet"

# Nothing of whoever runs the tests, dates and names the same for everybody.
ENVIRONMENT = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "HGRCPATH": "", "HGUSER": "test",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.org", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "test@example.org", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


def run(folder, *command):
    """Run a command; its output. Fails with that when the command fails."""
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{text}"
    return text


def noise(seed, size):
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def fill(folder):
    for i in range(FILES):
        (folder / f"file{i}").write_bytes(noise(i, 100_000))
    (folder / "README").write_text("what everybody reads\n" * 100, encoding="utf-8")


def contents(folder):
    """The hash of each file of a working copy."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir()) if path.is_file()}


def pages(server, *paths):
    """Status, type and text of some pages for the browser."""
    answers = [server.get(path, timeout=120) for path in paths]
    return [(path, answer.status, answer.headers["Content-Type"], answer.text) for path, answer in zip(paths, answers)]


# :: klaus

@pytest.fixture(scope="module")
def klaus(tmp_path_factory):
    pytest.importorskip("klaus")
    folder = tmp_path_factory.mktemp("klaus")
    work = folder / "work"
    work.mkdir()
    fill(work)
    run(work, "git", "init", "--quiet", "--initial-branch=main")
    run(work, "git", "add", ".")
    run(work, "git", "commit", "--quiet", "--message=first")
    for repository in REPOSITORIES:
        run(folder, "git", "clone", "--quiet", "--bare", "work", repository)
    variables = {"KLAUS_SITE_NAME": "Test", "KLAUS_REPOS": " ".join(str(folder / repository) for repository in REPOSITORIES), "KLAUS_USE_SMARTHTTP": 1, "KLAUS_UNAUTHENTICATED_PUSH": 1}
    with serve("klaus.contrib.wsgi", [option for name, value in variables.items() for option in ("--env", f"{name}={value}")], cwd=folder) as s:
        s.folder = folder
        yield s


def test_git_clone_and_push(klaus):
    url = f"{klaus.url}/shared"

    def visit(name):
        copy = klaus.folder / name
        seen = [run(klaus.folder, "git", "clone", "--quiet", url, name), run(copy, "git", "rev-parse", "HEAD"), contents(copy)]
        data = noise(name, PUSHED)
        (copy / f"large of {name}").write_bytes(data)
        run(copy, "git", "checkout", "--quiet", "-b", name)
        run(copy, "git", "add", ".")
        run(copy, "git", "commit", "--quiet", f"--message={name}")
        seen.append(run(copy, "git", "push", "--quiet", url, f"HEAD:refs/heads/{name}"))
        shutil.rmtree(copy)
        assert klaus.get(f"/shared/raw/{name}/large%20of%20{name}", timeout=120).body == data
        return seen

    alone = visits(visit)
    assert alone[2]["README"] and len(alone[2]) == FILES + 1
    run(klaus.folder / "shared", "git", "fsck", "--strict")


def test_klaus_pages(klaus):
    def visit(name):
        blob = klaus.get(f"/quiet/raw/main/file3?{name}", timeout=120)
        return [*pages(klaus, "/?by-name=1", "/quiet/tree/main/", "/quiet/blob/main/README", "/quiet/blame/main/README", f"/quiet/tree/{name}/"), hashlib.sha256(blob.body).hexdigest()]

    alone = visits(visit)
    assert [status for _, status, _, _ in alone[:-1]] == [200, 200, 200, 200, 404]
    assert alone[-1] == hashlib.sha256(noise(3, 100_000)).hexdigest()


# :: hgweb

# As in the example that Mercurial comes with, hgweb.wsgi; it imports on demand, which is why its first line is there.
HGWEB = """\
config = b"{folder}/hgweb.config"
from mercurial import demandimport; demandimport.enable()
from mercurial.hgweb import hgweb
application = hgweb(config)
"""

HGWEB_CONFIG = """\
[paths]
/shared = {folder}/shared
/quiet = {folder}/quiet
[web]
push_ssl = false
allow_push = *
"""


@pytest.fixture(scope="module")
def hgweb(tmp_path_factory):
    if not shutil.which("hg"):
        pytest.skip("no hg")
    folder = tmp_path_factory.mktemp("hgweb")
    for repository in REPOSITORIES:
        work = folder / repository
        work.mkdir()
        fill(work)
        run(work, "hg", "init")
        run(work, "hg", "commit", "--addremove", "--quiet", "--message=first", "--date=2026-01-01")
    (folder / "hgweb.wsgi").write_text(HGWEB.format(folder=folder), encoding="utf-8")
    (folder / "hgweb.config").write_text(HGWEB_CONFIG.format(folder=folder), encoding="utf-8")
    with serve(None, ["--wsgi-file", folder / "hgweb.wsgi"], cwd=folder) as s:
        s.folder = folder
        yield s


def test_hg_clone_and_push(hgweb):
    url = f"{hgweb.url}/shared"

    def visit(name):
        copy = hgweb.folder / name
        # Of the default branch: the others that are there by then are a matter of luck.
        seen = [run(hgweb.folder, "hg", "clone", "--quiet", "--branch=default", url, name), contents(copy)]
        data = noise(name, PUSHED)
        (copy / f"large of {name}").write_bytes(data)
        run(copy, "hg", "branch", "--quiet", name)
        run(copy, "hg", "commit", "--addremove", "--quiet", f"--message={name}")
        pushed = run(copy, "hg", "push", "--new-branch", "--rev", name)
        assert "remote: added 1 changesets with 1 changes to 1 files" in pushed
        assert hgweb.get(f"/shared/raw-file/{name}/large%20of%20{name}", timeout=120).body == data
        shutil.rmtree(copy)
        return seen

    alone = visits(visit)
    assert alone[1]["README"] and len(alone[1]) == FILES + 1
    run(hgweb.folder / "shared", "hg", "verify", "--quiet")


def test_hgweb_pages(hgweb):
    def visit(name):
        blob = hgweb.get(f"/quiet/raw-file/0/file3?{name}", timeout=120)
        return [*pages(hgweb, "/quiet/file/0", "/quiet/file/0/README", "/quiet/annotate/0/README", f"/quiet/rev/{name}?style=raw&x={name}x"), hashlib.sha256(blob.body).hexdigest()]

    alone = visits(visit)
    assert alone[-1] == hashlib.sha256(noise(3, 100_000)).hexdigest()
