using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>fcntl</c> with F_SETLKW or F_OFD_SETLKW, the only commands that come here: tried first, and waited for on a thread of the pool.</summary>
internal sealed class RecordLockCall(string name) : PoolCall(name)
{
    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);

        // F_SETLK is one less than F_SETLKW, and F_OFD_SETLK than F_OFD_SETLKW.
        arguments[1] = call.Int(1) - 1;
        var result = call.Invoke(arguments, out var errno);
        answer = new BlockingAnswer(result, errno);
        return (int)result == 0 || errno is not (Errno.EAGAIN or Errno.EACCES);
    }

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on fd {call.Int(0)}";
}
