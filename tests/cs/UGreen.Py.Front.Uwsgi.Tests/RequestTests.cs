using Xunit;

using System.Text;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi.Tests;

public sealed class RequestTests
{
    [Fact]
    public async Task The_exchange_says_what_the_variables_say()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(
            e, $"{e.Method} {e.Target} {e.Protocol} {e.Scheme} {e.RemoteAddress}:{e.RemotePort} {e.LocalAddress}:{e.LocalPort} {e.HasBody} {e.ContentLength} {e.SocketFd > 2}|{Variables(e)}"));
        using var client = await front.ConnectAsync();
        var answer = await client.AskAsync(Packet.Request("GET", ("HTTPS", "on")));
        Assert.Contains("\r\n\r\nGET /x%20y?a=1&b=%20 HTTP/1.1 https 192.0.2.7:40000 example.org:80 False  True|", answer, StringComparison.Ordinal);
        Assert.Contains("PATH_INFO=/x y;", answer, StringComparison.Ordinal);
        Assert.Contains("SCRIPT_NAME=;", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_an_environ_must_have_is_filled_in(bool unix)
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, $"{e.RemoteAddress}|{Variables(e)}"));
        using var client = await front.ConnectAsync(unix);
        var answer = await client.AskAsync(Packet.Of(("REQUEST_METHOD", "GET"), ("SCRIPT_NAME", "/app")));
        var site = unix ? "SERVER_NAME=localhost;SERVER_PORT=80;" : $"SERVER_NAME=127.0.0.1;SERVER_PORT={front.Port};";
        Assert.EndsWith($"\r\n\r\n{(unix ? "" : "127.0.0.1")}|REQUEST_METHOD=GET;SCRIPT_NAME=/app;PATH_INFO=;QUERY_STRING=;SERVER_PROTOCOL=HTTP/1.1;{site}", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_server_name_is_overruled()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, Variables(e)));
        using var client = await front.ConnectAsync();
        // The last one counts.
        Assert.EndsWith("SERVER_NAME=127.0.0.1;", await client.AskAsync(Packet.Request("GET", ("SCRIPT_NAME", ""), ("SERVER_NAME", ""))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https", "HTTPS", "on")]
    [InlineData("https", "HTTPS", "1")]
    [InlineData("http", "HTTPS", "off")]
    [InlineData("https", "UWSGI_SCHEME", "https")]
    [InlineData("http", "UWSGI_SCHEME", "gopher")]
    [InlineData("https", "REQUEST_SCHEME", "https")]
    [InlineData("http", "HTTP_X_FORWARDED_PROTO", "https")]
    public async Task The_scheme_is_the_front_servers_and_not_the_clients(string scheme, string name, string value)
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, $"<{e.Scheme}>"));
        using var client = await front.ConnectAsync();
        Assert.EndsWith($"<{scheme}>", await client.AskAsync(Packet.Request("GET", (name, value))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dropped_variables_are_warned_of_once()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, Variables(e)));
        for (var i = 0; i < 3; i++)
        {
            using var client = await front.ConnectAsync();
            Assert.DoesNotContain("UWSGI_FILE", await client.AskAsync(Packet.Request("GET", ("UWSGI_FILE", "/tmp/x.py"))), StringComparison.Ordinal);
        }

        Assert.Single(front.Log.All, line => line.StartsWith("Warning 403 variable UWSGI_FILE ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 10 << 20)]
    [InlineData(true, 10 << 20)]
    public async Task A_body_is_read_to_its_length(bool unix, int length)
    {
        var sum = 0L;
        await using var front = await TestFront.StartAsync(async e =>
        {
            var total = await FakeApplication.ReadBodyAsync(e, piece =>
            {
                foreach (var segment in piece)
                {
                    foreach (var b in segment.Span) sum += b;
                }
            });
            var again = await e.Body.ReadAsync();
            FakeApplication.Whole(e, $"<{total} {again.IsCompleted} {again.Buffer.Length}>");
        });
        using var client = await front.ConnectAsync(unix);
        var body = new byte[length];
        new Random(1).NextBytes(body);
        await client.SendAsync(Packet.Request("POST", ("CONTENT_LENGTH", $"{length}")));
        await client.SendAsync(body);
        Assert.EndsWith($"<{length} True 0>", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(body.Sum(b => (long)b), sum);
    }

    [Fact]
    public async Task Bytes_behind_the_body_are_not_part_of_it()
    {
        await using var front = await TestFront.StartAsync(async e =>
        {
            // Examined but not consumed: the next read must not wait for more.
            var read = await e.Body.ReadAsync();
            e.Body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            FakeApplication.Whole(e, $"<{await FakeApplication.ReadBodyAsync(e)}>");
        });
        using var client = await front.ConnectAsync();
        await client.SendAsync(Packet.Request("POST", ("CONTENT_LENGTH", "3")).Concat("abcdef"u8.ToArray()).ToArray());
        Assert.EndsWith("<3>", await client.ReadUntilAsync(">"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_truncated_body_is_an_IOException(bool unix)
    {
        var error = new TaskCompletionSource<Exception?>();
        await using var front = await TestFront.StartAsync(async e =>
        {
            error.SetResult(await Record.ExceptionAsync(() => FakeApplication.ReadBodyAsync(e)));
            FakeApplication.Whole(e, "");
        });
        using var client = await front.ConnectAsync(unix);
        await client.SendAsync(Packet.Request("POST", ("CONTENT_LENGTH", "10")).Concat("abc"u8.ToArray()).ToArray());
        client.EndSending();
        Assert.Contains(" before the end of the request body", Assert.IsType<IOException>(await error.Task.WaitAsync(TestFront.Patience)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_response_to_an_unread_upload_is_not_lost(bool unix)
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, "too large", 413));
        using var client = await front.ConnectAsync(unix);
        await client.SendAsync(Packet.Request("POST", ("CONTENT_LENGTH", "20000000")));
        await client.SendAsync(new byte[20_000_000]);
        var answer = await client.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("too large", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ClientGone_fires_when_the_client_closes(bool unix)
    {
        var parked = new TaskCompletionSource();
        var gone = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            Assert.False(e.ClientGone.IsCancellationRequested);
            using var registration = e.ClientGone.Register(gone.SetResult);
            parked.SetResult();
            await gone.Task;
            e.Complete(ExchangeOutcome.Aborted);
        });
        var client = await front.ConnectAsync(unix);
        await client.SendAsync(Packet.Request("GET"));
        await parked.Task.WaitAsync(TestFront.Patience);
        client.Dispose();
        await gone.Task.WaitAsync(TestFront.Patience);
    }

    [Fact]
    public async Task A_write_to_a_departed_client_says_so()
    {
        var parked = new TaskCompletionSource();
        var done = new TaskCompletionSource<bool>();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.StartStreaming();
            await e.Output.FlushAsync();
            parked.SetResult();
            var completed = false;
            for (var i = 0; i < 10_000 && !completed; i++)
            {
                System.Buffers.BuffersExtensions.Write(e.Output, new byte[16 * 1024]);
                completed = (await e.Output.FlushAsync()).IsCompleted;
            }

            done.SetResult(completed);
            e.Complete(ExchangeOutcome.Aborted);
        });
        var client = await front.ConnectAsync();
        await client.SendAsync(Packet.Request("GET"));
        await parked.Task.WaitAsync(TestFront.Patience);
        client.Reset();
        Assert.True(await done.Task.WaitAsync(TestFront.Patience));
    }

    [Fact]
    public async Task Exchanges_are_reused_and_keep_nothing()
    {
        await using var front = await TestFront.StartAsync(async e =>
        {
            var body = new StringBuilder();
            if (e.HasBody) await FakeApplication.ReadBodyAsync(e, piece => body.Append(Encoding.ASCII.GetString(piece)));
            FakeApplication.Whole(e, $"{e.Method} {e.HasBody} {body} {Variables(e).Contains("HTTP_COOKIE", StringComparison.Ordinal)} {e.Head.Count}");
        });
        for (var i = 0; i < 50; i++)
        {
            using var one = await front.ConnectAsync();
            Assert.EndsWith("POST True abc True 0", await one.AskAsync([.. Packet.Request("POST", ("CONTENT_LENGTH", "3")), .. "abc"u8]), StringComparison.Ordinal);
            using var two = await front.ConnectAsync();
            Assert.EndsWith("GET False  False 0", await two.AskAsync(Packet.Of(("REQUEST_METHOD", "GET"))), StringComparison.Ordinal);
        }
    }

    private static string Variables(UwsgiExchange e) => string.Concat(e.Variables.ToArray().Select(v => $"{v.Name}={v.Value};"));
}
