using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>Exchanges for the next connections: one connection carries one request, so without this each request would make its exchange anew. Any thread.</summary>
internal sealed class UwsgiExchangePool(PauseWatch? pauses, ILogger logger)
{
    // Some 3 KiB each; more than these are at work at the same time only under a load where the garbage does not matter either.
    private const int MostKept = 128;

    private readonly Stack<UwsgiExchange> _spare = new();
    private readonly Lock _lock = new();

    public UwsgiExchange Rent()
    {
        lock (_lock)
        {
            if (_spare.TryPop(out var spare)) return spare;
        }

        return new UwsgiExchange(pauses, logger);
    }

    /// <summary>Takes back an exchange that has ended.</summary>
    public void Return(UwsgiExchange exchange)
    {
        lock (_lock)
        {
            if (_spare.Count < MostKept) _spare.Push(exchange);
        }
    }
}
