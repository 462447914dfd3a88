using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.with_item(frame, place)</c>, for reports about locks. Any thread with the GIL.</summary>
internal sealed class WithItemCall() : HubCall("with_item",
    "with_item(frame, place, /)\n--\n\nThe object whose __exit__ a with statement has put at that place of a frame's stack, counted from its first variable; None: it is not that. "
    + "Objects whose __exit__ is C are only found when they are locks.\n\nOnly for frames of green threads that wait, or of the caller. Any thread may call.", Arity.Exactly(2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = InvokeOutside(args, onHubThread: true);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var place = (int)Math.Min(Arg.Size(Name, args, 1), int.MaxValue);
        var item = PyLocks.WithItem(args.At(0), place);
        return item.IsNull ? PyFast.Singleton(PyConstants.None) : item.Detach();
    }
}
