using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Pausing;

/// <summary>
/// One <c>uwsgi.green_pause()</c>: a green thread that waits, and what others send to its client meanwhile.
/// <para>
/// Invariants: it is in the list until its end is decided. At most one flush is under way, and the green thread is woken only when none is: whatever it does next with its
/// response finds the pipe as it left it. So a client that is behind holds up its own green thread, and nobody else's.
/// </para>
/// <para>Hub thread; the end of a flush comes through the inbox.</para>
/// </summary>
internal sealed partial class PausedRequest : IInboxReceiver
{
    /// <summary>
    /// How many bytes a client may be behind, beyond what the front and the kernel hold for it (128 KiB and the socket's buffers). All clients share the bytes of a message, so
    /// this does not bound memory per client; it decides when one that does not read is given up instead of being fed old news for ever. Hundreds of lines of a chat fit.
    /// A message for a client that is not behind may be of any size.
    /// </summary>
    public const int BacklogLimit = 64 * 1024;

    private readonly WsgiRequest _request;
    private readonly GreenThread _green;
    private readonly PausedRequests _all;
    private readonly WsgiApplication _application;
    private readonly LinkedListNode<PausedRequest> _node;
    private readonly HubTimer _timer;
    private readonly long _serial;
    private readonly Queue<byte[]> _backlog = new();
    private readonly Action<PausedRequest, long> _tooSlow;
    private long _unsent;
    private int _offset;
    private ValueTask<FlushResult> _flush;
    private bool _isFlushing;
    private Ending _ending;

    /// <param name="request">The request.</param>
    /// <param name="serial">Of its green thread's park.</param>
    /// <param name="all">Where it is listed from now on.</param>
    /// <param name="application">Its inbox and timers.</param>
    /// <param name="tooSlow">Told when the client is given up, with the number of bytes that it was behind.</param>
    public PausedRequest(WsgiRequest request, long serial, PausedRequests all, WsgiApplication application, Action<PausedRequest, long> tooSlow)
    {
        (_request, _green, _serial, _all, _application, _tooSlow) = (request, request.Green!, serial, all, application, tooSlow);
        _timer = new HubTimer(static timer => ((PausedRequest)timer.Owner).Release(), this);
        _node = all.Add(this);
    }

    private enum Ending
    {
        None,

        /// <summary>Others or the time ended it. What is in the backlog still goes out.</summary>
        Released,

        /// <summary>An exception is to be raised in it.</summary>
        Interrupted,

        /// <summary>Its client is gone, or could not be sent what was for it.</summary>
        Failed,
    }

    public string Title => _request.Title;

    public bool HasFailed => _ending == Ending.Failed;

    /// <summary>Ends the pause after that time.</summary>
    public void Arm(long nanoseconds)
    {
        var due = _application.Clock.Now + nanoseconds;
        _application.Hub.Timers.Arm(_timer, due < 0 ? long.MaxValue : due);
    }

    /// <summary>Sends a message as soon as the client takes it. A response that has no head yet, or can have no body, is passed over.</summary>
    public void Send(byte[] data)
    {
        if (_request.Exchange is not { } exchange || _request.State == ResponseState.None || _request.IsBodyless) return;
        if (exchange.Head.ContentLength - _request.BytesOut - _unsent < data.Length)
        {
            End(Ending.Failed);
            return;
        }

        if (_unsent > 0 && _unsent + data.Length > BacklogLimit)
        {
            _tooSlow(this, _unsent);
            GiveUp();
            return;
        }

        _backlog.Enqueue(data);
        _unsent += data.Length;
        if (!_isFlushing) Pump();
    }

    public void Release() => End(Ending.Released);

    public void Interrupt() => End(Ending.Interrupted);

    public void ClientLeft() => End(Ending.Failed);

    /// <summary>The flush has ended.</summary>
    void IInboxReceiver.Receive(object? payload, long token)
    {
        _isFlushing = false;
        if (!Settled()) GiveUp();
        Pump();
        WakeIfDone();
    }

    private void Pump()
    {
        while (!_isFlushing && _backlog.TryPeek(out var message))
        {
            try
            {
                Write(message);
            }
            catch (Exception error) when (ClientFault.Is(error))
            {
                GiveUp();
            }
#pragma warning disable CA1031 // a mistake of ours: this request's end, and nobody else's, who may be sending to a hundred clients
            catch (Exception error)
#pragma warning restore CA1031
            {
                Failed(_application.Log, Title, error);
                GiveUp();
            }
        }
    }

    private void Write(byte[] message)
    {
        var exchange = _request.Exchange!;
        if (_request.State == ResponseState.Head)
        {
            exchange.StartStreaming();
            _request.StreamingStarted();
        }

        var piece = message.AsSpan(_offset, Math.Min(SendCall.PieceBytes, message.Length - _offset));
        exchange.Output.Write(piece);
        _request.CountBody(piece.Length);
        _unsent -= piece.Length;
        _offset += piece.Length;
        if (_offset == message.Length)
        {
            _backlog.Dequeue();
            _offset = 0;
        }

#pragma warning disable CA2012 // kept because the green thread is parked meanwhile; it is still awaited exactly once
        _flush = exchange.Output.FlushAsync();
#pragma warning restore CA2012
        if (_flush.IsCompleted)
        {
            if (!Settled()) GiveUp();
            return;
        }

        _isFlushing = true;
        var inbox = _application.Hub.Inbox;
        _flush.GetAwaiter().UnsafeOnCompleted(() => inbox.Post(this, null, 0));
    }

    /// <summary>False when the client is gone. A flush that was cancelled has left its bytes with the front.</summary>
    private bool Settled()
    {
        try
        {
            return !_flush.GetAwaiter().GetResult().IsCompleted;
        }
        catch (Exception error) when (ClientFault.Is(error))
        {
            return false;
        }
#pragma warning disable CA1031 // as above
        catch (Exception error)
#pragma warning restore CA1031
        {
            Failed(_application.Log, Title, error);
            return false;
        }
    }

    /// <summary>The client will not get all that was for it, so its response must not look complete, and nothing more is sent.</summary>
    private void GiveUp()
    {
        if (_request.Exchange is { } exchange) exchange.WriteFailed = true;
        _request.BreakOff();
        _request.LostClient();
        End(Ending.Failed);
    }

    /// <summary>A later end counts only when it is the worse one: a client that leaves while the rest is sent, or an exception.</summary>
    private void End(Ending ending)
    {
        if (_ending == Ending.None)
        {
            _all.Remove(_node);
            if (_timer.IsArmed) _application.Hub.Timers.Disarm(_timer);
        }

        if (ending <= _ending) return;
        _ending = ending;
        if (ending != Ending.Released) Discard();
        WakeIfDone();
    }

    private void Discard()
    {
        // The rest of a message is missing for good.
        if (_offset > 0) _request.BreakOff();
        _backlog.Clear();
        _unsent = _offset = 0;
        if (_isFlushing) _request.Exchange?.Output.CancelPendingFlush();
    }

    private void WakeIfDone()
    {
        if (_ending != Ending.None && !_isFlushing && _backlog.Count == 0) _green.TryWake(_serial, WakeCause.Completed);
    }

    [LoggerMessage(EventId = 740, Level = LogLevel.Error, Message = "{Title}: what was for its client could not be sent")]
    private static partial void Failed(ILogger log, string title, Exception error);
}
