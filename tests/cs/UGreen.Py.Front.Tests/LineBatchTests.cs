using Xunit;

using System.Text;

namespace UGreen.Py.Front.Tests;

public sealed class LineBatchTests
{
    [Fact]
    public void Keeps_lines_whole_and_in_order()
    {
        var stream = new MemoryStream();
        var batch = new LineBatch(stream);
        var expected = new StringBuilder();
        for (var i = 0; i < 5000; i++)
        {
            batch.Add(Encoding.ASCII.GetBytes($"line {i}\n"));
            expected.Append($"line {i}\n");
        }

        batch.Flush();

        Assert.Equal(expected.ToString(), Encoding.ASCII.GetString(stream.ToArray()));
    }

    [Fact]
    public async Task A_blocked_stream_costs_lines_not_time_or_memory()
    {
        using var stream = new GatedStream();
        var batch = new LineBatch(stream);
        var line = new byte[1024];
        line.AsSpan().Fill((byte)'x');
        line[^1] = (byte)'\n';

        batch.Add(line);
        await stream.Entered.WaitAsync(TestFront.Patience);
        for (var i = 0; i < 3000; i++) batch.Add(line);
        stream.Open();
        batch.Flush();

        // One line was under way, 1 MiB was kept, the rest was counted.
        Assert.Equal(1 + 1024, stream.Text.Split('\n').Count(l => l.StartsWith('x')));
        Assert.Contains($"({3000 - 1024} request lines lost", stream.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_stream_is_not_the_requests_problem()
    {
        var batch = new LineBatch(new BrokenStream());
        batch.Add("line\n"u8);

        batch.Flush();
    }

    private sealed class GatedStream : MemoryStream
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _open = new();

        public Task Entered => _entered.Task;

        public string Text => Encoding.ASCII.GetString(ToArray());

        public void Open() => _open.Set();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _entered.TrySetResult();
            _open.Wait(TestFront.Patience);
            base.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            _open.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("broken pipe");
    }
}
