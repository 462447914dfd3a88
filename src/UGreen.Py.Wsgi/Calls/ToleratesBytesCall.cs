using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>_ugreen.tolerates_bytes()</c>: the application returned a bytes object, which PEP 3333 forbids and uWSGI sends.</summary>
internal sealed class ToleratesBytesCall(WsgiApplication application) : HubCall("tolerates_bytes",
    "tolerates_bytes()\n--\n\nWhether a bytes object that the application returned is sent as one piece; the log is told once. For the driver only.", Arity.None)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var tolerance = application.Tolerance;
        if (!tolerance.IsStrict) tolerance.Whole(WsgiApplication.RequestOf(green));
        green.Result = PyFast.Singleton(tolerance.IsStrict ? PyConstants.False : PyConstants.True);
        return CallOutcome.Resume;
    }
}
