using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>_ugreen.read_into(buffer)</c>: fills a writable buffer with request body bytes, at least one unless the body has ended (0), and parks while none are there.
/// The bytes are copied once, from the front's pipe into Python's buffer.
/// </summary>
internal sealed class ReadIntoCall(WsgiApplication application) : HubCall("read_into",
    "read_into(buffer, /)\n--\n\nRead request body bytes into buffer; returns how many, 0 at the end. Raises OSError when the client is gone. For the driver only.")
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        Arg.Count(Name, args, 1, 1);
        var request = WsgiApplication.RequestOf(green);
        return request.Exchange is { HasBody: true } ? Read(green, request, args.At(0)) : Answer(green, 0);
    }

    public override CallOutcome Continue(GreenThread green, WakeCause cause) => Copy(green, WsgiApplication.RequestOf(green), green.Arguments.At(0));

    private CallOutcome Read(GreenThread green, WsgiRequest request, BorrowedRef target)
    {
        try
        {
#pragma warning disable CA2012 // kept in the request because the wait spans a park; it is still awaited exactly once
            request.PendingRead = request.Exchange!.Body.ReadAsync();
#pragma warning restore CA2012
        }
        catch (Exception error) when (IsBroken(error))
        {
            throw Broken(request, error);
        }

        if (request.PendingRead.IsCompleted) return Copy(green, request, target);
        var serial = green.Park(this, ParkReason.Operation);
        var inbox = application.Hub.Inbox;
        request.PendingRead.GetAwaiter().UnsafeOnCompleted(() => inbox.Post(green, null, serial));
        return CallOutcome.Park;
    }

    private CallOutcome Copy(GreenThread green, WsgiRequest request, BorrowedRef target)
    {
        ReadResult read;
        try
        {
            read = request.PendingRead.GetAwaiter().GetResult();
        }
        catch (Exception error) when (IsBroken(error))
        {
            throw Broken(request, error);
        }

        // Whatever happens, the pipe must be told how far we got: it refuses a second read otherwise.
        var end = read.Buffer.Start;
        int length;
        bool isWhole;
        try
        {
            using var buffer = WritableBuffer.Open(target);
            var piece = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, buffer.Span.Length));
            piece.CopyTo(buffer.Span);
            length = (int)piece.Length;
            end = piece.End;
            if (buffer.Span.Length == 0) return Answer(green, 0);
        }
        finally
        {
            isWhole = TryAdvance(request.Exchange!.Body, end);
        }

        // The bytes came, but their client is gone.
        if (!isWhole) throw Broken(request, new OperationCanceledException("the client has left"));

        if (read.IsCanceled) throw HubCallException.Os(Errno.EIO, "error during read on wsgi.input: the read was cancelled");
        return length > 0 || read.IsCompleted ? Answer(green, length) : Read(green, request, target);
    }

    /// <summary>False when the request was broken off since the read; Kestrel's HTTP/2 says it here.</summary>
    private static bool TryAdvance(PipeReader body, SequencePosition end)
    {
        try
        {
            body.AdvanceTo(end);
            return true;
        }
        catch (Exception error) when (IsBroken(error))
        {
            return false;
        }
    }

    private static bool IsBroken(Exception error) => error is IOException or OperationCanceledException or InvalidOperationException;

    private static CallOutcome Answer(GreenThread green, int length)
    {
        green.Result = CApi.PyLong_FromLongLong(length).OrThrow().Detach();
        return CallOutcome.Resume;
    }

    private static HubCallException Broken(WsgiRequest request, Exception error)
    {
        // The front may cancel its token a moment later. A body that is only malformed has another cause, and a client that waits for the answer.
        if (error is OperationCanceledException || error.InnerException is SocketException) request.LostClient();
        return HubCallException.Os(Errno.EIO, $"error during read on wsgi.input: {error.Message}");
    }
}
