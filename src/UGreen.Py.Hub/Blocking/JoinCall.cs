using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>pthread_join</c>: of a thread that has not ended, on a thread of the pool. The calling thread's own end cannot be waited for.</summary>
internal sealed class JoinCall(string name) : PoolCall(name)
{
    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        var error = call[0] == Libc.pthread_self() ? Errno.EDEADLK : Libc.pthread_tryjoin_np(call[0], call[1]);
        answer = new BlockingAnswer(error);
        return error != Errno.EBUSY;
    }
}
