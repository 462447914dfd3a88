using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>uwsgi.async_sleep(seconds)</c>: registers a deadline for the next suspend() or yield. Fractions count. Returns b''.</summary>
internal sealed class AsyncSleepCall(NewRef emptyBytes, OutsideWaits outside) : HubCall("async_sleep",
    "async_sleep(seconds, /)\n--\n\nRegister a deadline for the next suspend() or yield; it does not wait by itself.\n\nseconds may be a float; 0 or less registers nothing. Returns b''.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Waits.AddDeadline(Arg.Timeout(Name, args, 0));
        green.Result = NewEmpty();
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        outside.AddDeadline(Arg.Timeout(Name, args, 0));
        return NewEmpty();
    }

    private nint NewEmpty()
    {
        CPython.Api.CApi.Py_IncRef(emptyBytes.Borrow());
        return emptyBytes.Address;
    }
}
