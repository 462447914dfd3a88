using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>flock</c> and <c>lockf</c>: tried first, and waited for on a thread of the pool.</summary>
internal sealed class FileLockCall(string name) : PoolCall(name)
{
    // LOCK_NB of flock; F_LOCK and F_TLOCK of lockf.
    private const int NonBlocking = 4;
    private const int Lock = 1;
    private const int TryLock = 2;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        var command = call.Int(1);
        var mayWait = Name == "flock" ? (command & NonBlocking) == 0 : command == Lock;
        if (mayWait) arguments[1] = Name == "flock" ? command | NonBlocking : TryLock;
        var result = call.Invoke(arguments, out var errno);
        answer = new BlockingAnswer(result, errno);
        return !mayWait || (int)result == 0 || errno is not (Errno.EAGAIN or Errno.EACCES);
    }

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0))}";
}
