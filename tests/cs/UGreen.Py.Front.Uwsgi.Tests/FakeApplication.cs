using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>Stands in for the application side: runs a function per exchange, away from the front's thread.</summary>
internal sealed class FakeApplication(Func<UwsgiExchange, Task> answer) : IGatewayApplication
{
    public int Submitted;

    public void Submit(GatewayExchange exchange)
    {
        Interlocked.Increment(ref Submitted);
        Task.Run(() => RunAsync((UwsgiExchange)exchange));
    }

    public static void Whole(GatewayExchange exchange, string body, int status = 200)
    {
        exchange.Head.Status = status;
        Encoding.Latin1.GetBytes(body).CopyTo(exchange.SetWholeBody(body.Length));
        exchange.Complete(ExchangeOutcome.Whole);
    }

    public static async Task<long> ReadBodyAsync(GatewayExchange exchange, Action<ReadOnlySequence<byte>>? seen = null)
    {
        var total = 0L;
        ReadResult read;
        do
        {
            read = await exchange.Body.ReadAsync();
            total += read.Buffer.Length;
            seen?.Invoke(read.Buffer);
            exchange.Body.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);
        return total;
    }

    // A failing fake must not hang its client: the exchange ends, and the test sees the reset.
    private async Task RunAsync(UwsgiExchange exchange)
    {
        try
        {
            await answer(exchange);
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            exchange.Complete(ExchangeOutcome.Aborted);
        }
    }
}
