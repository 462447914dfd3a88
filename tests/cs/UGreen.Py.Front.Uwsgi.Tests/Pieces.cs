using System.Buffers;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>Bytes as a sequence of several segments, as they come from a pipe.</summary>
internal sealed class Pieces : ReadOnlySequenceSegment<byte>
{
    private Pieces(ReadOnlyMemory<byte> memory, long index)
    {
        Memory = memory;
        RunningIndex = index;
    }

    public static ReadOnlySequence<byte> Split(ReadOnlyMemory<byte> bytes, params int[] at)
    {
        var first = new Pieces(bytes[..(at.Length == 0 ? bytes.Length : at[0])], 0);
        var last = first;
        for (var i = 0; i < at.Length; i++)
        {
            var next = new Pieces(bytes[at[i]..(i + 1 < at.Length ? at[i + 1] : bytes.Length)], at[i]);
            last.Next = next;
            last = next;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
