using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

/// <summary>Stands in for the application side: runs a function per exchange, away from Kestrel's thread unless told otherwise.</summary>
internal sealed class FakeApplication(Func<GatewayExchange, Task> answer, bool inline = false) : IGatewayApplication
{
    public void Submit(GatewayExchange exchange)
    {
        if (inline) _ = RunAsync(exchange);
        else Task.Run(() => RunAsync(exchange));
    }

    /// <summary>A whole response.</summary>
    public static void Whole(GatewayExchange exchange, string body, int status = 200, string? reason = null)
    {
        exchange.Head.Status = status;
        exchange.Head.Reason = reason;
        WholeBody(exchange, body);
        exchange.Complete(ExchangeOutcome.Whole);
    }

    public static void WholeBody(GatewayExchange exchange, string body)
        => System.Text.Encoding.Latin1.GetBytes(body).CopyTo(exchange.SetWholeBody(body.Length));

    // A failing fake must not hang its client: the exchange ends, and the test sees the reset.
    private async Task RunAsync(GatewayExchange exchange)
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
