using UGreen.Py.CPython;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>_ugreen.respond_file(fd, offset, length)</c>: the application returned a file_wrapper around a regular file. The front gets a descriptor of its own and sends the rest of
/// the response by itself, at the client's pace; the green thread is done. Returns True then; False when something was written already, so that the driver must send the file.
/// </summary>
internal sealed class RespondFileCall() : HubCall("respond_file", "respond_file(fd, offset, length, /)\n--\n\nLet the front send a part of a regular file as the whole body. For the driver only.", Arity.Exactly(3))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        var taken = TryRespond(request, Arg.Fd(Name, args, 0), Arg.Size(Name, args, 1), Arg.Size(Name, args, 2));
        green.Result = PyFast.Singleton(taken ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }

    private static bool TryRespond(WsgiRequest request, int fd, long offset, long length)
    {
        if (request.State == ResponseState.None) throw HubCallException.Assertion("the application returned a file before it called start_response()");
        if (request.State != ResponseState.Head) return false;
        var exchange = request.Exchange!;
        var head = exchange.Head;
        if (request.IsBodyless)
        {
            if (exchange.Method == "HEAD" && !ResponseRules.HasNoBody(head.Status)) head.ContentLength ??= length;
            request.Finish(ExchangeOutcome.Whole);
            return true;
        }

        // PEP 3333: until the end of the file is reached, or until Content-Length bytes have been sent.
        head.ContentLength ??= length;
        if (head.ContentLength > length)
            throw HubCallException.Value($"the file has {head.ContentLength - length} bytes less than the application's Content-Length"); // before anything left, so it can be a 500
        request.CountBody(head.ContentLength.Value);
        if (head.ContentLength == 0)
        {
            request.Finish(ExchangeOutcome.Whole);
            return true;
        }

        try
        {
            exchange.SetFile(FileDescriptors.Duplicate(fd), offset, head.ContentLength.Value);
        }
        catch (LinuxException error)
        {
            throw HubCallException.Os(error.Errno, $"the file cannot be sent: {error.Message}");
        }

        request.Finish(ExchangeOutcome.File);
        return true;
    }
}
