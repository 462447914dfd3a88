using UGreen.Py.CPython.Layout;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>The check at boot: the right table passes, one that is wrong in any one place does not.</summary>
[Collection(InterpreterCollection.Name)]
public sealed class InterpreterProbeTests(InterpreterFixture python)
{
    // As far as a field moves when another one is inserted or removed before it.
    private static readonly int[] s_shifts = [-8, -4, 4, 8];

    // What the swap uses, and no live thread state can show from outside: the neighbours are zero as well where nothing runs. The comparison with the headers
    // (LayoutTests) is what keeps these.
    private static readonly Dictionary<string, int[]> s_cannotBeSeen = new()
    {
        [nameof(ThreadStateLayout.RecursionHeadroom)] = [4, 8],
        [nameof(ThreadStateLayout.TrashDeleteNesting)] = [-4, 4, 8],
        [nameof(ThreadStateLayout.TrashDeleteLater)] = [-8, -4, 4, 8],
        [nameof(ThreadStateLayout.CFrameCurrentFrame)] = [-8, -4, 4, 8],

        // They lie side by side, and are the same number where no Python code runs.
        [nameof(ThreadStateLayout.PyRecursionRemaining)] = [4],
        [nameof(ThreadStateLayout.PyRecursionLimit)] = [-4],
    };

    public static TheoryData<string> Probed =>
    [
        nameof(ThreadStateLayout.Interp),
        nameof(ThreadStateLayout.CFrame),
        nameof(ThreadStateLayout.CFrameCurrentFrame),
        nameof(ThreadStateLayout.RecursionRemaining),
        nameof(ThreadStateLayout.RecursionLimit),
        nameof(ThreadStateLayout.RecursionHeadroom),
        nameof(ThreadStateLayout.PyRecursionRemaining),
        nameof(ThreadStateLayout.PyRecursionLimit),
        nameof(ThreadStateLayout.CRecursionRemaining),
        nameof(ThreadStateLayout.CStackTop),
        nameof(ThreadStateLayout.CStackSoftLimit),
        nameof(ThreadStateLayout.CStackHardLimit),
        nameof(ThreadStateLayout.DataStackChunk),
        nameof(ThreadStateLayout.DataStackTop),
        nameof(ThreadStateLayout.DataStackLimit),
        nameof(ThreadStateLayout.ExcInfo),
        nameof(ThreadStateLayout.ExcState),
        nameof(ThreadStateLayout.Dict),
        nameof(ThreadStateLayout.Context),
        nameof(ThreadStateLayout.ContextVer),
        nameof(ThreadStateLayout.TrashDeleteNesting),
        nameof(ThreadStateLayout.TrashDeleteLater),
    ];

    [Fact]
    public void The_real_layout_is_accepted() => python.Run(() => LayoutProbe.Check(Interpreter.Layout));

    [Theory]
    [MemberData(nameof(Probed))]
    public void A_layout_with_one_offset_shifted_is_refused(string offset) => python.Run(() =>
    {
        if (Offset(Interpreter.Layout, offset) == ThreadStateLayout.Absent) return;
        foreach (var shift in s_shifts.Except(s_cannotBeSeen.GetValueOrDefault(offset, [])))
        {
            var error = Record.Exception(() => LayoutProbe.Check(Shifted(offset, shift)));
            Assert.True(error is PythonStartException && error.Message.Contains(Interpreter.Version, StringComparison.Ordinal), $"{offset} {shift:+0;-0}: {error?.ToString() ?? "accepted"}");
        }

        // Whatever it tried, it left the thread state as it was.
        LayoutProbe.Check(Interpreter.Layout);
    });

    private static int Offset(ThreadStateLayout layout, string name) => (int)typeof(ThreadStateLayout).GetProperty(name)!.GetValue(layout)!;

    private static ThreadStateLayout Shifted(string offset, int shift)
    {
        var layout = Interpreter.Layout with { };
        typeof(ThreadStateLayout).GetProperty(offset)!.SetValue(layout, Offset(layout, offset) + shift);
        return layout;
    }
}
