"""tools/root as far as it needs no network: what it is told wrong, what the machine lacks, and which packages a release gets."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "root"


def run(*arguments, env=None, path=None, before=()):
    changed = {**os.environ, **(env or {})}
    if path is not None:
        changed["PATH"] = f"{path}:{changed['PATH']}"
    return subprocess.run([*before, str(TOOL), *arguments], env=changed, capture_output=True, text=True, timeout=60)


def command(folder, name, text):
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "usage: tools/root SUITE"),
        (("buster",), "unknown suite buster (known: trixie, forky)"),
        (("trixie", "python3"), "usage: tools/root trixie"),
        (("trixie", "--"), "usage: tools/root trixie"),
    ],
)
def test_wrong_arguments_are_told_with_exit_code_2(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2 and says in done.stderr and done.stdout == ""


def test_without_a_network_it_says_so_and_leaves_no_root(tmp_path):
    """The mirror cannot be reached: apt as on a machine without a network."""
    command(tmp_path, "apt-get", 'case "$*" in *indextargets*) echo "http://mirror.invalid/debian/ trixie /etc/passwd" ;; *) echo "E: Could not resolve mirror.invalid"; exit 100 ;; esac')
    done = run("trixie", env={"XDG_CACHE_HOME": str(tmp_path)}, path=tmp_path)
    assert done.returncode == 1
    assert "Could not resolve mirror.invalid" in done.stderr and "could not read the package lists of trixie (no network" in done.stderr
    assert not (tmp_path / "ugreen-py" / "roots" / "trixie").exists()


def test_a_machine_without_a_debian_mirror_is_told_so(tmp_path):
    command(tmp_path, "apt-get", 'echo "http://mirror.invalid/ubuntu/ noble /etc/passwd"; echo "http://mirror.invalid/debian/ trixie-updates /etc/passwd"')
    done = run("forky", env={"XDG_CACHE_HOME": str(tmp_path)}, path=tmp_path)
    assert done.returncode == 1 and "no Debian mirror among this machine's apt sources" in done.stderr


def test_a_machine_without_namespaces_is_told_so(tmp_path):
    command(tmp_path, "unshare", "exit 1")
    done = run("trixie", "--", "true", env={"XDG_CACHE_HOME": str(tmp_path)}, path=tmp_path)
    assert done.returncode == 1 and "does not allow namespaces of its own" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_another_user_than_root_is_told_so(tmp_path):
    done = run("trixie", env={"XDG_CACHE_HOME": str(tmp_path)}, before=["setpriv", "--reuid", "65534", "--clear-groups"])
    assert done.returncode == 1 and "needs root" in done.stderr


@pytest.mark.parametrize(("release", "has", "lacks"), [("bookworm", "libpython3.11", "3.13"), ("trixie", "libpython3.13", "3.11"), ("forky", "libpython3.14", "3.11"), ("noble", "python3", "libpython")])
def test_a_release_gets_its_own_names_of_packages(release, has, lacks):
    script = f"root={ROOT} program=test release={release}; . {ROOT}/tools/packages.sh; packages_in run"
    packages = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert has in packages and not any(lacks in package for package in packages)


def test_packages_are_of_this_system_unless_said_otherwise():
    script = f"root={ROOT} program=test; . {ROOT}/tools/packages.sh; echo $release; . /etc/os-release; echo $VERSION_CODENAME"
    first, second = subprocess.run(["sh", "-c", script], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True).stdout.split("\n")[:2]
    assert first == second != ""
