using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Machine;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Wsgi;

/// <summary>Makes blocking calls of Python and of C libraries wait green (docs/adr/0040), where this process has what that needs.</summary>
internal static partial class BlockingSetup
{
    /// <summary>Hub thread, after Python has started.</summary>
    /// <exception cref="WsgiLoadException">They were asked for, and this process has not what they need.</exception>
    /// <returns>A builtin function that gives the number of the OS thread, whatever <c>get_ident</c> says.</returns>
    public static NewRef Install(WsgiSettings settings, HubLoop hub, GreenSwitch greenSwitch, GreenStacks stacks, ILogger log)
    {
        if (settings.BlockingCalls == BlockingMode.Off) return OwnIdent();
        if (settings.Switch != SwitchKind.Direct)
        {
            NotWithPosix(log);
            return OwnIdent();
        }

        if (PreloadedStubs.Find() is not { } stubs)
        {
            var why = settings.WhyNotPreloaded();
            if (settings.BlockingCalls == BlockingMode.Required) throw new WsgiLoadException($"--ugreen-blocking=true: blocking calls cannot wait green here: {why}");
            NotPreloaded(log, why);
            return OwnIdent();
        }

        var door = greenSwitch.OpenDoor(LibPython.Symbol("PyLong_FromUnsignedLong"), ThreadIdentity.OsThread);
        KeepApart(stubs, log);
        hub.ServeBlockingCalls(stubs, stacks, door, settings.Threads);
        return ThreadIdentity.Install(door.GetIdent, door.Method, WaitDoor.RLockOwner);
    }

    /// <summary>CPython's own get_ident.</summary>
    public static NewRef OwnIdent()
    {
        using var module = CApi.PyImport_ImportModule("_thread").OrThrow();
        return CApi.PyObject_GetAttrString(module.Borrow(), "get_ident").OrThrow();
    }

    // CPython's own waits for the GIL, and the runtime's for its collector, may come from a green stack: the hub could not serve them, as it needs what they wait for.
    private static void KeepApart(PreloadedStubs stubs, ILogger log)
    {
        var python = LibPython.Symbol("PyEval_RestoreThread");
        var code = CodeMappings.All();
        List<CodeMappings.Range> apart = [.. code.Where(r => r.Has(python)), .. code.Where(r => IsRuntime(Path.GetFileName(r.Path)))];
        if (apart.Count is < 2 or > PreloadedStubs.MostApart || !apart[0].Has(python))
        {
            NotApart(log);
            CodeMappings.Range anything = new(1, nint.MaxValue, "");
            apart = [anything, anything];
        }

        stubs.KeepApart([.. apart.Select(r => (r.Low, r.High))]);
    }

    // By their names: the folder may be known by another one than that by which they were loaded.
    private static bool IsRuntime(string file)
        => file.EndsWith(".so", StringComparison.Ordinal) && (file.StartsWith("libcoreclr", StringComparison.Ordinal) || file.StartsWith("libclr", StringComparison.Ordinal) || file.StartsWith("libSystem.", StringComparison.Ordinal));

    [LoggerMessage(EventId = 784, Level = LogLevel.Warning, Message = "pthread_cond_wait() and sched_yield() of C libraries hold up the worker: /proc/self/maps does not tell where Python's own code and the .NET runtime's is")]
    private static partial void NotApart(ILogger log);

    [LoggerMessage(EventId = 785, Level = LogLevel.Information, Message = "blocking calls hold up the worker: with --ugreen-switch posix they do not wait green")]
    private static partial void NotWithPosix(ILogger log);

    [LoggerMessage(EventId = 786, Level = LogLevel.Warning, Message = "blocking calls hold up the worker: {Why}")]
    private static partial void NotPreloaded(ILogger log, string why);
}
