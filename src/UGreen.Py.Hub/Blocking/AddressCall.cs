using System.Runtime.InteropServices;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>getaddrinfo</c>: an address in figures is read at once, which is what most clients ask for again and again; only names go to the pool.</summary>
internal sealed class AddressCall(string name) : PoolCall(name)
{
    private const int Hints = 2;

    // struct addrinfo: first the flags. AI_V4MAPPED and AI_ADDRCONFIG are what no hints mean.
    private const int HintBytes = 48;
    private const int NumericHost = 0x4;
    private const int NumericService = 0x400;
    private const int Defaults = 0x8 | 0x20;

    // For the length of one call, which does not wait.
    private readonly nint _hints = Marshal.AllocHGlobal(HintBytes);

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        var hints = call[Hints];
        for (var offset = 0; offset < HintBytes; offset += sizeof(long)) Marshal.WriteInt64(_hints, offset, hints == 0 ? 0 : Marshal.ReadInt64(hints, offset));
        Marshal.WriteInt32(_hints, (hints == 0 ? Defaults : Marshal.ReadInt32(hints)) | NumericHost | NumericService);
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        arguments[Hints] = _hints;
        var result = (int)call.Invoke(arguments, out _);
        answer = new BlockingAnswer(result);

        // Whatever is wrong is told by the call as it was made.
        return result == 0;
    }
}
