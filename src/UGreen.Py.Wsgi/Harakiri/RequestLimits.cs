using UGreen.Py.CPython;

namespace UGreen.Py.Wsgi.Harakiri;

/// <summary>
/// How long a request may take: by --harakiri and by set_user_harakiri(). It belongs to the reused <see cref="WsgiRequest"/>. The hub thread writes; the watch thread reads
/// <see cref="Due"/>, <see cref="KillTime"/> and the title, and may read what belongs to the next request already: it only writes log lines and asks the hub thread to look itself.
/// </summary>
internal sealed class RequestLimits(WsgiRequest request)
{
    private const long Never = long.MaxValue;

    private long _due = Never;
    private long _killTime = Never;
    private long _serverDue = Never;
    private long _userDue = Never;
    private long _serverKill = Never;
    private long _userKill = Never;
    private NewRef _exception;

    public WsgiRequest Request => request;

    /// <summary>When the exception is to be raised; <see cref="long.MaxValue"/> when no limit holds, or each one that holds was acted upon.</summary>
    public long Due => Volatile.Read(ref _due);

    /// <summary>From when on it counts as stuck.</summary>
    public long KillTime => Volatile.Read(ref _killTime);

    /// <summary>The exception of the last limit that was exceeded; NULL: none was.</summary>
    public BorrowedRef Exception => _exception.Borrow();

    public bool IsStruck => !_exception.IsNull;

    /// <summary>The log has it already.</summary>
    public bool IsTold { get; private set; }

    /// <summary>For the watch thread only: what it has done for which <see cref="Due"/>.</summary>
    public WatchMarks Marks { get; } = new();

    public void Told() => IsTold = true;

    public void SetServer(long due, long grace)
    {
        (_serverDue, _serverKill) = (due, due + grace);
        Changed();
    }

    public void SetUser(long due, long grace)
    {
        (_userDue, _userKill) = due == Never ? (Never, Never) : (due, due + grace);
        Changed();
    }

    /// <summary>The limits that are exceeded now are acted upon, with this exception; taken over.</summary>
    public void Strike(long now, NewRef exception)
    {
        if (_serverDue <= now) _serverDue = Never;
        if (_userDue <= now) _userDue = Never;
        var before = _exception;
        _exception = exception;
        IsTold = false;
        Changed();

        // Last, because it may run finalizers, and they must find nothing half done.
        before.Dispose();
    }

    /// <summary>The request is over.</summary>
    public void Clear()
    {
        _serverDue = _serverKill = _userDue = _userKill = Never;
        Changed();
        var exception = _exception;
        _exception = default;
        IsTold = false;
        exception.Dispose();
    }

    private void Changed()
    {
        Volatile.Write(ref _due, Math.Min(_serverDue, _userDue));
        Volatile.Write(ref _killTime, Math.Min(_serverKill, _userKill));
    }
}
