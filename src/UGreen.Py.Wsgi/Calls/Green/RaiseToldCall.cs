using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary>
/// <c>_ugreen.raise_told()</c>: raises the exception for which a wait of this green thread within C was ended, if that has not happened yet. A C library that fails because its wait was
/// ended raises an error of its own, and this is what tells the reason.
/// </summary>
internal sealed class RaiseToldCall() : HubCall("raise_told",
    "raise_told()\n--\n\nRaise the exception for which a wait of this green thread within C was ended, unless it was raised already. For this package only.", Arity.None)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        if (green.TakeTold() is { } told) throw told;
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => PyFast.Singleton(PyConstants.None);
}
