using Xunit;

using System.Buffers;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

public sealed class ClientGoneTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_token_fires_when_the_client_goes(bool reset)
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var front = await TestFront.StartAsync(async e =>
        {
            await using var registration = e.ClientGone.Register(gone.SetResult);
            waiting.SetResult();
            await gone.Task;
            FakeApplication.Whole(e, "too late");
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await waiting.Task.WaitAsync(TestFront.Patience);
        if (reset) client.Reset();
        else client.Dispose();

        await gone.Task.WaitAsync(TestFront.Patience);
    }

    [Fact]
    public async Task A_flush_after_the_client_has_gone_ends_and_says_so()
    {
        var result = new TaskCompletionSource<bool>();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.StartStreaming();
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = e.ClientGone.Register(gone.SetResult);
            e.Output.Write("x"u8);
            await e.Output.FlushAsync();
            await gone.Task;
            e.Output.Write("y"u8);
            result.SetResult((await e.Output.FlushAsync()).IsCompleted);
            e.Complete(ExchangeOutcome.Aborted);
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReadUntilAsync("x\r\n");
        client.Reset();

        Assert.True(await result.Task.WaitAsync(TestFront.Patience));
    }
}
