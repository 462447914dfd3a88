using System.Globalization;
using UGreen.Py.Native;

namespace UGreen.Py.Switching.Crash;

/// <summary>
/// Dies on purpose, as the child process of a test. Arguments: the switch kind, "green" or "main", the number of the core, and the path of the compiled
/// green.c. Exit code 3 means that it survived, which is the failure.
/// </summary>
internal static class Program
{
    private const int Cores = 12;
    private const int StackPages = 32;
    private static readonly StackSizes s_sizes = new(Cores, StackPages, SpawnCores: 5, SpawnPages: 20);
    private const int Survived = 3;

    private static int Main(string[] arguments)
    {
        SwitchKind kind = Enum.Parse<SwitchKind>(arguments[0]);
        bool onGreenStack = arguments[1] == "green";
        int core = int.Parse(arguments[2], CultureInfo.InvariantCulture);
        nint library = DynamicLibrary.OpenGlobal(arguments[3]);
        Thread hub = new(() => Overflow(kind, onGreenStack, core, DynamicLibrary.Symbol(library, "overflow_job")), GreenStacks.ReserveBytes(s_sizes));
        hub.Start();
        hub.Join();
        return Survived;
    }

    private static void Overflow(SwitchKind kind, bool onGreenStack, int core, nint overflow)
    {
        GreenStacks stacks = GreenStacks.Carve(s_sizes);
        GreenSwitch green = GreenSwitch.Create(kind, stacks, overflow, fallback: 0);
        OverflowReport.Install(stacks);
        if (!onGreenStack) RecurseOnMainStack(0);
        green.Prepare(green.Cores[core], callable: 1);
        _ = green.Resume(green.Cores[core]);
    }

    // Managed recursion: what a C# extension called while an application is imported could do.
    private static int RecurseOnMainStack(int depth) => depth < 0 ? 0 : RecurseOnMainStack(depth + 1) + 1;
}
