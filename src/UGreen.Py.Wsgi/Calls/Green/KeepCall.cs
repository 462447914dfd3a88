using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.keep(object)</c>: holds an object until this green thread has ended. Its finalizer is how <c>ugreen.local</c> hears of the end.</summary>
internal sealed class KeepCall() : HubCall("keep",
    "keep(object, /)\n--\n\nKeep a reference to an object until this green thread has ended. Raises RuntimeError outside a green thread.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Keep(args.At(0));
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => throw HubCallException.Runtime("keep() works on a green thread only");
}
