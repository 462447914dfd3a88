using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Process;
using Xunit;

namespace UGreen.Py.Server.Tests.Process;

public sealed class PidFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ugreen-test-");
    private readonly LoggedText _log = new();

    [Fact]
    public void Is_removed_only_while_it_holds_that_number()
    {
        var file = new PidFile(At("pid"), _log);
        file.Write(Environment.ProcessId, owner: null);
        Assert.Equal($"{Environment.ProcessId}\n", File.ReadAllText(At("pid")));

        file.Remove(Environment.ProcessId + 1);
        Assert.True(File.Exists(At("pid")));
        file.Remove(Environment.ProcessId);
        Assert.False(File.Exists(At("pid")));
        file.Remove(Environment.ProcessId);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void A_process_that_still_runs_is_told()
    {
        File.WriteAllText(At("pid"), $"{Environment.ProcessId}\n");

        new PidFile(At("pid"), _log).Write(7, owner: null);

        Assert.Contains($"{Environment.ProcessId}", Assert.Single(_log.Lines), StringComparison.Ordinal);
        Assert.Equal("7\n", File.ReadAllText(At("pid")));
    }

    /// <summary>A file that not even root can remove or write.</summary>
    [Fact]
    public void One_that_can_neither_be_removed_nor_emptied_is_told()
    {
        const string path = "/proc/sys/kernel/ngroups_max";
        var number = int.Parse(File.ReadAllText(path), System.Globalization.CultureInfo.InvariantCulture);

        new PidFile(path, _log).Remove(number);

        Assert.Contains(path, Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_written_is_told_by_the_option()
        => Assert.StartsWith("--pidfile '/nowhere/pid' cannot be written: ", Assert.Throws<StartupException>(() => new PidFile("/nowhere/pid", _log).Write(7, owner: null)).Message, StringComparison.Ordinal);

    public void Dispose() => _folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
