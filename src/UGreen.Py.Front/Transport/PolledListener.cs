using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Uwsgi;
using UGreen.Py.Native;

namespace UGreen.Py.Front.Transport;

/// <summary>
/// A listening socket whose connections are served by <see cref="IoThread"/>s. Kestrel asks for one connection after the other; one that waits already is given at once, on the
/// same thread.
/// </summary>
internal sealed class PolledListener : IConnectionListener, IPolled, IValueTaskSource<ConnectionContext?>
{
    // So many are accepted in a row before the connections get their turn.
    private const int AcceptsPerTurn = 64;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly int _fd;
    private readonly IoThread _home;
    private readonly PolledThread[] _threads;
    private readonly TimeProvider _time;
    // For the end: who has asked for it can rely on it at once that nothing more is accepted.
    private readonly Lock _accepting = new();
    private readonly ILogger _logger;
    private readonly OncePerSecond _warnings;
    private readonly EndPoint? _local;
    private readonly bool _isTcp;
    private ManualResetValueTaskSourceCore<ConnectionContext?> _next;
    private ITimer? _retry;
    private bool _isAwaited;
    private volatile bool _isClosed;
    private Task _unbound = Task.CompletedTask;
    private int _slot;
    private int _accepted;
    private uint _turn;

    /// <param name="socket">Listens already; the listener's own from now on.</param>
    /// <param name="threads">The first one accepts.</param>
    /// <param name="time">For pauses.</param>
    /// <param name="logger">For what goes wrong.</param>
    public PolledListener(Socket socket, PolledThread[] threads, TimeProvider time, ILogger logger)
    {
        (_socket, _threads, _time, _logger) = (socket, threads, time, logger);
        _warnings = new OncePerSecond(time);
        _home = threads[0].Io;
        EndPoint = socket.LocalEndPoint ?? throw new InvalidOperationException("the listening socket has no address");
        _isTcp = EndPoint is IPEndPoint;
        // One address for all, unless each connection has its own.
        _local = EndPoint is IPEndPoint ip && (ip.Address.Equals(IPAddress.Any) || ip.Address.Equals(IPAddress.IPv6Any)) ? null : EndPoint;
        socket.Blocking = false;
        _fd = (int)socket.Handle;
        if (_isTcp) StreamSocket.SetNoDelay(_fd);
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <summary>Begins to look for connections. Throws where the descriptor cannot be watched.</summary>
    public Task StartAsync() => OnThreadAsync(() =>
    {
        (_slot, var error) = _home.Watch(_fd, EpollEvents.In, this);
        if (error != 0) throw new IOException($"epoll_ctl on {EndPoint}: {Errno.Name(error)}");
    });

    /// <inheritdoc/>
    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        if (_home.IsCurrent && _accepted < AcceptsPerTurn)
        {
            if (_isClosed) return default;
            if (TryAccept() is { } connection) return new(connection);
            if (_isClosed) return default;
            _isAwaited = true;
        }
        else
        {
            // From another thread, or it is the others' turn.
            _home.Post(static self => ((PolledListener)self!).Await(), this);
        }

        return new(this, _next.Version);
    }

    /// <inheritdoc/>
    public void OnEvents(uint events)
    {
        _accepted = 0;
        Give();
    }

    /// <inheritdoc/>
    /// <remarks>The socket is everybody's: it goes on.</remarks>
    public void OnFault(Exception error)
    {
        if (!_isClosed) TryLater(0);
    }

    /// <inheritdoc/>
    /// <remarks>Nothing is accepted any more when it returns; the socket is closed when the task is done.</remarks>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        lock (_accepting)
        {
            if (_isClosed) return new(_unbound);
            _isClosed = true;
            return new(_unbound = OnThreadAsync(() =>
            {
                _retry?.Dispose();
                _home.Forget(_slot, _fd);
                _socket.Dispose();
                if (_isAwaited) Complete(null);
            }));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => UnbindAsync();

    ConnectionContext? IValueTaskSource<ConnectionContext?>.GetResult(short token)
    {
        var connection = _next.GetResult(token);
        _next.Reset();
        return connection;
    }

    ValueTaskSourceStatus IValueTaskSource<ConnectionContext?>.GetStatus(short token) => _next.GetStatus(token);

    void IValueTaskSource<ConnectionContext?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _next.OnCompleted(continuation, state, token, flags);

    private void Await()
    {
        _accepted = 0;
        _isAwaited = true;
        if (_isClosed) Complete(null);
        else Give();
    }

    private void Give()
    {
        if (_isAwaited && !_isClosed && TryAccept() is { } connection) Complete(connection);
    }

    private void Complete(ConnectionContext? connection)
    {
        _isAwaited = false;
        _next.SetResult(connection);
    }

    private PolledConnection? TryAccept()
    {
        var errno = 0;
        // Bounded: an error that does not go away must not keep the thread here.
        for (var tries = 0; tries < AcceptsPerTurn; tries++)
        {
            int fd;
            IPEndPoint? peer;
            lock (_accepting)
            {
                if (_isClosed) return null;
                fd = StreamSocket.Accept(_fd, out peer);
            }

            if (fd >= 0)
            {
                _accepted++;
                return Begin(fd, peer);
            }

            errno = -fd;
            if (errno == Errno.EAGAIN) return null;
            if (errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOBUFS or Errno.ENOMEM) break;
            if (errno is Errno.EBADF or Errno.EINVAL)
            {
                FrontLog.AcceptFailed(_logger, EndPoint.ToString() ?? "", Errno.Name(errno));
                return null;
            }

            // Else it is that client's trouble (it has left again, accept(2)): the next one.
        }

        TryLater(errno);
        return null;
    }

    private PolledConnection Begin(int fd, IPEndPoint? peer)
    {
        var thread = _threads[_turn++ % _threads.Length];
        var connection = new PolledConnection(fd, thread.Io, thread.Pipes, _isTcp, _local, peer);
        thread.Io.Schedule(static c => ((PolledConnection)c!).Start(), connection);
        return connection;
    }

    /// <summary>The connections wait in the kernel; after an error (0: a fault of ours) some that are open will end and give their descriptors back.</summary>
    private void TryLater(int errno)
    {
        if (errno != 0 && _warnings.TryPass(out _)) FrontLog.AcceptPaused(_logger, EndPoint.ToString() ?? "", Errno.Name(errno));
        _retry ??= _time.CreateTimer(static self => ((PolledListener)self!)._home.Post(static self => ((PolledListener)self!).Give(), self), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _retry.Change(s_pause, Timeout.InfiniteTimeSpan);
    }

    private Task OnThreadAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _home.Post(
            _ =>
            {
                try
                {
                    action();
                    done.SetResult();
                }
                catch (IOException error)
                {
                    done.SetException(error);
                }
            },
            null);
        return done.Task;
    }
}
