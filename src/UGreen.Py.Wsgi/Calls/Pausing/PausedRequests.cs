namespace UGreen.Py.Wsgi.Calls.Pausing;

/// <summary>The requests of this worker that are in <c>uwsgi.green_pause()</c>, in the order in which they came. Hub thread.</summary>
internal sealed class PausedRequests
{
    private readonly LinkedList<PausedRequest> _paused = new();

    public int Count => _paused.Count;

    public LinkedListNode<PausedRequest> Add(PausedRequest request) => _paused.AddLast(request);

    public void Remove(LinkedListNode<PausedRequest> node) => _paused.Remove(node);

    /// <summary>Gives the bytes to all of them; waits for none.</summary>
    /// <param name="data">Nobody changes it any more: all that have not sent it yet share it.</param>
    public void WriteAll(byte[] data)
    {
        if (data.Length == 0) return;
        for (var node = _paused.First; node is not null;)
        {
            // One that fails leaves the list.
            var next = node.Next;
            node.Value.Send(data);
            node = next;
        }
    }

    /// <summary>Ends the pause of all of them.</summary>
    public void ReleaseAll()
    {
        while (_paused.First is { } first) first.Value.Release();
    }
}
