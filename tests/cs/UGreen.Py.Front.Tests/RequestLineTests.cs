using Xunit;

using System.Text;

namespace UGreen.Py.Front.Tests;

public sealed class RequestLineTests
{
    [Fact]
    public void Has_all_fields_in_order()
        => Assert.Equal(
            "18:04:05.123 info  request: GET \"/a?b=1\" 200 13 bytes 0.4 ms core 3 switches 2\n",
            Format("GET", "/a?b=1"));

    [Fact]
    public void Says_nothing_of_a_core_that_was_none_and_marks_an_abort()
        => Assert.EndsWith("200 13 bytes 0.4 ms aborted\n", Format("GET", "/", core: -1, aborted: true), StringComparison.Ordinal);

    [Theory]
    [InlineData("/a\nb", "/a\\x0ab")]
    [InlineData("/a\r\n18:00 info forged", "/a\\x0d\\x0a18:00 info forged")]
    [InlineData("/a\" 500 0 bytes", "/a\\x22 500 0 bytes")]
    [InlineData("/a\\x22", "/a\\x5cx22")]
    [InlineData("/\x1b[31m", "/\\x1b[31m")]
    [InlineData("/\x7f\xe9\x85", "/\\x7f\\xe9\\x85")]
    [InlineData("/\u2028", "/\\x??")]
    public void No_target_can_forge_a_line(string target, string shown)
        => Assert.Equal($"18:04:05.123 info  request: GET \"{shown}\" 200 13 bytes 0.4 ms core 3 switches 2\n", Format("GET", target));

    [Fact]
    public void A_long_target_is_cut_and_the_rest_of_the_line_kept()
    {
        var line = Format(new string('M', 500), new string('\n', 9000), core: int.MaxValue, number: long.MaxValue, milliseconds: 1e17);

        Assert.True(line.Length <= RequestLine.MaxBytes);
        Assert.Contains("...\" 200 ", line, StringComparison.Ordinal);
        Assert.EndsWith($"core {int.MaxValue} switches {long.MaxValue}\n", line, StringComparison.Ordinal);
    }

    private static string Format(string method, string target, int core = 3, bool aborted = false, long? number = null, double milliseconds = 0.42)
    {
        Span<byte> buffer = stackalloc byte[RequestLine.MaxBytes];
        var line = new RequestLine
        {
            At = new TimeSpan(0, 18, 4, 5, 123),
            Method = method,
            Target = target,
            Status = 200,
            Bytes = number ?? 13,
            Milliseconds = milliseconds,
            Core = core,
            Switches = number ?? 2,
            Aborted = aborted,
        };
        return Encoding.ASCII.GetString(buffer[..line.Format(buffer)]);
    }
}
