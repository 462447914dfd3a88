using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.share_out(address, fresh)</c>: a C library's word for the hub thread becomes one for each core. ugreen/_greenlets.py has found and checked it.</summary>
internal sealed class ShareOutCall(HubLoop hub) : HubCall("share_out",
    "share_out(address, fresh, /)\n--\n\nGive each core its own value of the word of memory at this address, beginning with another one. Returns False on another OS thread than the hub's, and when there is a word already.", Arity.Exactly(2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = InvokeOutside(args, onHubThread: true);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var address = (nint)Arg.Size(Name, args, 0);
        var fresh = (nint)Arg.Size(Name, args, 1);
        return PyFast.Singleton(onHubThread && hub.ShareOut(address, fresh) ? PyConstants.True : PyConstants.False);
    }
}
