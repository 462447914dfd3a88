using System.Buffers;
using System.IO.Pipelines;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>_ugreen.read_into(buffer, timeout=None)</c>: fills a writable buffer with request body bytes, at least one unless the body has ended (0), and parks while none are there.
/// The bytes are copied once, from the front's pipe into Python's buffer. With a time-out in seconds it raises OSError when that is over; with 0 it does not wait and
/// returns None. Then the read itself stays under way, and the next call goes on with it: no byte is lost.
/// </summary>
internal sealed class ReadIntoCall(WsgiApplication application) : HubCall("read_into",
    "read_into(buffer, timeout=None, /)\n--\n\nRead request body bytes into buffer; returns how many, 0 at the end. Raises OSError when the client is gone. For the driver only.", Arity.Between(1, 2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        if (request.BodyEnded) return Answer(green, 0);

        // The front passes over what is left; to say "end" here would make half a body look like a whole one.
        if (request.Exchange is null) throw HubCallException.Os(Errno.EPIPE, "error during read on wsgi.input: the response is complete, and what was left of the body is gone");
        return Read(green, request, args);
    }

    public override CallOutcome Continue(GreenThread green, WakeCause cause)
    {
        var request = WsgiApplication.RequestOf(green);
        request.DisarmRead();
        request.Pending = PendingOperation.None;
        if (cause != WakeCause.Timeout) return Copy(green, request, green.Arguments);
        throw HubCallException.Os(Errno.ETIMEDOUT, "error during read on wsgi.input: nothing came within the time-out");
    }

    private CallOutcome Read(GreenThread green, WsgiRequest request, in HubCallArguments args)
    {
        var waits = args.Count < 2 || args.At(1) == PyConstants.None;
        var timeout = Arg.Timeout(Name, args, 1);
        Task<ReadResult>? unfinished = request.UnfinishedRead;
        if (unfinished is null)
        {
            try
            {
#pragma warning disable CA2012 // kept in the request because the wait spans a park; it is still awaited exactly once
                request.PendingRead = request.Exchange!.Body.ReadAsync();
#pragma warning restore CA2012
            }
            catch (Exception error) when (ClientFault.Is(error))
            {
                throw Broken(request, error);
            }

            if (request.PendingRead.IsCompleted) return Copy(green, request, args);

            // Who may stop waiting before the read ends needs something that can be asked again, and waited for again.
            if (!waits) request.UnfinishedRead = unfinished = request.PendingRead.AsTask();
        }

        if (unfinished is { IsCompleted: true }) return Copy(green, request, args);
        if (!waits && timeout == 0)
        {
            green.Result = PyFast.Singleton(PyConstants.None);
            return CallOutcome.Resume;
        }

        var serial = green.Park(this, ParkReason.Operation);
        request.Pending = PendingOperation.Read;
        var inbox = application.Hub.Inbox;
        if (timeout > 0) request.ArmRead(timeout, serial);
        if (unfinished is not null) unfinished.GetAwaiter().UnsafeOnCompleted(() => inbox.Post(green, null, serial));
        else request.PendingRead.GetAwaiter().UnsafeOnCompleted(() => inbox.Post(green, null, serial));
        return CallOutcome.Park;
    }

    private CallOutcome Copy(GreenThread green, WsgiRequest request, in HubCallArguments args)
    {
        ReadResult read;
        try
        {
            var unfinished = request.UnfinishedRead;
            request.UnfinishedRead = null;
            read = unfinished is null ? request.PendingRead.GetAwaiter().GetResult() : unfinished.GetAwaiter().GetResult();
        }
        catch (Exception error) when (ClientFault.Is(error))
        {
            throw Broken(request, error);
        }

        // Whatever happens, the pipe must be told how far we got: it refuses a second read otherwise.
        var end = read.Buffer.Start;
        int length;
        bool isWhole;
        try
        {
            using var buffer = WritableBuffer.Open(args.At(0));
            var piece = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, buffer.Span.Length));
            piece.CopyTo(buffer.Span);
            length = (int)piece.Length;
            end = piece.End;
            request.BodyEnded = read.IsCompleted && length == read.Buffer.Length;
            if (buffer.Span.Length == 0) return Answer(green, 0);
        }
        finally
        {
            isWhole = TryAdvance(request.Exchange!.Body, end);
        }

        // The bytes came, but their client is gone.
        if (!isWhole) throw Broken(request, new OperationCanceledException("the client has left"));

        // Bytes that came at the same moment count more: they have been taken from the pipe, and the exception waits for the next wait.
        if (read.IsCanceled && length == 0 && green.TakeInterrupt() is { } interrupt) throw interrupt;
        if (read.IsCanceled && length == 0) throw HubCallException.Os(Errno.EIO, "error during read on wsgi.input: the read was cancelled");
        return length > 0 || read.IsCompleted ? Answer(green, length) : Read(green, request, args);
    }

    /// <summary>False when the request was broken off since the read; Kestrel's HTTP/2 says it here.</summary>
    private static bool TryAdvance(PipeReader body, SequencePosition end)
    {
        try
        {
            body.AdvanceTo(end);
            return true;
        }
        catch (Exception error) when (ClientFault.Is(error))
        {
            return false;
        }
    }

    private static CallOutcome Answer(GreenThread green, int length)
    {
        green.Result = CApi.PyLong_FromLongLong(length).OrThrow().Detach();
        return CallOutcome.Resume;
    }

    private HubCallException Broken(WsgiRequest request, Exception error) => BodyFault.Raise(application, request, error);
}
