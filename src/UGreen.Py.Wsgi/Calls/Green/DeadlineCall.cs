using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.deadline(seconds, exception)</c>: raises the exception in this green thread when the time is over.</summary>
internal sealed class DeadlineCall(Deadlines deadlines) : HubCall("deadline",
    "deadline(seconds, exception, /)\n--\n\nRaise an exception object in this green thread when the time is over. Returns a number for cancel_deadline(), which must be called.", Arity.Exactly(2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var time = Math.Max(0, Arg.WaitTime(Name, args, 0));
        var number = deadlines.Set(green, time, Arg.Exception(Name, args, 1));
        green.Result = CApi.PyLong_FromLongLong(number).OrThrow().Detach();
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => throw HubCallException.Runtime("a time-out works on a green thread only");
}
