using System.Runtime.Versioning;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Logging;
using Xunit;

namespace UGreen.Py.Server.Tests;

public sealed class LogFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ugreen-test-");

    [Fact]
    public void Appends_and_goes_on_in_a_new_file_after_a_rotation()
    {
        File.WriteAllText(At("log"), "before\n");
        var file = LogFile.Open("--logto", At("log"));
        var stream = Stream(file.Number);

        stream.Write("one\n"u8);
        File.Move(At("log"), At("log.1"));
        stream.Write("two\n"u8);
        file.Reopen();
        stream.Write("three\n"u8);

        Assert.Equal("before\none\ntwo\n", File.ReadAllText(At("log.1")));
        Assert.Equal("three\n", File.ReadAllText(At("log")));
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public void Others_cannot_read_a_new_file()
    {
        _ = LogFile.Open("--logto", At("log"));

        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(At("log")) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite | UnixFileMode.UserExecute));
    }

    [Fact]
    public void Only_a_file_that_was_not_there_is_new()
    {
        File.WriteAllText(At("empty"), "");
        File.CreateSymbolicLink(At("link"), At("empty"));

        Assert.True(LogFile.Open("--logto", At("log")).IsNew);
        Assert.False(LogFile.Open("--logto", At("log")).IsNew);
        Assert.False(LogFile.Open("--logto", At("empty")).IsNew);
        Assert.False(LogFile.Open("--logto", At("link")).IsNew);
        Assert.False(LogFile.Open("--logto", "/dev/null").IsNew);
    }

    [Fact]
    public void What_cannot_be_opened_is_told_by_option_and_path()
    {
        Assert.Equal(
            "--logto '/nowhere/log' cannot be opened for writing: No such file or directory",
            Assert.Throws<StartupException>(() => LogFile.TakeStandardStreams("--logto", "/nowhere/log")).Message);
        Assert.Contains("Is a directory", Assert.Throws<StartupException>(() => LogFile.Open("--req-logger", _folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_reopening_leaves_the_old_file_in_use()
    {
        Directory.CreateDirectory(At("d"));
        var file = LogFile.Open("--logto", At("d/log"));
        Directory.Move(At("d"), At("e"));

        Assert.Throws<StartupException>(file.Reopen);

        Stream(file.Number).Write("line\n"u8);
        Assert.Equal("line\n", File.ReadAllText(At("e/log")));
    }

    /// <summary>/dev/full answers every write as a full disk does.</summary>
    [Fact]
    public void Lines_that_a_full_disk_does_not_take_are_counted_and_told()
    {
        var full = OutputDescriptor.OpenForAppend("/dev/full");
        var stream = Stream(full);
        stream.Write("one\ntwo\n"u8);
        stream.Write("three\n"u8);

        var disk = OutputDescriptor.OpenForAppend(At("log"));
        OutputDescriptor.Replace(disk, full, isInherited: false);
        stream.Write("four\n"u8);
        stream.Write("five\n"u8);

        Assert.Equal("<(3 log lines lost: No space left on device)>\nfour\nfive\n", File.ReadAllText(At("log")));
        OutputDescriptor.Close(disk);
        OutputDescriptor.Close(full);
    }

    [Fact]
    public void A_descriptor_that_is_gone_ends_nothing()
    {
        var stream = Stream(987_654);

        stream.Write("line\n"u8);
        stream.Write("line\n"u8);
        Assert.Equal(Errno.EBADF, OutputDescriptor.Write(987_654, "x"u8, out var written));
        Assert.Equal(0, written);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static LogStream Stream(int fd) => new(fd, message => $"<{message}>\n");

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
