using UGreen.Py.CPython;

namespace UGreen.Py.Hub.Tests;

internal delegate CallOutcome CallBody(GreenThread green, in HubCallArguments args);

internal delegate nint OutsideBody(in HubCallArguments args, bool onHubThread);

/// <summary>A hub call made of functions.</summary>
internal sealed class TestCall(string name, CallBody body, Func<GreenThread, WakeCause, CallOutcome>? go = null, OutsideBody? outside = null, Arity? arity = null)
    : HubCall(name, $"{name}(*args)\n--\n\nA hub call of the tests.", arity ?? Arity.Any)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args) => body(green, args);

    public override CallOutcome Continue(GreenThread green, WakeCause cause) => go is null ? base.Continue(green, cause) : go(green, cause);

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => outside is null ? base.InvokeOutside(args, onHubThread) : outside(args, onHubThread);
}
