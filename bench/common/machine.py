"""The machine, the versions of everybody, and the packages that the benchmarks need."""

import os
import pathlib
import platform
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"


def install_peers(program, enough=()):
    """What ./ugreen-py and ./run-tests do for their own needs: Debian's packages of the section [bench], if any is missing. Nothing where the programs in ``enough`` are there."""
    if enough and all(map(which, enough)):
        return
    script = 'missing=$(missing_packages bench); [ -z "$missing" ] || install_packages $missing || { say "as root:  apt-get install" $missing; exit 1; }'
    environment = dict(os.environ, root=str(ROOT), program=program)
    if subprocess.run(["sh", "-c", '. "$root/tools/packages.sh"; ' + script], env=environment).returncode:
        raise SystemExit(1)


def which(command):
    """Path of a command, also of those that Debian has for root; None where there is none."""
    return shutil.which(command) or shutil.which(command, path="/usr/sbin:/sbin")


def build_server():
    """Build UGreen.Py, if need be, before anybody is waited for."""
    if subprocess.run([ROOT / "ugreen-py", "--version"], stdout=subprocess.DEVNULL).returncode:
        raise SystemExit("UGreen.Py cannot be built")


def output_of(*command):
    """What a program says of itself, on whichever stream; "?" when it cannot."""
    try:
        done = subprocess.run([which(command[0]) or command[0], *command[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    except OSError:
        return "?"
    return done.stdout.strip() or "?"


def commit():
    """Of the sources that are measured; a "+" says that they have been changed since."""
    name = output_of("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    changed = output_of("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "--", "src", "python")
    return name if changed == "?" else name + "+"


def package_versions(packages):
    """ "name version, …" of Debian packages."""
    return output_of("dpkg-query", "-W", "-f=${Package} ${Version}, ", *packages).strip(", ")


def cpu_model():
    with open("/proc/cpuinfo", encoding="ascii") as cpuinfo:
        return next((line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")), platform.machine())


def caches():
    """ "L1d 32K, L1i 32K, L2 1024K, L3 32768K" of the first CPU; empty where the kernel does not say."""
    found = []
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        found.append(f"L{level}{ {'Data': 'd', 'Instruction': 'i'}.get(kind, '')} {size}")
    return ", ".join(found)


def load():
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def machine():
    """One line."""
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        memory = int(meminfo.readline().split()[1]) / 2**20
    parts = [cpu_model(), caches(), f"{len(os.sched_getaffinity(0))} CPUs", f"{memory:.0f} GiB", f"load {load()}", f"Linux {platform.release()}"]
    return ", ".join(part for part in parts if part)
