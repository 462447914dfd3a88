using System.Diagnostics;
using Xunit;

namespace UGreen.Py.Switching.Tests;

/// <summary>An overflow ends the process, with a line that says whose stack it was. The process is a child: UGreen.Py.Switching.Crash.</summary>
public class OverflowTests
{
    // 128 + SIGSEGV: how a shell and Process see the kernel's default action.
    private const int EndedBySegv = 139;

    [Theory]
    [InlineData(SwitchKind.Direct, 0)]
    [InlineData(SwitchKind.Direct, 7)]
    [InlineData(SwitchKind.Direct, 11)]
    [InlineData(SwitchKind.Posix, 10)]
    public void Of_a_green_stack_names_the_core(SwitchKind kind, int core)
    {
        (int code, string errors) = Crash(kind, "green", core);
        Assert.Contains($"ugreen-py: the green stack of core {core:D5} overflowed (32 pages = 128 KiB). Runaway C recursion", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Equal(EndedBySegv, code);
    }

    [Theory]
    [InlineData(12)]
    [InlineData(14)]
    [InlineData(16)]
    public void Of_a_spawn_stack_names_the_core(int core)
    {
        (int code, string errors) = Crash(SwitchKind.Direct, "green", core);
        Assert.Contains($"ugreen-py: the green stack of core {core:D5} overflowed (20 pages = 80 KiB), of a spawned green thread. Runaway C recursion", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Equal(EndedBySegv, code);
    }

    [Fact]
    public void Of_the_main_stack_says_so()
    {
        (int code, string errors) = Crash(SwitchKind.Direct, "main", 0);
        Assert.StartsWith("ugreen-py: the main stack overflowed (8192 KiB)", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Equal(EndedBySegv, code);
    }

    private static (int Code, string Errors) Crash(SwitchKind kind, string where, int core)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "UGreen.Py.Switching.Crash.dll");
        ProcessStartInfo start = new("dotnet", ["exec", program, kind.ToString(), where, core.ToString(), GreenLibrary.Path]) { RedirectStandardError = true };
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        using Process child = Process.Start(start)!;
        string errors = child.StandardError.ReadToEnd();
        child.WaitForExit();
        return (child.ExitCode, errors);
    }
}
