using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>A hub call without arguments that answers at once with an int. As with uWSGI, arguments are ignored.</summary>
/// <param name="name">Name in Python.</param>
/// <param name="doc">Docstring after the signature.</param>
/// <param name="answer">The answer in a green thread; may throw <see cref="HubCallException"/>.</param>
/// <param name="outside">The answer elsewhere; null: it is an error there.</param>
internal sealed class RequestCall(string name, string doc, Func<GreenThread, long> answer, Func<long>? outside = null) : HubCall(name, $"{name}()\n--\n\n{doc}", Arity.Any)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = CApi.PyLong_FromLongLong(answer(green)).OrThrow().Detach();
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
        => outside is null ? base.InvokeOutside(args, onHubThread) : CApi.PyLong_FromLongLong(outside()).OrThrow().Detach();
}
