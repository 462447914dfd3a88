using UGreen.Py.CPython.Api;
using UGreen.Py.CPython.Layout;
using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>
/// The swap, seen in the thread state's memory. Between the first poke and the last restore no Python code runs and no C-API function is called: the values are not
/// pointers to anything.
/// </summary>
[Collection(InterpreterCollection.Name)]
// SAFETY: the thread state of the Python thread, which holds the GIL, at the offsets of the checked layout; restored before anything of Python's runs.
public sealed unsafe class SwapTests(InterpreterFixture python)
{
    private static ThreadStateLayout Layout => Interpreter.Layout;

    [Fact]
    public void Every_swapped_field_makes_the_round_trip_and_all_others_stay() => python.Run(() =>
    {
        var swap = new ThreadStateSwap(2);
        swap.Renew(0);
        swap.Renew(1);
        var before = Memory();

        // Put in from what is said here, and not taken out.
        swap.LimitStack(0, 0x100000, 0x40000);
        swap.LimitStack(1, 0x200000, 0x40000);

        swap.Activate(0);
        Poke(seed: 1);
        var first = Memory();
        swap.Activate(1);
        Poke(seed: 2);
        var second = Memory();
        swap.Activate(0);
        var firstAgain = Memory();
        swap.Activate(1);
        var secondAgain = Memory();
        swap.Activate(ThreadStateSwap.Hub);
        var after = Memory();

        Assert.Equal(Fields(before), Fields(after));
        Assert.Equal(Fields(first), Fields(firstAgain));
        Assert.Equal(Fields(second), Fields(secondAgain));
        foreach (var field in Layout.SwapSet) Assert.NotEqual(Fields(first)[field.Name], Fields(second)[field.Name]);
        var left = ThreadStateAnswers.All.Where(answer => answer.Role != ThreadStateRole.Swapped && answer.Field != "context_ver").Select(answer => answer.Field).ToHashSet();
        foreach (var field in Layout.Fields.Where(field => left.Contains(field.Name))) Assert.Equal(Fields(before)[field.Name], Fields(second)[field.Name]);
    });

    // With thousands of green threads every line is one that no cache has.
    [Fact]
    public void A_saved_state_has_lines_of_its_own_and_a_switch_touches_two_of_them()
    {
        var state = default(SavedThreadState);
        Assert.Equal(0, sizeof(SavedThreadState) % Prefetch.LineBytes);
        Assert.Equal(2 * Prefetch.LineBytes, (byte*)&state.ExcState[2] - (byte*)&state);
    }

    [Fact]
    public void Every_switch_gives_the_context_a_number_never_used_before() => python.Run(() =>
    {
        var swap = new ThreadStateSwap(2);
        swap.Renew(0);
        swap.Renew(1);
        var numbers = new List<ulong> { ContextVersion() };
        foreach (var state in (int[])[0, 1, 0, 1, ThreadStateSwap.Hub])
        {
            swap.Activate(state);
            numbers.Add(ContextVersion());
        }

        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        Assert.Equal(numbers.Order(), numbers);
    });

    [Fact]
    public void Activating_what_is_in_changes_nothing() => python.Run(() =>
    {
        var swap = new ThreadStateSwap(1);
        Assert.Equal(ThreadStateSwap.Hub, swap.Active);
        var before = Memory();
        swap.Activate(ThreadStateSwap.Hub);
        Assert.Equal(before, Memory());
        swap.Renew(0);
        swap.Activate(0);
        Assert.Equal(0, swap.Active);
        swap.Activate(ThreadStateSwap.Hub);
    });

    [Fact]
    public void A_changed_recursion_limit_leaves_the_depth_of_a_parked_state() => python.Run(() =>
    {
        var swap = new ThreadStateSwap(1);
        swap.Renew(0);
        var remaining = (int*)(State() + (Layout.RecursionRemaining < 0 ? Layout.PyRecursionRemaining : Layout.RecursionRemaining));
        var limit = (int*)(State() + (Layout.RecursionLimit < 0 ? Layout.PyRecursionLimit : Layout.RecursionLimit));
        var usual = *limit;
        swap.Activate(0);
        *remaining = usual - 123;
        swap.Activate(ThreadStateSwap.Hub);

        // As Py_SetRecursionLimit does it, for each thread state.
        *limit = usual + 1000;
        *remaining += 1000;
        swap.Activate(0);
        var parked = *remaining;
        swap.Activate(ThreadStateSwap.Hub);
        *limit = usual;
        *remaining -= 1000;
        Assert.Equal(usual + 1000 - 123, parked);
    });

    [Fact]
    public void A_renewed_state_is_that_of_a_fresh_start_with_the_cores_own_things() => python.Run(() =>
    {
        var swap = new ThreadStateSwap(1);
        swap.Renew(0);
        swap.Activate(0);
        Poke(seed: 3);
        var poked = Fields(Memory());
        swap.Activate(ThreadStateSwap.Hub);
        swap.Renew(0);
        swap.Activate(0);
        var fresh = Fields(Memory());
        var frame = Layout.CFrame < 0 ? *(nint*)(State() + Layout.CurrentFrame) : *(nint*)(*(byte**)(State() + Layout.CFrame) + Layout.CFrameCurrentFrame);
        var bottom = Layout.BaseFrame < 0 ? 0 : *(nint*)(State() + Layout.BaseFrame);
        swap.Activate(ThreadStateSwap.Hub);

        // The core's: its thread-locals, the memory that its frames are made in, what waits to be freed there.
        foreach (var kept in ((string[])["dict", "threading_local_key", "threading_local_sentinel", "datastack_chunk", "datastack_top", "datastack_limit", "delete_later"]).Where(fresh.ContainsKey)) Assert.Equal(poked[kept], fresh[kept]);

        // The request's.
        string[] clear = ["context", "exc_state", "recursion_headroom", "trash_delete_nesting", "trash_delete_later", "asyncio_running_loop", "asyncio_running_task", "previous_executor", "current_executor", "jit_exit", "last_profiled_frame"];
        foreach (var cleared in clear.Where(fresh.ContainsKey))
            Assert.True(fresh[cleared].Replace("0", "", StringComparison.Ordinal).Length == 0, $"{cleared}: {fresh[cleared]}");
        Assert.Equal(Convert.ToHexString(BitConverter.GetBytes((long)(State() + Layout.ExcState))), fresh["exc_info"]);
        var depth = Layout.RecursionRemaining < 0 ? "py_recursion_" : "recursion_";
        Assert.Equal(fresh[depth + "limit"], fresh[depth + "remaining"]);
        if (Layout.CRecursionRemaining >= 0) Assert.Equal(Fields(Memory())["c_recursion_remaining"], fresh["c_recursion_remaining"]);
        Assert.Equal(bottom, frame);
        if (Layout.CFrame >= 0) Assert.NotEqual(Fields(Memory())["cframe"], fresh["cframe"]);
    });

    [Fact]
    public void A_fresh_state_is_traced_when_the_running_one_is() => python.Run(() =>
    {
        if (Layout.CFrameUseTracing < 0) return;
        var swap = new ThreadStateSwap(2);
        var running = *(byte**)(State() + Layout.CFrame) + Layout.CFrameUseTracing;
        var before = *running;
        swap.Renew(0);
        *running = 255;
        swap.Renew(1);
        *running = before;
        Assert.Equal((before, (byte)255), (Tracing(swap, 0), Tracing(swap, 1)));
    });

    [Fact]
    public void The_state_that_is_in_cannot_be_renewed() => python.Run(() =>
    {
        var swap = new ThreadStateSwap(1);
        swap.Renew(0);
        swap.Activate(0);
        var error = Record.Exception(() => swap.Renew(0));
        swap.Activate(ThreadStateSwap.Hub);
        Assert.IsType<InvalidOperationException>(error);
    });

    [Fact]
    public void Taking_the_context_leaves_none_and_a_new_number() => python.Run(() =>
    {
        var swap = new ThreadStateSwap(1);
        using var context = CApi.PyContext_New().OrThrow();
        swap.Renew(0);
        swap.Activate(0);
        var slot = (nint*)(State() + Layout.Context);
        *slot = context.Address;
        var before = ContextVersion();
        var taken = swap.TakeContext();
        var (left, after) = (*slot, ContextVersion());
        swap.Activate(ThreadStateSwap.Hub);
        Assert.Equal((context.Address, (nint)0, before + 1), (taken.Address, left, after));
    });

    private static byte* State() => (byte*)CApi.PyThreadState_Get();

    private static ulong ContextVersion() => *(ulong*)(State() + Layout.ContextVer);

    private static byte Tracing(ThreadStateSwap swap, int state)
    {
        swap.Activate(state);
        var tracing = (*(byte**)(State() + Layout.CFrame))[Layout.CFrameUseTracing];
        swap.Activate(ThreadStateSwap.Hub);
        return tracing;
    }

    /// <summary>Fills each swapped field with bytes that no other field and no other seed has.</summary>
    private static void Poke(int seed)
    {
        var ts = State();
        var next = (byte)(seed * 70);
        foreach (var field in Layout.SwapSet.Where(field => !field.Name.StartsWith("c_stack_", StringComparison.Ordinal)))
        {
            for (var i = 0; i < field.Size; i++) ts[field.Offset + i] = ++next;
        }
    }

    private static byte[] Memory() => new Span<byte>(State(), Math.Max(Layout.ThreadStateSize, Layout.ImplSize)).ToArray();

    private static Dictionary<string, string> Fields(byte[] memory)
        => Layout.Fields.Where(field => field.Name != "context_ver").ToDictionary(field => field.Name, field => Convert.ToHexString(memory, field.Offset, field.Size));
}
