using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using UGreen.Py.Native;

namespace UGreen.Py.Front.Transport;

/// <summary>
/// A client's connection, served by one <see cref="IoThread"/>: bytes that arrive go into a pipe that Kestrel reads, bytes that Kestrel writes into another pipe are sent.
/// <para>
/// Kestrel's code runs on that thread, straight from the read that brought the bytes to the write that takes the answer away: no other thread is woken for it. Kestrel and the
/// application side may also write from elsewhere; then the sending is scheduled here. All members are for this thread unless they say otherwise.
/// </para>
/// <para>
/// Life: <see cref="Start"/>; then reads and writes until Kestrel calls <see cref="DisposeAsync"/> (what it wrote is sent, then the descriptor is closed), or until the connection
/// breaks or is aborted (the descriptor is closed at once, and Kestrel hears of it by its pipes and <see cref="ConnectionClosed"/>).
/// </para>
/// </summary>
internal sealed partial class PolledConnection : ConnectionContext, IPolled, IClientSocket, IDuplexPipe,
    IConnectionIdFeature, IConnectionItemsFeature, IConnectionTransportFeature, IMemoryPoolFeature, IConnectionLifetimeFeature, IConnectionEndPointFeature,
    IConnectionHeartbeatFeature, IConnectionLifetimeNotificationFeature, IConnectionCompleteFeature
{
    // So much is read from one connection before the others get their turn.
    private const int ReadsPerTurn = 4;

    private const uint ReadEvents = EpollEvents.In | EpollEvents.RdHup;
    private const uint BrokenEvents = EpollEvents.Err | EpollEvents.Hup;
    private static long s_lastId;

    private readonly IoThread _io;
    private readonly PolledPipes _pipes;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly CancellationTokenSource _closed = new();
    private readonly ConnectionLife _life = new();
    private readonly bool _isTcp;
    private readonly RoomWait _room = new();
    private readonly DueAnswer _answer = new();
    private IDuplexPipe? _transport;
    private IDictionary<object, object?>? _items;
    private string? _id;
    private EndPoint? _localEndPoint;
    private Task _sending = Task.CompletedTask;
    private ValueTask<ReadResult> _toSend;
    private volatile Exception? _abortReason;
    private ITimer? _clock;
    private volatile int _fd;
    private int _slot;
    private bool _watchesRoom;
    private bool _isPaused;
    private bool _isLingering;
    private bool _hasReadAll;
    private bool _isInputComplete;
    private bool _isWatched;
    private bool _isAsking;
    private TaskCompletionSource? _lingered;
    private volatile bool _hasEnded;

    /// <param name="fd">Does not block; the connection's own from now on.</param>
    /// <param name="io">Its thread.</param>
    /// <param name="pipes">What connections of that thread share.</param>
    /// <param name="isTcp">False: a unix socket.</param>
    /// <param name="local">The address of this side; null: ask the kernel if somebody asks here.</param>
    /// <param name="remote">The client's address.</param>
    public PolledConnection(int fd, IoThread io, PolledPipes pipes, bool isTcp, EndPoint? local, EndPoint? remote)
    {
        (_fd, _io, _pipes, _isTcp, _localEndPoint, RemoteEndPoint) = (fd, io, pipes, isTcp, local, remote);
        _input = new Pipe(pipes.InputOptions);
        _output = new Pipe(pipes.OutputOptions);
        Features = new ConnectionFeatures(this);
        ConnectionClosed = _closed.Token;
        ConnectionClosedRequested = _life.CloseRequested;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _id ??= Interlocked.Increment(ref s_lastId).ToString("X8", CultureInfo.InvariantCulture);
        set => _id = value;
    }

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => _transport ?? this;
        set => _transport = value;
    }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed { get; set; }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint
    {
        get => _localEndPoint ??= _isTcp && _fd is >= 0 and var fd ? StreamSocket.LocalEndPoint(fd) : null;
        set => _localEndPoint = value;
    }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint { get; set; }

    public PipeReader Input => _input.Reader;

    public PipeWriter Output => _output.Writer;

    public MemoryPool<byte> MemoryPool => _pipes.Memory;

    /// <inheritdoc/>
    public CancellationToken ConnectionClosedRequested { get; set; }

    /// <summary>-1 when closed. Any thread.</summary>
    public int Fd => _fd;

    /// <inheritdoc/>
    public bool IsTcp => _isTcp;

    /// <inheritdoc/>
    public bool HasEnded => _hasEnded;

    /// <inheritdoc/>
    public PipeScheduler Scheduler => _io;

    /// <inheritdoc/>
    public void SetAnswerDue(bool isDue) => _answer.Set(isDue);

    /// <summary>Asked on the thread that serves it.</summary>
    public bool IsOnItsThread => _io.IsCurrent;

    /// <summary>Reads what is there already, and goes on from then.</summary>
    public void Start()
    {
        try
        {
            Begin();
        }
#pragma warning disable CA1031 // whoever accepted it cannot do anything about it
        catch (Exception error)
#pragma warning restore CA1031
        {
            _io.Faults.Tell(error);
            OnFault(error);
        }
    }

    private void Begin()
    {
        _sending = SendAsync();
        Receive(0);
        if (_fd < 0) return;
        (_slot, var error) = _io.Watch(_fd, ReadEvents, this);
        if (error != 0) Break(new IOException($"epoll_ctl: {Errno.Name(error)}"), forgets: false);
        else _isWatched = true;
    }

    /// <inheritdoc/>
    public void RequestClose() => _life.RequestClose(_io.Faults);

    /// <inheritdoc/>
    public void OnHeartbeat(Action<object> action, object state) => _life.OnTick(action, state);

    /// <summary>Drives the time-outs of Kestrel's code. Any thread.</summary>
    public void Tick() => _life.Tick();

    void IConnectionCompleteFeature.OnCompleted(Func<object, Task> callback, object state) => _life.OnCompleted(callback, state);

    /// <summary>The connection's code has ended; what wanted to hear of it does.</summary>
    public Task CompleteAsync() => _life.CompleteAsync(_io.Faults);

    /// <inheritdoc/>
    public void OnEvents(uint events)
    {
        if ((events & (EpollEvents.Out | BrokenEvents)) != 0) _room.End();
        if (_fd < 0) return;
        // After the client's FIN: now it is gone altogether.
        if (_hasReadAll && (events & BrokenEvents) != 0) Break(Gone());
        else if ((events & (ReadEvents | BrokenEvents)) != 0) Receive(events);
    }

    /// <inheritdoc/>
    public void OnFault(Exception error) => Break(error);

    /// <summary>Ends the connection; the client is told that it was broken off. Any thread.</summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        _abortReason = abortReason;
        // Not within the caller, who may hold Kestrel's locks.
        _io.Post(static self => ((PolledConnection)self!).BreakAborted(), this);
    }

    /// <inheritdoc/>
    public override void Abort() => Abort(new ConnectionAbortedException());

    /// <summary>Sends what was written, then closes. Any thread.</summary>
    public override ValueTask DisposeAsync()
    {
        _input.Reader.Complete();
        _output.Writer.Complete();
        var nothing = base.DisposeAsync();
        return _sending.IsCompletedSuccessfully ? nothing : new ValueTask(_sending);
    }

    private void Receive(uint events)
    {
        var buffer = _pipes.Scratch;
        for (var turn = 0; !_isPaused && !_hasReadAll; turn++)
        {
            if (turn == ReadsPerTurn)
            {
                _io.Post(static self => ((PolledConnection)self!).ReceiveMore(), this);
                return;
            }

            var count = StreamSocket.Receive(_fd, buffer);
            if (count <= 0)
            {
                if (count != -Errno.EAGAIN) EndInput(count == 0 ? null : Error(-count));
                return;
            }

            if (!_isLingering && !Deliver(buffer.AsSpan(0, count))) return;
            // A short read took all there was: what comes later is another edge. An end that came before would not be.
            if (count < buffer.Length && (events & (EpollEvents.RdHup | BrokenEvents)) == 0) return;
        }
    }

    private void ReceiveMore()
    {
        // Not known any more which events there were: read on until nothing is left.
        if (_fd >= 0) Receive(BrokenEvents);
    }

    /// <returns>False: nothing is to be read now.</returns>
    private bool Deliver(ReadOnlySpan<byte> bytes)
    {
        PolledPipes.Append(_input.Writer, bytes);
        // Kestrel runs in here, if it waits for bytes; it may write, end or abort the connection.
        var flush = _input.Writer.FlushAsync();
        if (_fd < 0) return false;
        if (!flush.IsCompletedSuccessfully)
        {
            _isPaused = true;
            _ = ResumeAsync(flush);
            return false;
        }

        // Nobody reads any more. What still comes stays in the kernel until the connection is closed.
        _isPaused = flush.Result.IsCompleted;
        return !_isPaused;
    }

    private async Task ResumeAsync(ValueTask<FlushResult> flush)
    {
        var result = await flush.ConfigureAwait(false);
        if (result.IsCompleted) return;
        _isPaused = false;
        ReceiveMore();
    }

    private async Task SendAsync()
    {
        Exception? error = null;
        try
        {
            error = await SendAllAsync(_output.Reader).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // whoever wrote ended his side with it, whatever it is: then the client must not take what it has got for all
        catch (Exception e)
#pragma warning restore CA1031
        {
            error = e;
        }

        // Without the error: that a client has left is nothing unexpected to who writes to it.
        _output.Reader.Complete();
        _input.Writer.CancelPendingFlush();
        if (_abortReason is { } reason) Break(reason);
        else if (error is not null) Break(error);
        else await EndAsync().ConfigureAwait(false);
    }

    /// <returns>Why it went wrong; null when all that was written is sent, or when the connection is closed.</returns>
    private async ValueTask<Exception?> SendAllAsync(PipeReader output)
    {
        while (true)
        {
#pragma warning disable CA2012 // awaited once; kept to see whether it has ended
            _toSend = output.ReadAsync();
#pragma warning restore CA2012
            _isAsking = true;
            var read = await _toSend.ConfigureAwait(false);
            _isAsking = false;
            if (read.IsCanceled) return null;
            var rest = read.Buffer.IsEmpty ? read.Buffer : _answer.Begin(read.Buffer);
            while (!rest.IsEmpty)
            {
                if (_fd < 0) return _abortReason ?? Gone();
                (rest, var error) = await SendSomeAsync(rest, read.IsCompleted).ConfigureAwait(false);
                if (error is not null) return error;
            }

            output.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return null;
        }
    }

    private ValueTask<(ReadOnlySequence<byte> Unsent, Exception? Error)> SendSomeAsync(in ReadOnlySequence<byte> bytes, bool isLast)
    {
        // The close that follows pushes the last bytes out, in one packet with the end.
        var count = StreamSocket.Send(_fd, bytes, moreFollows: isLast);
        if (count >= 0)
        {
            _answer.Sent(count);
            return new((bytes.Slice(count), null));
        }

        return count == -Errno.EAGAIN ? AwaitRoomAsync(bytes) : new((bytes, Error(-count)));
    }

    private async ValueTask<(ReadOnlySequence<byte> Unsent, Exception? Error)> AwaitRoomAsync(ReadOnlySequence<byte> bytes)
    {
        var wait = _room.Begin();
        if (!_watchesRoom)
        {
            // Asked for when first needed: otherwise each new connection would have an event that says nothing. The kernel looks at once, so no edge is missed.
            _watchesRoom = true;
            _io.Change(_slot, _fd, ReadEvents | EpollEvents.Out);
        }

        await wait.ConfigureAwait(false);
        return (bytes, null);
    }
}
