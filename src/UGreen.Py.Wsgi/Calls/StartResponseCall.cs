using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// WSGI's <c>start_response(status, headers, exc_info=None)</c> (PEP 3333). One built-in function serves all requests: the green thread that calls it tells which one.
/// Returns the write() callable.
/// </summary>
internal sealed class StartResponseCall(WsgiApplication application) : HubCall("start_response",
    "start_response(status, headers, exc_info=None)\n--\n\nSet the response's status and headers; see PEP 3333. Returns write(bytes).\n\n"
    + "Raises TypeError or ValueError for what is no status or no header, AssertionError for a second call without exc_info or after the headers were sent, SystemError where there is no request.", Arity.Any)
{
    /// <summary>What it returns; set when the functions exist.</summary>
    public BorrowedRef Write { get; set; }

    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        var status = args.Count > 0 ? args.At(0) : args.Keyword("status");
        var headers = args.Count > 1 ? args.At(1) : args.Keyword("headers") is { IsNull: false } h ? h : args.Keyword("response_headers");
        var excInfo = args.Count > 2 ? args.At(2) : args.Keyword("exc_info");
        if (status.IsNull || headers.IsNull || args.Count > 3) throw HubCallException.Type("start_response() takes status, headers and optionally exc_info");

        var again = !excInfo.IsNull && excInfo != PyConstants.None;
        if (request.State is ResponseState.Streaming or ResponseState.Done)
        {
            if (again) Reraise(excInfo);
            throw HubCallException.Assertion("start_response() was called after the headers were sent");
        }

        if (request.State == ResponseState.Head && !again) throw HubCallException.Assertion("start_response() was called twice without exc_info");
        request.HeadWithdrawn();
        application.Heads.Parse(status, headers, request.Exchange!.Head);
        if (application.Heads.LeftOut.Count > 0) Tell(request);
        request.HeadGiven();
        CApi.Py_IncRef(Write);
        green.Result = Write.Address;
        return CallOutcome.Resume;
    }

    private void Tell(WsgiRequest request)
    {
        foreach (var name in application.Heads.LeftOut) application.Tolerance.LeftOut(request, name);
    }

    // PEP 3333: with exc_info and headers already sent, the server must raise that very exception.
    private static void Reraise(BorrowedRef excInfo)
    {
        var value = CApi.PyTuple_Size(excInfo) == 3 ? CApi.PyTuple_GetItem(excInfo, 1) : BorrowedRef.Null;
        CApi.PyErr_Clear();
        if (value.IsNull || value == PyConstants.None) return;
        using var type = CApi.PyObject_Type(value);
        CApi.PyErr_SetObject(type.Borrow(), value);
        throw HubCallException.Pending();
    }
}
