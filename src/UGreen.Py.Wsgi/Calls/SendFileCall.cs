using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>_ugreen.send_file(fd, offset, length)</c>: a part of a regular file as the next part of the body, for <c>uwsgi.sendfile()</c>. A pool thread copies it into the response
/// without Python and without the GIL; the green thread is parked meanwhile and may send more afterwards. Returns how many bytes went out: less than length when the
/// application's Content-Length leaves no room for more.
/// </summary>
internal sealed class SendFileCall(WsgiApplication application) : HubCall("send_file",
    "send_file(fd, offset, length, /)\n--\n\nSend a part of a regular file. Raises OSError when the client is gone or the file ends too early. For the driver only.", Arity.Exactly(3))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        var (fd, offset, length) = (Arg.Fd(Name, args, 0), Arg.Size(Name, args, 1), Arg.Size(Name, args, 2));
        if (request.State == ResponseState.None) throw HubCallException.Assertion("the application sent a file before it called start_response()");
        if (request.ClientGone) throw SendCall.Gone();
        if (request.Exchange is not { } exchange || request.IsBodyless) return Answer(green, 0);

        if (exchange.Head.ContentLength is { } declared) length = Math.Min(length, declared - request.BytesOut);
        request.PendingFile = CopyAsync(request, exchange, fd, offset, length);
        if (request.PendingFile.IsCompleted) return Continue(green, WakeCause.Completed);
        var serial = green.Park(this, ParkReason.Operation);
        var inbox = application.Hub.Inbox;
        request.PendingFile.GetAwaiter().UnsafeOnCompleted(() => inbox.Post(green, null, serial));
        return CallOutcome.Park;
    }

    /// <summary>The copy is done.</summary>
    public override CallOutcome Continue(GreenThread green, WakeCause cause)
    {
        var request = WsgiApplication.RequestOf(green);
        var copied = request.PendingFile!.GetAwaiter().GetResult();
        request.PendingFile = null;
        request.CountBody(copied.Bytes);
        if (copied.End == FileCopyEnd.Done) return Answer(green, copied.Bytes);
        if (copied.End == FileCopyEnd.FileFailed)
        {
            request.BreakOff();
            throw HubCallException.Os(Errno.EIO, $"the file could not be sent to its end: {copied.Error}");
        }

        request.LostClient();
        if (request.Exchange is { } exchange) exchange.WriteFailed = true;
        throw SendCall.Gone();
    }

    private static Task<FileCopied> CopyAsync(WsgiRequest request, GatewayExchange exchange, int fd, long offset, long length)
    {
        try
        {
            var file = FileDescriptors.Duplicate(fd);
            try
            {
                if (request.State == ResponseState.Head)
                {
                    exchange.StartStreaming();
                    request.StreamingStarted();
                }
            }
            catch
            {
                file.Dispose();
                throw;
            }

            var output = exchange.Output;
            return Task.Run(async () =>
            {
                using (file) return await FileCopy.RunAsync(output, file, offset, length).ConfigureAwait(false);
            });
        }
        catch (LinuxException error)
        {
            throw HubCallException.Os(error.Errno, $"the file cannot be sent: {error.Message}");
        }
    }

    private static CallOutcome Answer(GreenThread green, long sent)
    {
        green.Result = CApi.PyLong_FromLongLong(sent).OrThrow().Detach();
        return CallOutcome.Resume;
    }
}
