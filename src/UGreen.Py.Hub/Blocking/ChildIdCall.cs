using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>waitid</c>.</summary>
internal sealed class ChildIdCall(string name) : BlockingFunction(name)
{
    private const int NoHang = 1;
    private const int Options = 3;
    private const int OneProcess = 1; // P_PID
    private const int PidFd = 3; // P_PIDFD
    private const int InfoPid = 16; // siginfo_t: si_signo, si_errno, si_code, padding, si_pid

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer) => Look(call, out answer) || (call.Int(Options) & NoHang) != 0;

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (wait.Call.Int(0) == OneProcess) wait.OwnFd = OwnProcess.OpenPidFd(wait.Call.Int(1));
        return Wait(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Look(wait.Call, out var answer) ? wait.Answer(answer) : Wait(wait);

    /// <inheritdoc/>
    public override CallOutcome Closed(BlockingWait wait)
    {
        if (wait.OwnFd < 0) return base.Closed(wait);
        wait.OwnFd = -1;
        return wait.ParkForLook();
    }

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => new(0);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} for {call.Int(1)}";

    private static CallOutcome Wait(BlockingWait wait)
    {
        var fd = wait.OwnFd >= 0 ? wait.OwnFd : wait.Call.Int(0) == PidFd ? wait.Call.Int(1) : -1;
        return fd < 0 ? wait.ParkForLook() : wait.WaitFd(fd, FdDirection.Read);
    }

    // Where nothing has happened it returns 0, and no pid.
    private static bool Look(NativeCall call, out BlockingAnswer answer)
    {
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        arguments[Options] = call.Int(Options) | NoHang;
        if (call[2] != 0) System.Runtime.InteropServices.Marshal.WriteInt32(call[2] + InfoPid, 0);
        var result = (int)call.Invoke(arguments, out var errno);
        answer = new BlockingAnswer(result, errno);
        return result != 0 || call[2] == 0 || NativeCall.Read32(call[2] + InfoPid) != 0;
    }
}
