using Xunit;

using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi.Tests;

public sealed class RefusalTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_ping_is_answered(bool unix)
    {
        await using var front = await TestFront.StartAsync(new FakeApplication(_ => throw new InvalidOperationException()));
        using var client = await front.ConnectAsync(unix);
        Assert.Equal("\x64\0\0\x01", await client.AskAsync([100, 0, 0, 0]));
    }

    [Fact]
    public async Task A_foreign_modifier_is_closed_without_an_answer_and_said_once_a_second()
    {
        var application = new FakeApplication(e => Task.CompletedTask);
        await using var front = await TestFront.StartAsync(application);
        for (var i = 0; i < 20; i++)
        {
            using var client = await front.ConnectAsync();
            Assert.Equal("", await client.AskAsync("G"u8.ToArray()));
        }

        Assert.Equal(0, application.Submitted);
        Assert.InRange(front.Log.All.Count(line => line.StartsWith("Warning 402 ", StringComparison.Ordinal)), 1, 19);
    }

    [Fact]
    public async Task A_block_that_is_too_large_is_431()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, ""), new UwsgiFrontOptions { Limits = new UwsgiLimits { BlockBytes = 4096 } });
        using var client = await front.ConnectAsync();
        // All of it and a body behind it: the answer must not be lost in a reset.
        await client.SendAsync(Packet.Request("POST", ("HTTP_COOKIE", new string('x', 60_000)), ("CONTENT_LENGTH", "500000")));
        await client.SendAsync(new byte[500_000]);
        var answer = await client.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("more than --buffer-size 4096\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CONTENT_LENGTH", "+1", "400 Bad Request")]
    [InlineData("HTTP_X", "a\nb", "400 Bad Request")]
    [InlineData("HTTP_TRANSFER_ENCODING", "chunked", "411 Length Required")]
    public async Task A_malformed_request_has_an_answer(string name, string value, string status)
    {
        var application = new FakeApplication(e => Task.CompletedTask);
        await using var front = await TestFront.StartAsync(application);
        using var client = await front.ConnectAsync();
        Assert.StartsWith($"HTTP/1.1 {status}\r\n", await client.AskAsync(Packet.Request("POST", (name, value))), StringComparison.Ordinal);
        Assert.Equal(0, application.Submitted);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 3)]
    [InlineData(false, 50)]
    [InlineData(true, 50)]
    public async Task A_slow_head_is_closed_without_an_answer(bool unix, int bytes)
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, ""), new UwsgiFrontOptions { HeadTimeout = TimeSpan.FromMilliseconds(200) });
        using var client = await front.ConnectAsync(unix);
        await client.SendAsync(Packet.Request("GET").AsMemory(0, bytes));
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Contains(front.Log.All, line => line.StartsWith("Debug 401 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_time_for_the_head_does_not_run_once_it_is_there()
    {
        await using var front = await TestFront.StartAsync(
            async e =>
            {
                // Longer than the head may take, by the client's clock: it sends the body late.
                await FakeApplication.ReadBodyAsync(e);
                FakeApplication.Whole(e, "late");
            },
            new UwsgiFrontOptions { HeadTimeout = TimeSpan.FromSeconds(1) });
        using var client = await front.ConnectAsync();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1500));
        await client.SendAsync(Packet.Request("POST", ("CONTENT_LENGTH", "1")));
        await timer.WaitForNextTickAsync();
        await client.SendAsync("x"u8.ToArray());
        Assert.EndsWith("late", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_ends_without_a_request_is_closed_quietly()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, ""));
        using var client = await front.ConnectAsync();
        client.EndSending();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.DoesNotContain(front.Log.All, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_closes_unused_connections_and_lets_running_requests_end()
    {
        var running = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(
            async e =>
            {
                running.SetResult();
                await goOn.Task;
                FakeApplication.Whole(e, "done");
            },
            new UwsgiFrontOptions { HeadTimeout = TimeSpan.FromMinutes(5) });
        using var unused = await front.ConnectAsync();
        using var client = await front.ConnectAsync();
        await client.SendAsync(Packet.Request("GET"));
        await running.Task.WaitAsync(TestFront.Patience);

        using var giveUp = new CancellationTokenSource(TestFront.Patience);
        var stop = front.StopAsync(giveUp.Token);
        Assert.Equal("", await unused.ReadToEndAsync());
        goOn.SetResult();
        Assert.EndsWith("done", await client.ReadToEndAsync(), StringComparison.Ordinal);
        await stop;
        Assert.False(giveUp.IsCancellationRequested);
    }

    [Fact]
    public async Task Finished_requests_are_logged_with_the_status_that_was_sent()
    {
        var logged = new TaskCompletionSource<(string, int, bool, long)>();
        var options = new UwsgiFrontOptions { RequestLog = (e, status, ticks) => logged.SetResult((e.Method + e.Target, status, e.WasAborted, e.BytesOut)) };
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, "four", 203), options);
        using var client = await front.ConnectAsync();
        await client.AskAsync(Packet.Request("GET"));
        Assert.Equal(("GET/x%20y?a=1&b=%20", 203, false, 4L), await logged.Task.WaitAsync(TestFront.Patience));
    }
}
