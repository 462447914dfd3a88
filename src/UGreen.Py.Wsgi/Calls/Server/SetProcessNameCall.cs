using UGreen.Py.CPython;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary><c>uwsgi.setprocname(name)</c>. Any thread, also at import time.</summary>
internal sealed class SetProcessNameCall() : HubCall("setprocname",
    "setprocname(name, /)\n--\n\nSet what ps shows of this process. What is longer than its command line is cut. Returns None.\n\nRaises TypeError for what is no str, ValueError for one with a NUL.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = Rename(args);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => Rename(args);

    private static nint Rename(in HubCallArguments args)
    {
        var name = PyText.ToText(args.At(0)) ?? throw HubCallException.Type("setprocname(): name must be a str (without lone surrogates)");
        if (name.Contains('\0', StringComparison.Ordinal)) throw HubCallException.Value("setprocname(): name holds a NUL");
        ProcessTitle.Set(name);
        return PyFast.Singleton(PyConstants.None);
    }
}
