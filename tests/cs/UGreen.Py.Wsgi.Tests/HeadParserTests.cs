using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Testing;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>What start_response() accepts and what it refuses. Status and headers are Python expressions.</summary>
[Collection(PythonCollection.Name)]
public sealed class HeadParserTests(PythonThread python)
{
    private readonly HeadParser _parser = new();

    [Theory]
    [InlineData("'200 OK'", 200, "OK")]
    [InlineData("'404 Not Found'", 404, "Not Found")]
    [InlineData("'200'", 200, null)]
    [InlineData("'200 '", 200, null)]
    [InlineData("'999 x'", 999, "x")]
    public void A_status_is_a_code_and_a_phrase(string status, int code, string? reason)
    {
        var head = Parse(status, "[]");
        Assert.Equal((code, reason), (head.Status, head.Reason));
    }

    [Theory]
    [InlineData("''", "ValueError")]
    [InlineData("'20'", "ValueError")]
    [InlineData("'OK'", "ValueError")]
    [InlineData("'200OK'", "ValueError")]
    [InlineData("'2000 OK'", "ValueError")]
    [InlineData("' 200 OK'", "ValueError")]
    [InlineData("'-20 OK'", "ValueError")]
    [InlineData("'+20 OK'", "ValueError")]
    [InlineData("'099 x'", "ValueError")]
    [InlineData("'100 Continue'", "ValueError")]
    [InlineData("'101 Switching Protocols'", "ValueError")]
    [InlineData("'200 OK\\r\\nX: y'", "ValueError")]
    [InlineData("'200 O\\nK'", "ValueError")]
    [InlineData("'200 O\\x00K'", "ValueError")]
    [InlineData("'299 Fr\\xe9'", "ValueError")]
    [InlineData("'200 \\u20ac'", "TypeError")]
    [InlineData("b'200 OK'", "TypeError")]
    [InlineData("200", "TypeError")]
    [InlineData("None", "TypeError")]
    public void A_status_that_is_none_is_refused(string status, string type) => Refused(type, "status", status, "[]");

    [Fact]
    public void Headers_keep_their_order_and_spelling()
    {
        var head = Parse("'200 OK'", "[('Content-Type', 'text/plain'), ('set-cookie', 'a=1'), ('Set-Cookie', 'b=2'), ('X-Empty', ''), ('X-Tab', 'a\\tb'), ('X-Latin', '\\xe9')]");
        Assert.Equal(
            [new("Content-Type", "text/plain"), new("set-cookie", "a=1"), new("Set-Cookie", "b=2"), new("X-Empty", ""), new("X-Tab", "a\tb"), new("X-Latin", "\u00e9")],
            head.Headers.ToArray());
        Assert.Null(head.ContentLength);
    }

    [Fact]
    public void Blanks_around_a_value_are_no_part_of_it()
        => Assert.Equal(
            [new("Set-Cookie", "a=1"), new("X-Both", "b\t c"), new("X-None", ""), new("X-Latin", "\u00a0")],
            Parse("'200 OK'", "[('Set-Cookie', ' a=1'), ('X-Both', ' \\t b\\t c\\t '), ('X-None', ' '), ('X-Latin', '\\xa0')]").Headers.ToArray());

    [Theory]
    [InlineData("[('Content-Length', '12')]")]
    [InlineData("[('content-length', ' 12 ')]")]
    [InlineData("[('Content-Length', '12'), ('CONTENT-LENGTH', '12')]")]
    public void Content_length_is_a_number_apart(string headers)
    {
        var head = Parse("'200 OK'", headers);
        Assert.Equal(12, head.ContentLength);
        Assert.Equal(0, head.Count);
    }

    [Theory]
    [InlineData("12x")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("")]
    [InlineData("1.0")]
    [InlineData("0x10")]
    [InlineData("99999999999999999999")]
    [InlineData("1, 1")]
    public void A_content_length_that_is_no_number_is_refused(string value) => Refused("ValueError", "Content-Length", "'200 OK'", $"[('Content-Length', '{value}')]");

    [Fact]
    public void Two_different_content_lengths_are_refused() => Refused("ValueError", "Content-Length", "'200 OK'", "[('Content-Length', '1'), ('content-length', '2')]");

    [Theory]
    [InlineData("a\\r\\nX-Evil: 1")]
    [InlineData("a\\n")]
    [InlineData("\\ra")]
    [InlineData("a\\x00b")]
    [InlineData("a\\x7f")]
    [InlineData("\\x1b[0m")]
    public void A_control_character_in_a_value_is_refused(string value)
    {
        Refused("ValueError", "X-Name", "'200 OK'", $"[('X-Name', '{value}')]");
        Refused("ValueError", "content-length", "'200 OK'", $"[('content-length', '{value}')]");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a:")]
    [InlineData("a\\r\\nb")]
    [InlineData("a\\x00")]
    [InlineData("\\xe9")]
    [InlineData("(a)")]
    public void A_name_that_is_no_token_is_refused(string name) => Refused("ValueError", "is not a header name", "'200 OK'", $"[('{name}', 'x')]");

    [Theory]
    [InlineData("Connection")]
    [InlineData("keep-alive")]
    [InlineData("Proxy-Authenticate")]
    [InlineData("Proxy-Authorization")]
    [InlineData("TE")]
    [InlineData("Trailer")]
    [InlineData("Trailers")]
    [InlineData("transfer-encoding")]
    [InlineData("UPGRADE")]
    [InlineData("Proxy-Connection")]
    public void A_hop_by_hop_header_is_left_out_every_time_or_refused(string name)
    {
        for (var i = 0; i < 2; i++)
        {
            var head = Parse("'200 OK'", $"[('X-A', '1'), ('{name}', 'x'), ('X-B', '2')]");
            Assert.Equal([new("X-A", "1"), new("X-B", "2")], head.Headers.ToArray());
            Assert.Equal([name], _parser.LeftOut);
        }

        _ = Parse("'200 OK'", "[('X-A', '1')]");
        Assert.Empty(_parser.LeftOut);
        Refused("AssertionError", name, "'200 OK'", $"[('{name}', 'x')]", new HeadParser(isStrict: true));
        Refused("ValueError", "control character", "'200 OK'", $"[('{name}', 'x\\r\\nX-Forged: 1')]");
        Refused("TypeError", name, "'200 OK'", $"[('{name}', None)]");
    }

    [Theory]
    [InlineData("(('a', 'b'),)")]
    [InlineData("{'a': 'b'}")]
    [InlineData("iter([])")]
    [InlineData("None")]
    [InlineData("'ab'")]
    public void Headers_that_are_no_list_are_refused(string headers) => Refused("TypeError", "must be a list", "'200 OK'", headers);

    [Theory]
    [InlineData("['a', 'b']")]
    [InlineData("[['a', 'b']]")]
    [InlineData("[('a',)]")]
    [InlineData("[('a', 'b', 'c')]")]
    [InlineData("[()]")]
    [InlineData("[None]")]
    public void A_header_that_is_no_pair_is_refused(string headers) => Refused("TypeError", "tuple (name, value)", "'200 OK'", headers);

    [Theory]
    [InlineData("[(b'a', 'b')]")]
    [InlineData("[(1, 'b')]")]
    [InlineData("[('a', b'b')]")]
    [InlineData("[('a', 1)]")]
    [InlineData("[('a', None)]")]
    [InlineData("[('a', '\\u20ac')]")]
    [InlineData("[('\\u20ac', 'b')]")]
    [InlineData("[('a', '\\ud800')]")]
    public void A_name_or_value_that_is_no_native_string_is_refused(string headers) => Refused("TypeError", "header", "'200 OK'", headers);

    [Fact]
    public void What_was_there_before_is_forgotten()
    {
        var head = new ResponseHead { Status = 500, Reason = "x", ContentLength = 5 };
        head.Add("X-Old", "1");
        Parse("'204 No Content'", "[('X-New', '2')]", head);
        Assert.Equal((204, "No Content", (long?)null), (head.Status, head.Reason, head.ContentLength));
        Assert.Equal([new("X-New", "2")], head.Headers.ToArray());
    }

    [Fact]
    public void A_long_value_in_an_error_is_cut() => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        using var status = scope.Evaluate("'x' * 100000");
        using var headers = scope.Evaluate("[]");
        var error = Assert.Throws<HubCallException>(() => _parser.Parse(status.Borrow(), headers.Borrow(), new ResponseHead()));
        Assert.InRange(error.Message.Length, 1, 250);
    });

    [Fact]
    public void Names_are_remembered_by_their_object_and_more_than_fit_are_still_read() => python.Run(() =>
    {
        using var scope = new InterpreterScope();

        // Each list has names of its own, which are gone after the parse: their addresses come back with other names.
        for (var round = 0; round < 50; round++)
        {
            using var status = scope.Evaluate("'200 OK'");
            using var headers = scope.Evaluate($"[('X-%d-%d' % ({round}, i), str(i)) for i in range(40)]");
            var head = new ResponseHead();
            _parser.Parse(status.Borrow(), headers.Borrow(), head);
            Assert.Equal(Enumerable.Range(0, 40).Select(i => new HeaderField($"X-{round}-{i}", $"{i}")), head.Headers.ToArray());
        }
    });

    private ResponseHead Parse(string status, string headers, ResponseHead? head = null, HeadParser? parser = null)
    {
        head ??= new ResponseHead();
        python.Run(() =>
        {
            using var scope = new InterpreterScope();
            using var statusObject = scope.Evaluate(status);
            using var headersObject = scope.Evaluate(headers);
            (parser ?? _parser).Parse(statusObject.Borrow(), headersObject.Borrow(), head);
        });
        return head;
    }

    private void Refused(string type, string says, string status, string headers, HeadParser? parser = null)
    {
        var head = new ResponseHead();
        head.Add("X-Old", "1");
        var error = Assert.Throws<HubCallException>(() => Parse(status, headers, head, parser));
        Assert.StartsWith("start_response: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.Equal((0, 0, null), (head.Status, head.Count, head.ContentLength));
        python.Run(() =>
        {
            Assert.True(CApi.PyErr_Occurred().IsNull, "a Python error was left behind");
            error.Raise();
            Assert.Equal(type, PythonException.Fetch().TypeName);
        });
    }
}
