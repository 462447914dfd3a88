using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// Reads packets of the uwsgi protocol. No I/O and no state: bytes in, one event out.
/// <para><b>Theory.</b> A front web server opens a connection, sends one packet and perhaps a body, and reads an HTTP response until the connection ends:</para>
/// <code>
///   0          1          3          4                          4 + size
///   +----------+----------+----------+--------------------------+----------------- - -
///   | modifier1| size     | modifier2| variable block           | request body, raw
///   | 1 byte   | 2 bytes  | 1 byte   | size bytes               | CONTENT_LENGTH bytes
///   +----------+----------+----------+--------------------------+----------------- - -
///   variable block = { name length, name, value length, value } repeated; lengths are 2 bytes; all numbers little-endian
/// </code>
/// <para>
/// Everything that decides where one thing ends and the next begins is here, and is checked before it is used: the size against the limit, each length against what
/// is left of the block, CONTENT_LENGTH digit by digit. <see cref="Read"/> looks at no byte of the block before all of it has come, so it can be called again with
/// the same bytes and more: a packet is parsed once however small its pieces. It consumes all of a packet or nothing.
/// </para>
/// <para>
/// The reader contract: an event is returned (<see cref="UwsgiEventKind.NeedMore"/> when the packet is not complete); no input makes it throw. After
/// <see cref="UwsgiEventKind.Refused"/> the connection is of no more use, since where the packet ends is not known or does not matter.
/// </para>
/// </summary>
public sealed class UwsgiCodec
{
    /// <summary>Bytes before the variable block.</summary>
    public const int HeaderBytes = 4;

    private const byte ModifierRequest = 0;
    private const byte ModifierPing = 100;

    // RFC 9110, section 5.5: what a field value cannot hold; the tab is allowed.
    private static readonly SearchValues<byte> s_controls = SearchValues.Create([.. Enumerable.Range(0, 32).Where(b => b != '\t').Append(127).Select(b => (byte)b)]);

    // RFC 9110, section 5.6.2.
    private static readonly SearchValues<byte> s_token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private readonly UwsgiLimits _limits;
    private readonly VariableNames _names = new();
    private readonly ShortValues _values = new();

    /// <param name="limits">What a packet may cost.</param>
    public UwsgiCodec(UwsgiLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.BlockBytes, 1, nameof(limits));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limits.BlockBytes, UwsgiLimits.MaxBlockBytes, nameof(limits));
        _limits = limits;
    }

    /// <summary>The answer to a ping: modifier1 100, no message, modifier2 1 for "yes".</summary>
    public static ReadOnlySpan<byte> Pong => [ModifierPing, 0, 0, 1];

    /// <summary>Reads the packet at the start of <paramref name="input"/>. Any thread, with a head of its own.</summary>
    /// <param name="input">What has come so far.</param>
    /// <param name="head">Cleared and filled; only of use after <see cref="UwsgiEventKind.Request"/>.</param>
    /// <param name="consumed">The end of the packet; the start of the input unless there was a whole one.</param>
    public UwsgiEvent Read(in ReadOnlySequence<byte> input, UwsgiHead head, out SequencePosition consumed)
    {
        ArgumentNullException.ThrowIfNull(head);
        head.Clear();
        consumed = input.Start;
        if (input.IsEmpty) return default;

        // The first byte decides already: whoever speaks HTTP or TLS here hears so at once.
        var modifier1 = input.FirstSpan.IsEmpty ? First(input) : input.FirstSpan[0];
        if (modifier1 is not (ModifierRequest or ModifierPing)) return Refused(UwsgiRefusal.Modifier(modifier1));
        if (input.Length < HeaderBytes) return default;

        Span<byte> header = stackalloc byte[HeaderBytes];
        input.Slice(0, HeaderBytes).CopyTo(header);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(header[1..]);
        // modifier2 of a request is ignored, as the original's Python side does.
        if (modifier1 == ModifierPing && header[3] != 0) return Refused(UwsgiRefusal.PingModifier);
        if (size > _limits.BlockBytes) return Refused(UwsgiRefusal.BlockTooLarge(size, _limits.BlockBytes));
        if (input.Length - HeaderBytes < size) return default;

        var block = input.Slice(HeaderBytes, size);
        if (modifier1 == ModifierRequest && ReadBlock(block, head) is { } refusal)
        {
            head.Clear();
            return Refused(refusal);
        }

        consumed = block.End;
        return new UwsgiEvent(modifier1 == ModifierPing ? UwsgiEventKind.Ping : UwsgiEventKind.Request);
    }

    private static UwsgiEvent Refused(UwsgiRefusal refusal) => new(UwsgiEventKind.Refused, refusal);

    // A sequence may begin with empty segments.
    private static byte First(in ReadOnlySequence<byte> input)
    {
        Span<byte> first = stackalloc byte[1];
        input.Slice(0, 1).CopyTo(first);
        return first[0];
    }

    private UwsgiRefusal? ReadBlock(in ReadOnlySequence<byte> block, UwsgiHead head)
    {
        if (block.IsSingleSegment) return ReadVariables(block.FirstSpan, head) ?? Check(head);

        var copy = ArrayPool<byte>.Shared.Rent((int)block.Length);
        try
        {
            block.CopyTo(copy);
            return ReadVariables(copy.AsSpan(0, (int)block.Length), head) ?? Check(head);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private UwsgiRefusal? ReadVariables(ReadOnlySpan<byte> rest, UwsgiHead head)
    {
        for (var count = 1; !rest.IsEmpty; count++)
        {
            if (count > _limits.Variables) return UwsgiRefusal.TooManyVariables(_limits.Variables);
            if (!TryTake(ref rest, out var name)) return UwsgiRefusal.NamePastBlock;
            if (name.IsEmpty) return UwsgiRefusal.EmptyName;
            if (name.Length > _limits.NameBytes) return UwsgiRefusal.NameTooLong(_limits.NameBytes);
            if (!TryTake(ref rest, out var value)) return UwsgiRefusal.ValuePastBlock;
            if (_names.For(name) is not { } known) return UwsgiRefusal.BadName;
            if (Take(known, value, head) is { } refusal) return refusal;
        }

        return null;
    }

    /// <summary>Takes two bytes of length and that many bytes; false when there are not so many.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (rest.Length < 2) return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        if (length > rest.Length - 2) return false;
        text = rest.Slice(2, length);
        rest = rest[(2 + length)..];
        return true;
    }

    private UwsgiRefusal? Take(VariableName name, ReadOnlySpan<byte> value, UwsgiHead head)
    {
        if (name.IsDropped)
        {
            head.Drop(name);
            return null;
        }

        if (name.IsOneLine ? value.ContainsAny(s_controls) : value.Contains((byte)0)) return UwsgiRefusal.BadValue(name.Text);
        if (name.IsRedundant) return null;
        switch (name.Id)
        {
            case VariableId.ContentLength when !value.IsEmpty:
                if (!TryReadLength(value, out var length)) return UwsgiRefusal.BadLength;
                // Elsewhere the last of two values counts; of two lengths one would be a way to smuggle a request.
                if (head.ContentLength is { } other && other != length) return UwsgiRefusal.TwoLengths;
                head.ContentLength = length;
                break;
            case VariableId.Method when value.IsEmpty || value.ContainsAnyExcept(s_token):
                return UwsgiRefusal.BadMethod;
            case VariableId.TransferEncoding:
                // The front has taken the coding off (nginx passes the header on nevertheless), and an application that saw it would look for chunks.
                head.Note(name.Id, _values.For(value));
                return null;
        }

        head.Add(name, _values.For(value));
        return null;
    }

    /// <summary>Digits, all of them: no sign, no blanks, no overflow.</summary>
    private static bool TryReadLength(ReadOnlySpan<byte> text, out long length)
        => Utf8Parser.TryParse(text, out length, out var used) && used == text.Length && char.IsAsciiDigit((char)text[0]) && length >= 0;

    private static UwsgiRefusal? Check(UwsgiHead head)
    {
        if (head[VariableId.Method] is null) return UwsgiRefusal.NoMethod;
        return head.ContentLength is null && !string.IsNullOrEmpty(head[VariableId.TransferEncoding]) ? UwsgiRefusal.NoLength : null;
    }
}
