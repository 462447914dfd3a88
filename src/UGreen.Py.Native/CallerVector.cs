using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>An array of struct iovec in the memory of whoever calls the C library, and transfers of a part of it that do not wait.</summary>
// SAFETY: the caller of the C library vouches for the array and for what it leads to, until its call returns; nothing is read that C would not read.
public readonly unsafe struct CallerVector(nint address, nint count)
{
    private const int DontWait = 0x40;
    /// <summary>The vector of a struct msghdr.</summary>
    public static CallerVector OfMessage(nint header) => new((nint)((Libc.MessageHeader*)header)->Vectors, (nint)((Libc.MessageHeader*)header)->VectorCount);

    /// <summary>Bytes of all its parts.</summary>
    public nint Total
    {
        get
        {
            nint total = 0;
            for (nint i = 0; i < count; i++) total += (nint)((Libc.IoVector*)address)[i].Bytes;
            return total;
        }
    }

    /// <summary>What is left of the first part that is not done.</summary>
    public (nint Address, nint Bytes) Rest(nint done)
    {
        for (nint i = 0; i < count; i++)
        {
            var part = ((Libc.IoVector*)address)[i];
            if (done < (nint)part.Bytes) return ((nint)part.Base + done, (nint)part.Bytes - done);
            done -= (nint)part.Bytes;
        }

        return (0, 0);
    }

    /// <summary>Sends all of it as one message, or what a stream takes.</summary>
    public nint Send(int fd, out int errno)
    {
        Libc.MessageHeader header = new() { Vectors = (Libc.IoVector*)address, VectorCount = (nuint)count };
        return SendMessage(fd, (nint)(&header), 0, out errno);
    }

    /// <summary>Sends the rest of the part that is not done.</summary>
    public nint SendRest(int fd, nint done, int flags, out int errno)
    {
        var (at, bytes) = Rest(done);
        var result = Libc.send(fd, at, bytes, flags | DontWait);
        errno = result < 0 ? Marshal.GetLastPInvokeError() : 0;
        return result;
    }

    /// <summary>Receives into what is left of the part that is not done.</summary>
    public nint ReceiveRest(int fd, nint done, int flags, out int errno)
    {
        var (at, bytes) = Rest(done);
        var result = Libc.recv(fd, (void*)at, (nuint)bytes, flags | DontWait);
        errno = result < 0 ? Marshal.GetLastPInvokeError() : 0;
        return result;
    }

    /// <summary>sendmsg() without waiting.</summary>
    public static nint SendMessage(int fd, nint header, int flags, out int errno)
    {
        var result = Libc.sendmsg(fd, (Libc.MessageHeader*)header, flags | DontWait);
        errno = result < 0 ? Marshal.GetLastPInvokeError() : 0;
        return result;
    }
}
