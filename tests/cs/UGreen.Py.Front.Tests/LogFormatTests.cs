using System.Text;
using UGreen.Py.Front.Logs;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class LogFormatTests
{
    private static readonly (string Name, string Value)[] s_headers =
        [("Host", "example.org"), ("User-Agent", "curl/8"), ("Referer", "http://r/"), ("X-Request-Id", "r1"), ("X-Request-Id", "r2"), ("Content-Type", "a/b")];

    [Theory]
    [InlineData("uri", "/a?b=1")]
    [InlineData("method", "GET")]
    [InlineData("user", "-")]
    [InlineData("addr", "192.0.2.7")]
    [InlineData("host", "example.org")]
    [InlineData("proto", "HTTP/1.1")]
    [InlineData("uagent", "curl/8")]
    [InlineData("referer", "http://r/")]
    [InlineData("status", "200")]
    [InlineData("rsize", "13")]
    [InlineData("hsize", "65")] // HTTP/1.1 200 OK, Content-Type: text/plain, Content-Length: 13, and the empty line
    [InlineData("size", "78")]
    [InlineData("cl", "5")]
    [InlineData("micros", "1500000")]
    [InlineData("msecs", "1500")]
    [InlineData("secs", "1")]
    [InlineData("time", "1767377043")]
    [InlineData("tmsecs", "1767377043623")]
    [InlineData("tmicros", "1767377043623000")]
    [InlineData("epoch", "1767377045")]
    [InlineData("ltime", "02/Jan/2026:23:34:03 +0530")]
    [InlineData("ftime", "02/Jan/2026:23:34:03 +0530")]
    [InlineData("ctime", "Fri Jan  2 23:34:03 2026")]
    [InlineData("wid", "1")]
    [InlineData("switches", "2")]
    [InlineData("core", "3")]
    [InlineData("vars", "6")]
    [InlineData("pktsize", "114")]
    [InlineData("modifier1", "0")]
    [InlineData("modifier2", "0")]
    [InlineData("headers", "2")]
    [InlineData("werr", "1")]
    [InlineData("rerr", "0")]
    [InlineData("ioerr", "1")]
    [InlineData("aborted", "-")]
    [InlineData("var.HTTP_X_REQUEST_ID", "r1, r2")]
    [InlineData("var.HTTP_USER_AGENT", "curl/8")]
    [InlineData("var.CONTENT_TYPE", "a/b")]
    [InlineData("var.REQUEST_METHOD", "GET")]
    [InlineData("var.REQUEST_URI", "/a?b=1")]
    [InlineData("var.PATH_INFO", "/a")]
    [InlineData("var.QUERY_STRING", "b=1")]
    [InlineData("var.REMOTE_PORT", "40123")]
    [InlineData("var.SERVER_PORT", "8080")]
    [InlineData("var.HTTP_NOT_THERE", "-")]
    [InlineData("var.NOBODY", "-")]
    [InlineData("metric.x", "-")]
    [InlineData("set", "by the application")]
    [InlineData("unset", "-")]
    public void Variables_over_http(string name, string value)
    {
        var exchange = new LoggedExchange(headers: s_headers).Note("set", "by the application");
        exchange.WriteFailed = true;

        Assert.Equal($"<{value}>\n", LoggedLines.Of(exchange, LogFormat.Parse($"<%({name})>", 1)));
    }

    [Theory]
    [InlineData("user", "ann")]
    [InlineData("host", "of.nginx")]
    [InlineData("uagent", "-")]
    [InlineData("vars", "4")]
    [InlineData("pktsize", "60")]
    [InlineData("var.HTTP_HOST", "of.nginx")]
    [InlineData("var.MY", "last")]
    [InlineData("var.REQUEST_METHOD", "-")] // only what was sent
    public void Variables_over_the_uwsgi_protocol(string name, string value)
    {
        var exchange = new LoggedExchange().With(("REMOTE_USER", "ann"), ("HTTP_HOST", "of.nginx"), ("MY", "first"), ("MY", "last"));

        Assert.Equal($"<{value}>\n", LoggedLines.Of(exchange, LogFormat.Parse($"<%({name})>", 1)));
    }

    [Fact]
    public void Every_name_of_the_table_is_shown()
        => Assert.All(LogFormat.Names, name => Assert.Matches("^[^\n]+\n$", LoggedLines.Of(new LoggedExchange(), LogFormat.Parse($"%({name})", 1))));

    [Theory]
    [InlineData("vsz", 1 << 20)]
    [InlineData("rss", 1 << 20)]
    [InlineData("vszM", 1)]
    [InlineData("rssM", 1)]
    public void Memory(string name, long least)
        => Assert.True(long.Parse(LoggedLines.Of(new LoggedExchange(), LogFormat.Parse($"%({name})", 1)), null) > least);

    [Fact]
    public void An_abort_and_a_request_without_a_core()
    {
        var exchange = new LoggedExchange { Core = -1 };

        Assert.Equal("aborted -\n", LoggedLines.Of(exchange, LogFormat.Parse("%(aborted) %(core)", 1), aborted: true));
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("100%% %(method)", "100% GET")]
    [InlineData("%%(method)", "%(method)")]
    [InlineData("%x %", "%x %")]
    [InlineData("a\tb %(METHOD)", "a\tb -")]
    [InlineData("%(method)%(method)", "GETGET")]
    public void What_stands_beside_variables(string format, string line) => Assert.Equal(line + "\n", LoggedLines.Of(new LoggedExchange(), LogFormat.Parse(format, 1)));

    [Theory]
    [InlineData("%(uri", "'%(' at position 1 is not closed by ')'")]
    [InlineData("%(uri) %(", "'%(' at position 8 is not closed by ')'")]
    [InlineData("x%()", "'%(' at position 2 names no variable")]
    [InlineData("%(uri)\n", "what stands at position 7 is a control character")]
    public void A_malformed_format_is_told_with_its_place(string format, string message)
        => Assert.Equal(message, Assert.Throws<FrontException>(() => LogFormat.Parse(format, 1)).Message);

    [Fact]
    public void A_format_has_a_limit()
    {
        Assert.False(LogFormat.Parse(new string('x', LogFormat.MaxBytes), 1).HasVariables);
        Assert.Throws<FrontException>(() => LogFormat.Parse(new string('x', LogFormat.MaxBytes + 1), 1));
    }

    [Fact]
    public void A_long_value_leaves_room_for_the_others()
    {
        var exchange = new LoggedExchange(target: "/" + new string('\n', 9000));
        var many = string.Concat(Enumerable.Repeat("%(uri)", 100));

        Assert.EndsWith("... 200\n", LoggedLines.Of(exchange, LogFormat.Parse("%(uri) %(status)", 1)), StringComparison.Ordinal);
        var longest = LoggedLines.Of(exchange, LogFormat.Parse(many, 1));
        Assert.InRange(longest.Length, LogFormat.LineBytes - 16, LogFormat.LineBytes);
        Assert.Equal(longest.Length - 1, longest.IndexOf('\n', StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_allocates_nothing()
    {
        var exchange = new LoggedExchange(headers: s_headers).Note("set", "ż");
        string[] names = [.. LogFormat.Names, "set", "unset", "var.HTTP_X_REQUEST_ID", "var.NO"];

        Assert.Equal("", string.Join(' ', names.Where(name => LoggedLines.AllocatedBy(LogFormat.Parse($"{name}: %({name})", 1), exchange) > 0)));
    }

    /// <summary>Whatever bytes a client and an application send: one line, of printable ASCII, with the fields where they belong.</summary>
    [Fact]
    public void No_bytes_can_forge_a_line()
    {
        var random = new Random(17);
        var format = LogFormat.Parse("\"%(method)\" \"%(uri)\" \"%(addr)\" \"%(host)\" \"%(uagent)\" \"%(referer)\" \"%(proto)\" \"%(var.HTTP_X)\" \"%(mine)\" %(status)", 1);
        for (var i = 0; i < 5000; i++)
        {
            var exchange = new LoggedExchange(Any(random), Any(random), ("Host", Any(random)), ("User-Agent", Any(random)), ("Referer", Any(random)), ("X", Any(random)), ("X-Forwarded-For", Any(random)))
                .Note("mine", Encoding.Latin1.GetBytes(Any(random)));

            Assert.Matches("\\A(?:\"[ !#-~]*\" ){9}200\n\\z", LoggedLines.Of(exchange, format, forwarded: true));
            Assert.Matches("\\A[ -~]+\n\\z", LoggedLines.Of(exchange));
        }
    }

    internal static string Any(Random random)
    {
        // Dense in what is dangerous: controls, quotes, DEL and the C1 controls (U+0085 among them).
        const string nasty = "\0\n\r\t\x1b\"\\\u007f\u0085\u009b%()\u00ff";
        return string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(2) == 0 ? nasty[random.Next(nasty.Length)] : (char)random.Next(256)));
    }
}
