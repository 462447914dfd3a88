using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary>A hub call without arguments about the server as a whole: answered at once, for any thread and at import time. As with uWSGI, arguments are ignored.</summary>
/// <param name="name">Name in Python.</param>
/// <param name="doc">Docstring after the signature.</param>
/// <param name="answer">Makes the answer.</param>
internal sealed class ServerCall(string name, string doc, Func<NewRef> answer) : HubCall(name, $"{name}()\n--\n\n{doc}", Arity.Any)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = answer().Detach();
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => answer().Detach();

    /// <summary>Python's True or None, as uWSGI's module answers yes and no.</summary>
    public static NewRef TrueOrNone(bool value) => new(PyFast.Singleton(value ? PyConstants.True : PyConstants.None));

    /// <summary>Python's True or False.</summary>
    public static NewRef TrueOrFalse(bool value) => new(PyFast.Singleton(value ? PyConstants.True : PyConstants.False));
}
