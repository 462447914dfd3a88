using Microsoft.AspNetCore.Connections;
using UGreen.Py.Native;

namespace UGreen.Py.Front.Transport;

/// <summary>The ways in which a connection ends: the client's FIN, everything sent, a break.</summary>
internal sealed partial class PolledConnection
{
    private void EndInput(Exception? error)
    {
        _hasEnded = true;
        _hasReadAll = true;
        if (_isLingering)
        {
            Close();
            return;
        }

        CompleteInput(error);
        if (_fd < 0) return;
        // With one request after the other, who answers goes on and finds the end behind the last request. All else is over with the client's last word.
        if (error is not null || !_answer.IsUsed || StreamSocket.IsHungUp(_fd)) FireClosed();
        else if (_answer.IsDue && _isTcp && !_answer.TryProve(_fd, _isAsking && !_toSend.IsCompleted)) AskLater();
    }

    private void AskLater()
    {
        _clock ??= _pipes.Time.CreateTimer(static self => ((PolledConnection)self!)._io.Post(static self => ((PolledConnection)self!).Ask(), self), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _clock.Change(DueAnswer.Grace, Timeout.InfiniteTimeSpan);
    }

    private void Ask()
    {
        if (_fd < 0 || _isLingering || !_answer.IsDue) return;
        switch (_answer.IsGone(_fd))
        {
            case true:
                FireClosed();
                break;
            case null:
                AskLater();
                break;
        }
    }

    /// <summary>All was sent. A client that is still sending must not lose the answer over it: closing with unread bytes would reset the connection.</summary>
    private Task EndAsync()
    {
        if (_fd < 0) return Task.CompletedTask;
        if (_hasReadAll || (!_isPaused && StreamSocket.Receive(_fd, _pipes.Scratch) is 0 or -Errno.EAGAIN))
        {
            Close();
            return Task.CompletedTask;
        }

        StreamSocket.ShutdownWrite(_fd);
        _isLingering = true;
        _isPaused = false;
        var ended = new TaskCompletionSource();
        _lingered = ended;
        _clock?.Dispose();
        _clock = _pipes.Time.CreateTimer(static self => ((PolledConnection)self!)._io.Post(static self => ((PolledConnection)self!).Close(), self), this, PolledPipes.LingerTime, Timeout.InfiniteTimeSpan);
        ReceiveMore();
        return ended.Task;
    }

    private void BreakAborted() => Break(_abortReason!);

    private void Break(Exception reason, bool forgets = true)
    {
        if (_fd < 0) return;
        StreamSocket.SetAbortive(_fd);
        CloseFd(forgets);
        CompleteInput(reason);
        Ended();
    }

    private void Close()
    {
        if (_fd < 0) return;
        CloseFd(forgets: true);
        CompleteInput(null);
        Ended();
    }

    private void CompleteInput(Exception? error)
    {
        _hasReadAll = true;
        if (_isInputComplete) return;
        _isInputComplete = true;
        _input.Writer.Complete(error);
    }

    private void CloseFd(bool forgets)
    {
        var fd = _fd;
        _fd = -1;
        _hasEnded = true;
        if (_isWatched && forgets) _io.Forget(_slot);
        _isWatched = false;
        StreamSocket.Close(fd);
    }

    private void Ended()
    {
        _clock?.Dispose();
        // Who waits for the end of the lingering comes first: what runs below is others' code.
        _lingered?.TrySetResult();
        // The send loop may wait for Kestrel or for the client; neither will come.
        _output.Reader.CancelPendingRead();
        _room.End();
        FireClosed();
    }

    private void FireClosed()
    {
        if (_closed.IsCancellationRequested) return;
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException error)
        {
            // All callbacks have run; one of them failed, which is its own affair.
            _io.Faults.Tell(error);
        }
    }

    private static ConnectionResetException Gone() => new ConnectionResetException("the connection is closed");

    private static IOException Error(int errno) => errno is Errno.ECONNRESET or Errno.EPIPE
        ? new ConnectionResetException("the client closed the connection")
        : new IOException($"the connection broke: {Errno.Name(errno)} ({errno})");
}
