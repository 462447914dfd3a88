"""The .NET projects of this folder."""

import fcntl
import os
import shutil
import subprocess
import sys
import time

from bench.common.machine import ROOT


def dotnet():
    """The dotnet command that has an SDK, looked for where tools/build-server looks for it."""
    roots = [os.environ.get("DOTNET_ROOT"), os.path.dirname(os.path.realpath(shutil.which("dotnet") or "/")), "/usr/share/dotnet", "/usr/lib/dotnet", os.path.expanduser("~/.dotnet")]
    for root in filter(None, roots):
        command = os.path.join(root, "dotnet")
        if os.access(command, os.X_OK) and subprocess.run([command, "--list-sdks"], capture_output=True, text=True).stdout.strip():
            return command
    raise SystemExit("the .NET 10 SDK was not found")


def build_project(project, name, program, *sources):
    """Build a .NET project of this folder into artifacts/bench/NAME, if a source changed since; return the environment in which what it made runs.

    project   its .csproj, below the root
    sources   folders and files that it is made of, below the root
    """
    folder = ROOT / "artifacts" / "bench" / name
    folder.mkdir(parents=True, exist_ok=True)
    stamp, log = folder.with_suffix(".built"), folder.with_suffix(".log")
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or _newest(sources) > stamp.stat().st_mtime:
            print(f"{program}: building {project}…", file=sys.stderr, flush=True)
            begun, command = time.time(), dotnet()
            environment = {**os.environ, "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "DOTNET_GENERATE_ASPNET_CERTIFICATE": "false"}
            # As in tools/build-server: folders of its own, and nothing of the build stays behind.
            words = [command, "build", ROOT / project, "-c", "Release", "-o", folder, "--artifacts-path", ROOT / "artifacts" / "bench" / "obj", "-nodeReuse:false",
                     "-p:UseSharedCompilation=false", "-tl:off", "-nologo", "-v:q", "-clp:NoSummary"]
            with open(log, "w") as output:
                failed = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
            if failed:
                raise SystemExit(f"{log.read_text()}\n{program}: {project} does not build")
            stamp.write_text(os.path.dirname(command))
            os.utime(stamp, (begun, begun))
        return {**os.environ, "DOTNET_ROOT": stamp.read_text()}


def _newest(sources):
    files = [ROOT / "Directory.Build.props", ROOT / "Directory.Packages.props"]
    for source in sources:
        path = ROOT / source
        files += [path] if path.is_file() else [file for file in path.rglob("*") if not {"bin", "obj", "__pycache__"} & set(file.parts)]
    return max(file.stat().st_mtime for file in files)
