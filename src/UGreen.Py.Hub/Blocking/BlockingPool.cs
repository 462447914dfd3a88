namespace UGreen.Py.Hub.Blocking;

/// <summary>OS threads for calls that cannot become readiness: looking up names, locks of files. They are started when needed, and stay.</summary>
internal sealed class BlockingPool(Inbox inbox, int most)
{
    private readonly object _gate = new();
    private readonly Queue<(BlockingWait Wait, long Serial)> _calls = new();
    private int _threads;
    private int _idle;

    /// <summary>Makes the call on another thread; its green thread waits until it has returned, whatever happens: what the arguments point to is its own.</summary>
    public CallOutcome Run(BlockingWait wait)
    {
        var serial = wait.Green.Park(wait.Calls, ParkReason.Operation);
        lock (_gate)
        {
            _calls.Enqueue((wait, serial));
            if (_idle > 0)
            {
                _idle--;
                Monitor.Pulse(_gate);
            }
            else if (_threads < most)
            {
                _threads++;
                new Thread(Serve) { Name = "ugreen wait", IsBackground = true }.Start();
            }
        }

        return CallOutcome.Park;
    }

    private void Serve()
    {
        while (true)
        {
            var (wait, serial) = Next();
            var result = wait.Call.Invoke(out var errno);
            wait.PoolAnswer = new BlockingAnswer(result, errno);
            inbox.Post(wait.Green, null, serial);
        }
    }

    private (BlockingWait Wait, long Serial) Next()
    {
        lock (_gate)
        {
            while (_calls.Count == 0)
            {
                _idle++;
                Monitor.Wait(_gate);
            }

            return _calls.Dequeue();
        }
    }
}
