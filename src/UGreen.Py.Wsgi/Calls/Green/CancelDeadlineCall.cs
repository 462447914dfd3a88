using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.cancel_deadline(number)</c>: True when its exception has not been raised, and then it will not be.</summary>
internal sealed class CancelDeadlineCall(Deadlines deadlines) : HubCall("cancel_deadline",
    "cancel_deadline(number, /)\n--\n\nTake a deadline back. Returns True when its exception has not been raised; it will not be then.\n\n"
    + "Raises what a wait within C was ended for in this green thread, if that has not been raised yet.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var number = Arg.GreenId(Name, args, 0);
        var told = green.TakeTold();
        var early = deadlines.Cancel(number);
        if (told is not null) throw told;
        green.Result = PyFast.Singleton(early ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        // A generator that is closed by the collector, outside its green thread: the hub's thread all the same, or there is nothing to cancel.
        return PyFast.Singleton(onHubThread && deadlines.Cancel(Arg.GreenId(Name, args, 0)) ? PyConstants.True : PyConstants.False);
    }
}
