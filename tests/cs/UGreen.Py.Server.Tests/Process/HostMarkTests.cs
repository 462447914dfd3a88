using UGreen.Py.Server.Process;
using Xunit;

namespace UGreen.Py.Server.Tests.Process;

public sealed class HostMarkTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/usr/lib/a.so:/usr/lib/b.so")]
    public void What_is_written_is_read(string? before)
    {
        foreach (var isTrue in (bool[])[false, true])
        {
            var mark = new HostMark(12) { IsOwn = isTrue, PythonWasRefused = !isTrue, IsLast = isTrue, Before = before };
            Assert.Equal(mark, HostMark.Read(mark.Write()));
        }
    }

    [Theory]
    [InlineData(null, "/proc/self/fd/5")]
    [InlineData("", "/proc/self/fd/5")]
    [InlineData("/a.so", "/proc/self/fd/5:/a.so")]
    public void Ours_comes_first(string? before, string expected)
    {
        var changes = new HostMark(5) { Before = before }.Changes();
        Assert.Equal(expected, changes[HostMark.Preload]);
        Assert.Equal(before, HostMark.Read(changes[HostMark.Variable]!)!.Before);
    }

    /// <summary>Anybody can set a variable.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData(":")]
    [InlineData("x:o")]
    [InlineData("-1:o")]
    [InlineData("99999999999:o")]
    public void Anything_else_is_no_mark(string text) => Assert.Null(HostMark.Read(text));
}
