"""The benchmarks in C# are not in the solution (what they need is large), so this is where they are compiled. It runs beside the other tests because it takes a compiler's time."""

import re
import subprocess

import pytest
from serving import ROOT

pytestmark = pytest.mark.waiting

BUILD_SECONDS = 170


def test_micro_benchmarks_build_and_have_names():
    done = subprocess.run([ROOT / "bench" / "micro", "--list"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_SECONDS)
    if re.search(r"error NU1[13]\d\d", done.stderr):
        pytest.skip("the package BenchmarkDotNet cannot be had here")
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    assert {"SwitchBenchmarks.ResumeAndTrap", "HubCallBenchmarks.AsyncId", "TimerBenchmarks.Move", "RequestBenchmarks.Http"} <= set(names)
    assert all(re.fullmatch(r"\w+Benchmarks\.\w+", name) for name in names)
