"""What a process is to the system, and programs that the dynamic loader treats in its own way: for the tests of how the server starts."""

import contextlib
import glob
import os
import pathlib
import re
import subprocess

import pytest
from serving import PYTHON_VERSION, ROOT

#: Debian's Python: the executable, which holds CPython itself, and the same as a shared library.
VERSION = "%d.%d" % PYTHON_VERSION
EXECUTABLE = f"/usr/bin/python{VERSION}"
LIBRARY = next(iter(glob.glob(f"/usr/lib/*/libpython{VERSION}.so.1.0")), None)

#: Where the server is built to.
SERVER = ROOT / "artifacts" / "server"

#: The variables by which the preloaded library comes into a process.
NAMES = ["LD_PRELOAD", "UGREEN_HOST"]
CLEAN = dict.fromkeys(NAMES)

ENVIRONMENT = "import os, subprocess\nreturn {n: os.environ.get(n) for n in names}, subprocess.run(['/usr/bin/env'], capture_output=True, text=True).stdout"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives file capabilities and becomes another user")


def exe(pid):
    return os.readlink(f"/proc/{pid}/exe")


def maps(pid):
    return pathlib.Path(f"/proc/{pid}/maps").read_text()


def open_files(pid):
    found = []
    for fd in glob.glob(f"/proc/{pid}/fd/*"):
        # Some are closed while we look.
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(fd))
    return found


def arguments(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode("utf-8", "surrogateescape").split("\0")


def environment(server):
    """What the application and a program that it starts see of the variables that the start uses. For servers whose app is "run_code"."""
    own, child = server.run(ENVIRONMENT, names=NAMES)
    assert {n: v for n, v in own.items() if v is not None} == dict(re.findall(r"^(LD_PRELOAD|UGREEN_HOST)=(.*)$", child, re.MULTILINE))
    return own


def any_library():
    """One that does nothing, for LD_PRELOAD."""
    return next(iter(glob.glob("/usr/lib/*/libBrokenLocale.so.1") + glob.glob("/lib/*/libBrokenLocale.so.1")))


def give_capability(path):
    """cap_net_bind_service, permitted and effective, as ``setcap`` writes it (linux/capability.h, version 2)."""
    revision, effective, bind_service = 0x02000000, 1, 1 << 10
    os.setxattr(path, "security.capability", b"".join(n.to_bytes(4, "little") for n in (revision | effective, bind_service, 0, 0, 0)))


def open_to_all(path):
    for folder in (path, *path.parents):
        if folder != pathlib.Path("/") and folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o055)


def as_nobody(*command):
    """A program of a user who has no capability by himself."""
    return subprocess.Popen(list(map(str, command)), cwd="/", user=65534, group=65534, extra_groups=[], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"})


def lines_until(process, *texts):
    """What it printed until all of these were there, in whatever order, or to its end."""
    said = ""
    for line in process.stdout:
        said += line
        if all(text in said for text in texts):
            break
    return said
