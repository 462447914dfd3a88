using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>_ugreen.begin()</c>, the driver's first call: the environ of the request that this green thread was started for.</summary>
internal sealed class BeginCall(WsgiApplication application) : HubCall("begin", "begin()\n--\n\nThe environ of this green thread's request. For the driver only.", Arity.None)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        request.Attach(green);
        green.Result = application.Environ.Build(request.Exchange!, green.Number).Detach();
        return CallOutcome.Resume;
    }
}
