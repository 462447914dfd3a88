"""What several commands of this folder share: Debian's packages, .NET projects, the machine in one line, servers as child processes."""

import contextlib
import fcntl
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PYTHON = "/usr/bin/python3"  # Debian's, which sees Debian's packages; the first on PATH may be another

#: Seconds that a server may take until it accepts connections.
START_TIMEOUT = 60


def install_peers(program, *needed):
    """What ./ugreen-py and ./run-tests do for their own needs: Debian's packages of the section [bench], if any is missing.

    needed   commands; where all of them are there nothing is installed, so that who measures two servers does not get six
    """
    if needed and all(which(command) for command in needed):
        return
    script = 'missing=$(missing_packages bench); [ -z "$missing" ] || install_packages $missing || { say "as root:  apt-get install" $missing; exit 1; }'
    if subprocess.run(["sh", "-c", '. "$root/tools/packages.sh"; ' + script], env={**os.environ, "root": str(ROOT), "program": program}).returncode:
        raise SystemExit(1)


def which(command):
    """Path of a command, also of those that Debian has for root; None where there is none."""
    return shutil.which(command) or shutil.which(command, path="/usr/sbin:/sbin")


def build_server():
    """Build UGreen.Py before anybody's time is taken."""
    if subprocess.run([ROOT / "ugreen-py", "--version"], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode:
        raise SystemExit("UGreen.Py cannot be built")


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


def machine():
    """The machine and this repository's commit, for the first line of a report."""
    with open("/proc/cpuinfo", encoding="ascii") as cpuinfo:
        model = next((line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")), platform.machine())
    commit = output_of("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs, load {os.getloadavg()[0]:.1f}, Linux {platform.release()}; UGreen.Py {commit}"


def output_of(*command):
    """What a command says of itself, on whichever stream; "?" where there is none."""
    try:
        done = subprocess.run([which(command[0]) or command[0], *command[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError:
        return "?"
    return done.stdout.strip() or "?"


def free_port():
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def spread(values, form):
    """Median (lowest-highest), each in this format."""
    return f"{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


class Server:
    """A server as a child process, from the moment it accepts connections on its port.

    command   a list of words, in which ``{port}`` stands for the port
    """

    def __init__(self, name, command, port=None, env=None):
        self.name, self.port = name, port or free_port()
        self._output = tempfile.TemporaryFile("w+", errors="replace")
        words = [str(word).replace("{port}", str(self.port)) for word in command]
        self._process = subprocess.Popen(words, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output)
        end = time.monotonic() + START_TIMEOUT
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise SystemExit(f"{name} did not start:\n{self.log}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)

    @property
    def log(self):
        """What it has printed."""
        self._output.seek(0)
        return self._output.read()

    @property
    def pid(self):
        return self._process.pid

    def cpu(self):
        """Seconds of CPU that it and the processes below it have used."""
        ticks, todo = 0, [self.pid]
        while todo:
            pid = todo.pop()
            # A process or a thread may end at any moment.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    todo += map(int, (task / "children").read_text().split())
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """SIGTERM, and SIGKILL where that does not help."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
