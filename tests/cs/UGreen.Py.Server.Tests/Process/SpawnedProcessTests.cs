using System.Text;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.Server.Tests.Process;

public sealed class SpawnedProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ugreen-spawn").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_exit_code_of_137_is_not_a_kill()
    {
        var exited = Run("exit 137");
        var killed = Run("kill -KILL $$");
        Assert.Equal(new ExitStatus(137, 0, false), exited);
        Assert.Equal(new ExitStatus(0, 9, false), killed);
        Assert.Equal((137, 137), (exited.ShellCode, killed.ShellCode));
        Assert.Equal(("exited with code 137", "killed by SIGKILL"), (exited.ToString(), killed.ToString()));
    }

    [Theory]
    [InlineData(1, "SIGHUP")]
    [InlineData(11, "SIGSEGV")]
    [InlineData(15, "SIGTERM")]
    [InlineData(31, "SIGSYS")]
    [InlineData(40, "signal 40")]
    public void Signals_have_names(int signal, string name) => Assert.Equal(name, SignalNames.Of(signal));

    [Fact]
    public void A_fault_is_named() => Assert.Equal("SIGSEGV", Run("kill -SEGV $$").SignalName);

    [Fact]
    public void A_running_child_has_no_status_yet()
    {
        var pid = SpawnedProcess.Start(new SpawnRequest { Path = "sleep", Arguments = ["sleep", "60"] });
        using var gone = SpawnedProcess.OpenPidFd(pid);
        Assert.Null(SpawnedProcess.TryWait(pid));
        Assert.Equal(0, FdWait.Poll((int)gone.DangerousGetHandle(), PollFd.In, 0));
        Assert.Equal(0, SpawnedProcess.Signal(pid, 15));
        Assert.Equal(PollFd.In, FdWait.Poll((int)gone.DangerousGetHandle(), PollFd.In, 30_000_000_000));
        Assert.Equal(15, SpawnedProcess.TryWait(pid)?.Signal);
        Assert.Equal(Errno.ECHILD, Assert.Throws<LinuxException>(() => SpawnedProcess.Wait(pid)).Errno);
    }

    [Fact]
    public void Argument_zero_is_free()
        => Assert.Equal("another name", Output(new SpawnRequest { Path = "/bin/sh", Arguments = ["another name", "-c", "head -c 12 /proc/$$/cmdline; exit 0"] }));

    [Fact]
    public void The_environment_may_be_given_whole_or_changed()
    {
        var whole = Output(new SpawnRequest { Path = "/usr/bin/env", Arguments = ["env"], Environment = new Dictionary<string, string> { ["A"] = "1", ["B"] = "zwei" } });
        Assert.Equal("A=1\nB=zwei\n", whole);
        var changed = Output(new SpawnRequest
        {
            Path = "/usr/bin/env",
            Arguments = ["env"],
            Environment = new Dictionary<string, string> { ["A"] = "1", ["AB"] = "2" },
            Changes = new Dictionary<string, string?> { ["A"] = null, ["C"] = "ü=3" },
        });
        Assert.Equal("AB=2\nC=ü=3\n", changed);
    }

    [Fact]
    public void Our_own_environment_goes_on_with_what_was_set_since()
    {
        ProcessEnvironment.Set("UGREEN_SPAWN_TEST", "set later");
        try
        {
            Assert.Contains("UGREEN_SPAWN_TEST=set later\n", Output(new SpawnRequest { Path = "/usr/bin/env", Arguments = ["env"] }), StringComparison.Ordinal);
        }
        finally
        {
            ProcessEnvironment.Remove("UGREEN_SPAWN_TEST");
        }

        Assert.DoesNotContain("UGREEN_SPAWN_TEST", Output(new SpawnRequest { Path = "/usr/bin/env", Arguments = ["env"] }), StringComparison.Ordinal);
    }

    /// <summary>Also where one's number is another's target, and nothing else comes along, not even what was made without close-on-exec.</summary>
    [Fact]
    public void Descriptors_get_the_numbers_that_they_shall_have()
    {
        using var one = File.OpenHandle(Named("one"), FileMode.Create, FileAccess.ReadWrite);
        using var two = File.OpenHandle(Named("two"), FileMode.Create, FileAccess.ReadWrite);
        var (first, second) = ((int)one.DangerousGetHandle(), (int)two.DangerousGetHandle());
        var leak = OutputDescriptor.Duplicate(first);
        OutputDescriptor.Replace(first, leak, isInherited: true);
        try
        {
            var output = Output(new SpawnRequest
            {
                Path = "/bin/sh",
                Arguments = ["sh", "-c", "cd /proc/self/fd && for f in *; do [ $f -gt 2 ] && echo $f $(readlink $f); done"],
                Descriptors = new Dictionary<int, int> { [first] = second, [second] = first, [200] = first },
            });
            var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.Contains(_folder, StringComparison.Ordinal)).Order();
            Assert.Equal(new[] { $"200 {Named("one")}", $"{first} {Named("two")}", $"{second} {Named("one")}" }.Order(), lines);
        }
        finally
        {
            OutputDescriptor.Close(leak);
        }
    }

    [Fact]
    public void A_descriptor_that_is_not_open_is_named()
    {
        var error = Assert.Throws<LinuxException>(() => SpawnedProcess.Start(new SpawnRequest { Path = "true", Arguments = ["true"], Descriptors = new Dictionary<int, int> { [3] = 900 } }));
        Assert.Equal(Errno.EBADF, error.Errno);
        Assert.Contains("descriptor 900", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_is_not_there_is_named()
    {
        var error = Assert.Throws<LinuxException>(() => SpawnedProcess.Start(new SpawnRequest { Path = "/no/such/program", Arguments = ["x"] }));
        Assert.Equal(Errno.ENOENT, error.Errno);
        Assert.Contains("/no/such/program", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_session_and_signals_as_new()
    {
        var status = Output(new SpawnRequest { Path = "/bin/sh", Arguments = ["sh", "-c", "cut -d' ' -f1,6 /proc/self/stat | tr ' ' '\\n'; grep -E '^Sig(Blk|Ign)' /proc/self/status; echo $$"], NewSession = true });
        var lines = status.Split('\n');
        Assert.Equal(lines[^2], lines[1]);
        Assert.Equal("SigBlk:\t0000000000000000", lines[2]);
        // glibc leaves its two internal signals (32 and 33) as they are.
        Assert.Equal(0UL, Convert.ToUInt64(lines[3].Split('\t')[1], 16) & 0x7FFF_FFFF);
    }

    private static ExitStatus Run(string script) => SpawnedProcess.Wait(SpawnedProcess.Start(new SpawnRequest { Path = "/bin/sh", Arguments = ["sh", "-c", "ulimit -c 0; " + script] }));

    private string Named(string name) => Path.Combine(_folder, name);

    private string Output(SpawnRequest request)
    {
        using SafeFileHandle file = File.OpenHandle(Named("output"), FileMode.Create, FileAccess.ReadWrite);
        var descriptors = new Dictionary<int, int>(request.Descriptors) { [1] = (int)file.DangerousGetHandle() };
        Assert.Equal(new ExitStatus(0, 0, false), SpawnedProcess.Wait(SpawnedProcess.Start(request with { Descriptors = descriptors })));
        return File.ReadAllText(Named("output"), Encoding.UTF8);
    }
}
