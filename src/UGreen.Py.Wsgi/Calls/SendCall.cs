using System.Buffers;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// One piece of the response body on its way out: the driver's <c>send(chunk)</c> for items of the iterable, and the application's <c>write(bytes)</c>.
/// <list type="number">
/// <item>Nothing sent yet and the piece is the whole declared body: it leaves in one write, together with the head.</item>
/// <item>Otherwise the head is committed and the piece is copied into the response pipe, at most <see cref="PieceBytes"/> at a time; each copy is flushed.</item>
/// <item>While the client is slow the flush does not finish: the green thread parks, and goes on with the next copy when it has.</item>
/// <item>Then the others run (or, with something registered, the green thread waits for that): every yield is a switch point.</item>
/// </list>
/// Returns None; after a wait for something registered the fd that ended it, -1 for its deadline, -2 for anything else.
/// </summary>
internal sealed class SendCall(string name, bool yields, WsgiApplication application) : HubCall(name, $"{name}(data, /)\n--\n\nSend bytes of the response body. Raises OSError when the client is gone.", Arity.Exactly(1))
{
    // A piece is copied into the pipe before its backpressure is felt, so this bounds what one slow client holds beyond the front's own buffer (128 KiB). With a chunk's frame
    // around it, it fits into one of the front's blocks of 64 KiB.
    internal const int PieceBytes = (64 * 1024) - 64;

    // What leaves in one write together with the head.
    private const int WholeBytes = 64 * 1024;

    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        if (!PyText.TryGetBytes(args.At(0), out var data)) throw NotBytes(args);
        if (data.Length == 0) return Switch(green);
        if (request.State == ResponseState.None) throw HubCallException.Assertion("the application sent a body before it called start_response()");
        if (request.ClientGone) throw Gone();
        if (request.Exchange is not { } exchange) throw TooLong(0);

        var declared = exchange.Head.ContentLength;
        if (declared is { } limit && request.BytesOut + data.Length > limit && !request.IsBodyless) throw TooLong(limit - request.BytesOut);
        if (request.IsBodyless) return Switch(green);
        if (request.State == ResponseState.Head && declared == data.Length && data.Length <= WholeBytes)
        {
            data.CopyTo(exchange.SetWholeBody(data.Length));
            request.CountBody(data.Length);
            request.Finish(ExchangeOutcome.Whole);
            green.Result = PyFast.Singleton(PyConstants.None);
            return CallOutcome.Resume;
        }

        if (request.State == ResponseState.Head)
        {
            exchange.StartStreaming();
            request.StreamingStarted();
        }

        request.SendOffset = 0;
        return Push(green, request, args.At(0));
    }

    /// <summary>The flush that it was parked for is done, or what the application had registered before its yield has happened.</summary>
    public override CallOutcome Continue(GreenThread green, WakeCause cause)
    {
        if (cause != WakeCause.Completed) return Tell(green, CallOutcome.Resume);
        var request = WsgiApplication.RequestOf(green);
        request.Pending = PendingOperation.None;
        Settled(request);
        // A flush that was cancelled need not say so (Kestrel's do not); what it has taken is with the front, and the rest stays unsent.
        if (green.TakeInterrupt() is { } interrupt) throw interrupt;
        return Push(green, request, green.Arguments.At(0));
    }

    private CallOutcome Push(GreenThread green, WsgiRequest request, BorrowedRef chunk)
    {
        _ = PyText.TryGetBytes(chunk, out var data);
        var output = request.Exchange!.Output;
        while (request.SendOffset < data.Length)
        {
            var piece = data.Slice(request.SendOffset, Math.Min(PieceBytes, data.Length - request.SendOffset));
            // As one block of memory where the front has such, less what it puts around a piece (chunks).
            var room = output.GetSpan(piece.Length);
            if (piece.Length > room.Length) piece = piece[..room.Length];
            piece.CopyTo(room);
            output.Advance(piece.Length);
            request.SendOffset += piece.Length;
            request.CountBody(piece.Length);
#pragma warning disable CA2012 // kept in the request because the wait spans a park; it is still awaited exactly once
            request.PendingFlush = output.FlushAsync();
#pragma warning restore CA2012
            if (request.PendingFlush.IsCompleted)
            {
                Settled(request);
                continue;
            }

            Park(green, request);
            return CallOutcome.Park;
        }

        return Switch(green);
    }

    private void Park(GreenThread green, WsgiRequest request)
    {
        var serial = green.Park(this, ParkReason.Operation);
        request.Pending = PendingOperation.Flush;
        var inbox = application.Hub.Inbox;
        request.PendingFlush.GetAwaiter().UnsafeOnCompleted(() => inbox.Post(green, null, serial));
    }

    private static void Settled(WsgiRequest request)
    {
        try
        {
            var result = request.PendingFlush.GetAwaiter().GetResult();
            // Only an interrupt cancels a flush.
            if (!result.IsCompleted) return;
        }
        catch (Exception error) when (ClientFault.Is(error))
        {
            // The flush is broken: what follows says the same.
        }

        if (request.Exchange is { } exchange) exchange.WriteFailed = true;

        // The front may cancel its token a moment later; whoever asks from now on must hear it already.
        request.LostClient();
        throw Gone();
    }

    private CallOutcome Switch(GreenThread green)
    {
        if (yields && !green.Waits.IsEmpty)
        {
            var outcome = green.Waits.Suspend(this);
            return outcome == CallOutcome.Park ? outcome : Tell(green, outcome);
        }

        green.Result = PyFast.Singleton(PyConstants.None);
        return yields ? green.Waits.Suspend() : CallOutcome.Resume;
    }

    // For the environ's keys about the last wait; see the driver.
    private static CallOutcome Tell(GreenThread green, CallOutcome outcome)
    {
        green.Result = CApi.PyLong_FromLongLong(green.Waits.TimedOut ? -1 : green.Waits.ReadyFd >= 0 ? green.Waits.ReadyFd : -2).OrThrow().Detach();
        return outcome;
    }

    internal static HubCallException Gone() => HubCallException.Os(Errno.EPIPE, "write error: the client went away");

    private static HubCallException TooLong(long room)
        => HubCallException.Value($"the application sent more than its Content-Length ({room} bytes were left)");

    private static HubCallException NotBytes(in HubCallArguments args)
    {
        using var type = CApi.PyObject_Type(args.At(0));
        using var typeName = CApi.PyObject_GetAttrString(type.Borrow(), "__name__");
        return HubCallException.Type($"the response body must be made of bytes, not {PyText.ToText(typeName.Borrow()) ?? "this"}");
    }
}
