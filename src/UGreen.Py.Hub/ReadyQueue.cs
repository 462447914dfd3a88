namespace UGreen.Py.Hub;

/// <summary>Green threads that can run, first in first out. A ring with room for all of them (each is in it at most once), so it never grows.</summary>
public sealed class ReadyQueue(int greenThreads)
{
    private readonly GreenThread[] _ring = new GreenThread[greenThreads];
    private int _head;

    public int Count { get; private set; }

    public void Enqueue(GreenThread green)
    {
        if (Count == _ring.Length) throw new HubInvariantException($"green thread {green.Number} is put into the ready queue, which is full: some green thread is in it twice");
        var tail = _head + Count++;
        if (tail >= _ring.Length) tail -= _ring.Length;
        _ring[tail] = green;
    }

    /// <summary>The one that comes after <paramref name="index"/> others; there must be that many.</summary>
    public GreenThread this[int index]
    {
        get
        {
            var at = _head + index;
            return _ring[at >= _ring.Length ? at - _ring.Length : at];
        }
    }

    public GreenThread Dequeue()
    {
        var green = _ring[_head];
        if (++_head == _ring.Length) _head = 0;
        Count--;
        return green;
    }
}
