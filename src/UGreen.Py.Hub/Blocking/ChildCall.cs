using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>waitpid</c>, <c>wait4</c>, <c>wait</c>, <c>wait3</c>: the end of one child makes its pidfd readable; for the end of any there are looks.</summary>
/// <param name="name">The function.</param>
/// <param name="pid">Which argument the pid is; -1: none, it is any child.</param>
/// <param name="options">Which argument the options are; -1: none.</param>
internal sealed class ChildCall(string name, int pid, int options) : BlockingFunction(name)
{
    private const int NoHang = 1;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = Look(call);
        return answer.Result != 0 || (options >= 0 && (call.Int(options) & NoHang) != 0);
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (pid >= 0 && wait.Call.Int(pid) > 0) wait.OwnFd = OwnProcess.OpenPidFd(wait.Call.Int(pid));
        return Wait(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Look(wait.Call) is { Result: not 0 } answer ? wait.Answer(answer) : Wait(wait);

    // Its own descriptor, closed by somebody who closes them all.
    /// <inheritdoc/>
    public override CallOutcome Closed(BlockingWait wait)
    {
        wait.OwnFd = -1;
        return Wait(wait);
    }

    // Not EINTR, after which CPython would wait on; with 0 subprocess asks again, and hears of the exception between the two.
    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => new(0);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => pid >= 0 ? $"{Name} for process {call.Int(pid)}" : Name;

    private static CallOutcome Wait(BlockingWait wait) => wait.OwnFd < 0 ? wait.ParkForLook() : wait.WaitFd(wait.OwnFd, FdDirection.Read);

    private BlockingAnswer Look(NativeCall call)
    {
        if (options < 0)
        {
            var ended = Libc.waitpid_into(-1, call[0], NoHang);
            return new BlockingAnswer(ended, System.Runtime.InteropServices.Marshal.GetLastPInvokeError());
        }

        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        arguments[options] = call.Int(options) | NoHang;
        var result = call.Invoke(arguments, out var errno);
        return new BlockingAnswer((int)result, errno);
    }
}
