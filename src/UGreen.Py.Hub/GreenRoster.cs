namespace UGreen.Py.Hub;

/// <summary>All green threads of a hub, by number, and which of them are free. Request cores come first. The hub thread changes it, with the GIL held; any thread that holds the GIL may look.</summary>
internal sealed class GreenRoster
{
    private readonly GreenThread[] _greens;
    private readonly int _requestCores;
    private readonly Stack<GreenThread> _freeRequest;
    private readonly Stack<GreenThread> _freeSpawn;
    private long _spawned;

    /// <param name="greens">All of them, in order of their numbers.</param>
    /// <param name="requestCores">How many of them run requests.</param>
    public GreenRoster(GreenThread[] greens, int requestCores)
    {
        _greens = greens;
        _requestCores = requestCores;

        // Last in, first out: the stack that was used last is the one in the processor's caches; it begins with the lowest number.
        _freeRequest = new Stack<GreenThread>(greens.Take(requestCores).Reverse());
        _freeSpawn = new Stack<GreenThread>(greens.Skip(requestCores).Reverse());
    }

    public IReadOnlyList<GreenThread> All => _greens;

    /// <summary>How many were started so far.</summary>
    public long Spawned => _spawned;

    /// <summary>Those with lower numbers were among the first so many that were started.</summary>
    public long FirstIdAfter(long spawned) => (spawned + 1) * _greens.Length;

    public int FreeOf(CoreKind kind) => Free(kind).Count;

    public int CountOf(CoreKind kind) => kind == CoreKind.Request ? _requestCores : _greens.Length - _requestCores;

    public CoreKind KindOf(GreenThread green) => green.Number < _requestCores ? CoreKind.Request : CoreKind.Spawn;

    /// <summary>Takes a free one and gives it its <see cref="GreenThread.Id"/>; null: none is free.</summary>
    public GreenThread? Take(CoreKind kind)
    {
        if (!Free(kind).TryPop(out var green)) return null;
        green.Id = (++_spawned * _greens.Length) + green.Number;
        return green;
    }

    public void Return(GreenThread green) => Free(KindOf(green)).Push(green);

    /// <summary>The green thread of that <see cref="GreenThread.Id"/>, while it has not finished.</summary>
    public GreenThread? Find(long id)
    {
        var green = id < 0 ? null : _greens[id % _greens.Length];
        return green is { IsAlive: true } && green.Id == id ? green : null;
    }

    private Stack<GreenThread> Free(CoreKind kind) => kind == CoreKind.Request ? _freeRequest : _freeSpawn;
}
