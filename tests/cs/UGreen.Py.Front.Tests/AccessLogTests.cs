using System.Diagnostics;
using UGreen.Py.Front.Logs;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class AccessLogTests
{
    private static readonly LogFormat s_address = LogFormat.Parse("%(addr)", 1);

    [Fact]
    public void The_usual_line_is_the_default()
        => Assert.Equal("23:34:05.123 info  request: GET \"/a?b=1\" 200 13 bytes 1500.0 ms core 3 switches 2\n", LoggedLines.Of(new LoggedExchange()));

    [Theory]
    [InlineData(399, 13, 10, "")]
    [InlineData(400, 13, 10, "4xx")]
    [InlineData(499, 13, 10, "4xx")]
    [InlineData(500, 13, 10, "5xx")]
    [InlineData(599, 13, 10, "5xx")]
    [InlineData(200, 0, 10, "zero")]
    [InlineData(200, 1000, 10, "big")]
    [InlineData(200, 999, 10, "")]
    [InlineData(200, 13, 100, "slow")]
    [InlineData(200, 13, 99, "")]
    [InlineData(500, 0, 100, "5xx slow zero")]
    public void A_filter_lets_through_what_it_names(int status, long bytes, int milliseconds, string named)
    {
        RequestFilter Only(string which) => new()
        {
            ClientErrors = which == "4xx",
            ServerErrors = which == "5xx",
            Empty = which == "zero",
            BigBytes = which == "big" ? 1000 : null,
            SlowMilliseconds = which == "slow" ? 100 : null,
        };
        var through = new[] { "", "4xx", "5xx", "slow", "big", "zero" }.Where(which =>
            LoggedLines.Of(new LoggedExchange { BytesOut = bytes }, status: status, filter: Only(which), elapsed: Stopwatch.Frequency * milliseconds / 1000).Length > 0);

        Assert.Equal(named, string.Join(' ', through.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void The_application_can_ask_for_its_line_and_the_next_request_does_not_inherit_that()
    {
        var exchange = new LoggedExchange().Note("a", "1");
        Assert.Empty(LoggedLines.Of(exchange, filter: new RequestFilter()));
        exchange.MakeLogNotes().IsWanted = true;
        exchange.WriteFailed = exchange.ReadFailed = true;

        Assert.Equal("1 2\n", LoggedLines.Of(exchange, LogFormat.Parse("%(a) %(ioerr)", 1), filter: new RequestFilter()));

        Assert.Empty(LoggedLines.Of(exchange.Next(), filter: new RequestFilter()));
        Assert.Null(exchange.LogNotes);
        Assert.Equal("- 0\n", LoggedLines.Of(exchange, LogFormat.Parse("%(a) %(ioerr)", 1)));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1, 10.0.0.1", "192.0.2.1")]
    [InlineData(" 2001:db8::1 ,10.0.0.1", "2001:db8::1")]
    [InlineData("", "192.0.2.7")]
    [InlineData(" , 10.0.0.1", "192.0.2.7")]
    [InlineData("\"\n\x1b[31m", "\\x22\\x0a\\x1b[31m")]
    public void The_forwarded_address_is_shown_where_that_is_asked_for(string header, string shown)
    {
        Assert.Equal(shown + "\n", LoggedLines.Of(new LoggedExchange(headers: ("x-forwarded-for", header)), s_address, forwarded: true));
        Assert.Equal(shown + "\n", LoggedLines.Of(new LoggedExchange().With(("HTTP_X_FORWARDED_FOR", header)), s_address, forwarded: true));
        Assert.Equal("192.0.2.7\n", LoggedLines.Of(new LoggedExchange(headers: ("X-Forwarded-For", header)), s_address));
    }

    [Fact]
    public void A_request_has_a_limited_number_of_variables()
    {
        var notes = new LogNotes();
        for (var i = 0; i < LogNotes.MaxVariables; i++) Assert.True(notes.TrySet([(byte)i], [1]));

        Assert.False(notes.TrySet([255], [1]));
        Assert.True(notes.TrySet([0], [2]));
        Assert.Equal([2], notes.Find([0]));
        Assert.Null(notes.Find([255]));
    }
}
