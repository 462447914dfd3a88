using System.Runtime.CompilerServices;

namespace UGreen.Py.Switching;

/// <summary>
/// A core, seen from safe code: a pointer to its native record, given out only by <see cref="GreenSwitch.Cores"/>. All members belong to the hub thread.
/// <c>default</c> is no core and must not be asked anything.
/// </summary>
// SAFETY: the pointer is set once from GreenSwitch's array of records, which is never freed or moved; every accessor below stays within that record.
public readonly unsafe struct GreenCore : IEquatable<GreenCore>
{
    internal GreenCore(CoreRecord* record) => Record = record;

    /// <summary>Index of the core, from 0.</summary>
    public int Number
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->Number;
    }

    /// <summary>The <c>self</c> of the PyCFunction of the hub call that is waiting; borrowed. 0 from Prepare to the first hub call.</summary>
    public nint Self
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->Self;
    }

    /// <summary>PyObject*const*: the arguments of the hub call; valid until the next Resume of this core.</summary>
    public nint Args
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->Args;
    }

    /// <summary>The raw vectorcall count: the high bit may be set (PY_VECTORCALL_ARGUMENTS_OFFSET).</summary>
    public nint NArgs
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->NArgs;
    }

    /// <summary>Tuple of keyword names of the hub call, or 0.</summary>
    public nint KwNames
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->KwNames;
    }

    /// <summary>
    /// Set before Resume: the new reference that the hub call returns, or 0 with an exception set. Resume takes it and leaves 0, so a forgotten result shows
    /// up as an error in Python and not as an object freed twice. After Resume returned false: what the callable returned, or 0 with an exception set.
    /// </summary>
    public nint Result
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->Result;
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set => Record->Result = value;
    }

    /// <summary>Lowest usable address of the green stack.</summary>
    public nint StackLow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->StackLow;
    }

    /// <summary>Usable size of the green stack in bytes.</summary>
    public nint StackBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->StackBytes;
    }

    /// <summary>The saved stack pointer while prepared or parked; 0 while running, when finished, and before the first Prepare.</summary>
    public nint StackPointer
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Record->GreenSp;
    }

    /// <summary>What <c>get_ident()</c> is on this core, and the owner of its RLocks (adr/0041).</summary>
    public nint Identity => (nint)Record;

    /// <summary>Copies what a parked core has last pushed, the last first. Returns how many words; 0: it is not parked.</summary>
    public int CopyTop(Span<nint> into)
    {
        nint top = Record->GreenSp;
        if (top == 0) return 0;
        int count = (int)Math.Min(into.Length, (Record->StackLow + Record->StackBytes - top) / sizeof(nint));
        new ReadOnlySpan<nint>((nint*)top, count).CopyTo(into);
        return count;
    }

    internal CoreRecord* Record { get; }

    public static bool operator ==(GreenCore left, GreenCore right) => left.Equals(right);

    public static bool operator !=(GreenCore left, GreenCore right) => !left.Equals(right);

    public bool Equals(GreenCore other) => Record == other.Record;

    public override bool Equals(object? obj) => obj is GreenCore other && Equals(other);

    public override int GetHashCode() => ((nint)Record).GetHashCode();
}
