using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using UGreen.Py.Machine;
using UGreen.Py.Native;

namespace UGreen.Py.Switching;

/// <summary>
/// The machine-code seam: passes control between the main stack and the green stacks. SwitchContract.md says what each side may rely on.
/// <para>
/// Invariant: at most one green thread runs, on the hub thread, and while it runs the hub's managed frames are stopped inside <see cref="Resume"/>.
/// No managed frame may be on a green stack when a hub call switches away from it.
/// </para>
/// <para>Everything but <see cref="Trampoline"/> belongs to the hub thread. An object lives as long as the process: CPython keeps its trampoline.</para>
/// </summary>
public abstract unsafe partial class GreenSwitch
{
    private readonly GreenCore[] _cores;
    private readonly nint* _cell;

    private protected GreenSwitch(X64Code code, GreenStacks stacks, nint callNoArgs, nint fallback)
    {
        Page = CodePage.Create(code.Bytes, TrampolineData.Bytes);
        Trampoline = Page.Address + code.Labels[X64Prologue.HubCall];
        Entry = Page.Address + code.Labels[X64Prologue.Entry];

        // SAFETY: the data page is writable, aligned, TrampolineData.Bytes long and never unmapped; the offsets are those that the code was built with.
        _cell = (nint*)(Page.Data + TrampolineData.Cell);
        *(nint*)(Page.Data + TrampolineData.CallNoArgs) = callNoArgs;
        *(nint*)(Page.Data + TrampolineData.Fallback) = fallback;
        _cores = MakeRecords(stacks);
    }

    /// <summary>The C function of every hub call, METH_FASTCALL | METH_KEYWORDS: (self, args, nargs, kwnames) → PyObject*. Callable from any thread.</summary>
    public nint Trampoline { get; }

    /// <summary>Address of the word that holds the running core's record, or 0. With 0 in it, every hub call takes the fallback. Lives as long as the process.</summary>
    public nint RunningCell => (nint)_cell;

    /// <summary>The cores, by number.</summary>
    public IReadOnlyList<GreenCore> Cores => _cores;

    /// <summary>True while a green thread runs, that is, between a Resume and its return.</summary>
    public bool GreenThreadRuns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => *_cell != 0;
    }

    private protected CodePage Page { get; }

    private protected nint Entry { get; }

    private protected nint* Cell => _cell;

    /// <summary>Makes a switch for stacks that were carved on the hub thread.</summary>
    /// <param name="kind">Which machinery.</param>
    /// <param name="stacks">One core is made for each stack.</param>
    /// <param name="callNoArgs">Address of PyObject_CallNoArgs, or of another C function PyObject* (PyObject*).</param>
    /// <param name="fallback">
    /// Address of a C function with the trampoline's signature. The trampoline jumps to it when no green thread runs, or when the caller is not on the
    /// running core's stack: calls from the main stack and from other OS threads.
    /// </param>
    /// <exception cref="PlatformNotSupportedException">The processor is not x86-64, or the system is not Linux.</exception>
    /// <exception cref="LinuxException">No executable page could be had.</exception>
    public static GreenSwitch Create(SwitchKind kind, GreenStacks stacks, nint callNoArgs, nint fallback)
    {
        ArgumentNullException.ThrowIfNull(stacks);
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException(
                $"UGreen.Py switches stacks on Linux on x86-64 only; this is {RuntimeInformation.OSDescription} on {RuntimeInformation.ProcessArchitecture}.");
        }

        return kind switch
        {
            SwitchKind.Direct => new DirectSwitch(stacks, callNoArgs, fallback),
            SwitchKind.Posix => new PosixSwitch(stacks, callNoArgs, fallback),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };
    }

    /// <summary>
    /// Makes a core ready to start: the next Resume calls <paramref name="callable"/> on a fresh stack. The reference stays the caller's and must outlive
    /// the call.
    /// </summary>
    /// <exception cref="InvalidOperationException">A green thread is prepared, parked or running on this core.</exception>
    public void Prepare(GreenCore core, nint callable)
    {
        CoreRecord* record = core.Record;
        if (record->GreenSp != 0 || *_cell == (nint)record) ThrowOccupied(core);

        // SAFETY: the record is one of ours, and nothing on its stack is alive any more.
        record->Callable = callable;
        record->Self = 0;
        record->Result = 0;
        BuildFrame(record);
    }

    /// <summary>
    /// Passes control to a core's green thread until it makes a hub call or ends. The CLR may collect garbage meanwhile. Must be called on the hub thread,
    /// on its main stack, with the GIL held and the green thread's interpreter state in place. Nothing is allocated.
    /// </summary>
    /// <returns>
    /// HubCall: one is waiting, described by Self, Args, NArgs and KwNames of the core. NativeCall: a call of the C library waits, and <see cref="NativeCallOf"/> tells which; the GIL may
    /// be anybody's. Finished: the green thread finished and Result holds what the callable returned, 0 for an exception.
    /// </returns>
    /// <exception cref="InvalidOperationException">The core has nothing to resume, or a green thread runs already (a call from a green stack).</exception>
    public abstract Arrival Enter(GreenCore core);

    /// <summary>The same where no calls of the C library come. True: a hub call is waiting.</summary>
    /// <exception cref="InvalidOperationException">As <see cref="Enter"/>.</exception>
    public bool Resume(GreenCore core) => Enter(core) != Arrival.Finished;

    /// <summary>A hint that this core is resumed soon: its record. Then <see cref="PrefetchStack"/>, which needs the record, may follow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchRecord(GreenCore core)
    {
        Prefetch.Line((nint)core.Record);
        Prefetch.Line((nint)core.Record + Prefetch.LineBytes);
    }

    /// <summary>A hint that this core is resumed very soon: what it goes on with on its stack.</summary>
    // SAFETY: the record is only read; what lies at the address is not.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchStack(GreenCore core)
    {
        // What hubcall and the C functions of CPython between it and the evaluation loop have pushed.
        const int HotLines = 12;
        var address = core.Record->GreenSp;
        for (var i = 0; i < HotLines; i++) Prefetch.Line(address + (i * Prefetch.LineBytes));
    }

    /// <summary>In forked children no green thread runs, hub calls go to <paramref name="refusal"/>, and a green thread that ends goes on at <paramref name="end"/>.</summary>
    internal void ChangeInChildren(nint refusal, nint end)
    {
        ForkedChild.Set((nint)_cell, 0);
        ForkedChild.Set(Page.Data + TrampolineData.Fallback, refusal);
        ForkedChild.Set(Page.Data + TrampolineData.Child, end);
    }

    // SAFETY: called by Prepare with a record whose stack is unused; an implementation writes to that stack only and sets GreenSp.
    private protected abstract void BuildFrame(CoreRecord* record);

    // SAFETY: the record is only read. Kept apart so that Resume stays small.
    private protected void RequireResumable(CoreRecord* record)
    {
        if (record->GreenSp == 0 || *_cell != 0) ThrowNotResumable(record);
    }

    private static GreenCore[] MakeRecords(GreenStacks stacks)
    {
        GreenCore[] cores = new GreenCore[stacks.Count];
        nuint bytes = (nuint)cores.Length * CoreRecordLayout.Bytes;

        // SAFETY: one zeroed block with room for all records, never freed (see CoreRecord); index and size agree.
        CoreRecord* records = (CoreRecord*)NativeMemory.AlignedAlloc(bytes, CoreRecordLayout.Alignment);
        NativeMemory.Clear(records, bytes);
        for (int i = 0; i < cores.Length; i++)
        {
            records[i].Number = i;
            records[i].StackLow = stacks.StackLow(i);
            records[i].StackBytes = stacks.BytesOf(i);
            cores[i] = new GreenCore(&records[i]);
        }

        return cores;
    }

    private static void ThrowOccupied(GreenCore core) =>
        throw new InvalidOperationException($"Core {core.Number} still has a green thread: it must finish before another one is prepared.");

    // SAFETY: the record is only read.
    private void ThrowNotResumable(CoreRecord* record) =>
        throw new InvalidOperationException(*_cell != 0
            ? $"Core {record->Number} cannot be resumed while the green thread of core {((CoreRecord*)*_cell)->Number} runs: Resume belongs on the main stack."
            : $"Core {record->Number} has nothing to resume: it was not prepared, or its green thread finished.");
}
