using System.Text;
using System.Text.Json;
using UGreen.Py.Front.Logs;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class JsonFormatTests
{
    [Fact]
    public void Has_all_fields_in_order()
        => Assert.Equal(
            """
            {"time":"2026-01-02T23:34:05.123+05:30","level":"info","logger":"request","method":"GET","uri":"/a?b=1","proto":"HTTP/1.1","host":"h","addr":"192.0.2.7","user_agent":null,"referer":null,
            """.Trim() + """
            "status":503,"bytes":13,"ms":1500,"core":3,"switches":2,"aborted":true,"logvars":{"a":"1","b":"2"}}

            """.ReplaceLineEndings("\n"),
            LoggedLines.Of(new LoggedExchange(headers: ("Host", "h")).Note("a", "0").Note("b", "2").Note("a", "1"), new JsonFormat(), 503, aborted: true));

    [Fact]
    public void What_is_unknown_is_null()
    {
        using var line = Line(new LoggedExchange { Core = -1 });

        Assert.Equal(JsonValueKind.Null, line.RootElement.GetProperty("host").ValueKind);
        Assert.Equal(JsonValueKind.Null, line.RootElement.GetProperty("core").ValueKind);
        Assert.False(line.RootElement.TryGetProperty("logvars", out _));
    }

    [Fact]
    public void Headers_are_latin_1_and_variables_utf_8_if_they_can_be()
    {
        using var line = Line(new LoggedExchange(headers: ("User-Agent", "\u00fc\u0085\u001b[2J\"\\")).Note("text", "żółw \u2028").Note("bytes", [0xff, 0x0a, 0x41]));

        Assert.Equal("\u00fc\u0085\u001b[2J\"\\", line.RootElement.GetProperty("user_agent").GetString());
        Assert.Equal("żółw \u2028", line.RootElement.GetProperty("logvars").GetProperty("text").GetString());
        Assert.Equal("\u00ff\nA", line.RootElement.GetProperty("logvars").GetProperty("bytes").GetString());
    }

    [Fact]
    public void Long_texts_are_cut_between_characters()
    {
        var long1 = new string('ż', JsonFormat.MaxFieldChars);
        using var line = Line(new LoggedExchange(target: "/" + new string('x', 9000)).Note("a", "1" + long1));

        Assert.Equal(JsonFormat.MaxFieldChars, line.RootElement.GetProperty("uri").GetString()!.Length);
        Assert.Equal("1" + long1[..((JsonFormat.MaxFieldChars - 1) / 2)], line.RootElement.GetProperty("logvars").GetProperty("a").GetString());
        Assert.True(line.RootElement.GetProperty("truncated").GetBoolean());
    }

    [Fact]
    public void A_line_has_a_limit_and_allocates_nothing()
    {
        var exchange = new LoggedExchange(target: new string('"', 9000), headers: ("Host", new string('\u0085', 9000)));
        for (var i = 0; i < 64; i++) exchange.Note($"name {i}", new string('\n', 9000));

        Assert.InRange(LoggedLines.Of(exchange, new JsonFormat()).Length, 32 * 1024, 96 * 1024);
        using var line = Line(exchange);
        Assert.True(line.RootElement.GetProperty("truncated").GetBoolean());
        Assert.Equal(0, LoggedLines.AllocatedBy(new JsonFormat(), exchange));
    }

    [Fact]
    public void A_lone_surrogate_does_no_harm()
    {
        using var line = Line(new LoggedExchange(target: "/\ud800x"));

        Assert.StartsWith("/", line.RootElement.GetProperty("uri").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void No_bytes_can_forge_a_line()
    {
        var random = new Random(18);
        for (var i = 0; i < 5000; i++)
        {
            var (target, agent, value) = (LogFormatTests.Any(random), LogFormatTests.Any(random), LogFormatTests.Any(random));
            var exchange = new LoggedExchange(target: target, headers: [("User-Agent", agent), ("X-Forwarded-For", LogFormatTests.Any(random))])
                .Note(LogFormatTests.Any(random), Encoding.Latin1.GetBytes(value));

            var text = LoggedLines.Of(exchange, new JsonFormat(), forwarded: true);

            Assert.Matches("\\A[ -~]+\n\\z", text);
            using var line = JsonDocument.Parse(text);
            Assert.Equal(target, line.RootElement.GetProperty("uri").GetString() ?? "");
            Assert.Equal(agent, line.RootElement.GetProperty("user_agent").GetString() ?? "");
            Assert.Equal("request", line.RootElement.GetProperty("logger").GetString());
        }
    }

    private static JsonDocument Line(LoggedExchange exchange) => JsonDocument.Parse(LoggedLines.Of(exchange, new JsonFormat()));
}
