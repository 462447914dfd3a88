namespace UGreen.Py.Server.Master;

/// <summary>
/// Where things are in the scoreboard, in bytes. All numbers have 8 bytes and are written by one process: those of a row by its worker, where nothing else is said; the rest by
/// the master.
/// <code>
/// header   Leader | Past requests of worker 1 … n
/// row 0    figures | core 0: state, times, method, target | core 1 | …
/// row 1    …
/// </code>
/// </summary>
internal readonly record struct ScoreboardLayout(int Workers, int Rows, int Cores)
{
    private const int Page = 4096;

    /// <summary>Row of the leader, plus 1; 0: none.</summary>
    public const int Leader = 0;

    /// <summary>1: the server stops, and no other worker takes over.</summary>
    public const int Stopping = 8;

    // Of each worker: requests and further figures of its processes that have ended.
    private const int Past = 64;
    private const int PastBytes = 64;

    // Of a row.
    public const int Pid = 0;
    public const int Worker = 8;
    /// <summary>A <see cref="WorkerState"/>; 0: the row is free. The master's.</summary>
    public const int State = 16;
    /// <summary>Seconds since 1970. The master's.</summary>
    public const int StartedOn = 24;
    /// <summary>The master's.</summary>
    public const int Respawns = 32;
    public const int Figures = 40;
    private const int FiguresEnd = Figures + (FigureCount * 8);

    /// <summary>Open connections; written by several threads of the worker.</summary>
    public const int Connections = 96;

    /// <summary>1: some request of this process had a kill time. Without it nobody need look at its cores, whose pages are memory once they are read.</summary>
    public const int HasKillTimes = 104;

    /// <summary>Number of <see cref="Figure"/>s.</summary>
    public const int FigureCount = 6;

    // Of a core: one cache line and some more for the texts.
    private const int CoresStart = 128;
    private const int CoreBytes = 320;
    /// <summary>0: idle; otherwise in a request. Written last at the begin, first at the end.</summary>
    public const int Busy = 0;
    /// <summary>Nanoseconds of CLOCK_MONOTONIC.</summary>
    public const int Since = 8;
    /// <summary>The same; 0: no limit.</summary>
    public const int KillTime = 16;
    /// <summary>Length of the method, and of the target above bit 8.</summary>
    public const int Lengths = 24;
    public const int Method = 32;
    public const int MethodBytes = 16;
    public const int Target = 48;
    /// <summary>Longer targets are cut: the beginning tells which page it is.</summary>
    public const int TargetBytes = CallLength - Target;
    /// <summary>0: it waits in no call, or not for long.</summary>
    public const int CallLength = 248;
    public const int Call = 256;
    public const int CallBytes = CoreBytes - Call;

    private int HeaderBytes => Round(Past + (Workers * PastBytes));

    private int RowBytes => Round(CoresStart + (Cores * CoreBytes));

    /// <summary>Of all of it.</summary>
    public long Bytes => HeaderBytes + ((long)Rows * RowBytes);

    /// <param name="worker">From 1.</param>
    /// <param name="figure">Which.</param>
    public static int PastOf(int worker, Figure figure) => Past + ((worker - 1) * PastBytes) + ((int)figure * 8);

    /// <param name="row">From 0.</param>
    public int Row(int row) => HeaderBytes + (row * RowBytes);

    /// <param name="row">From 0.</param>
    /// <param name="core">From 0.</param>
    public int Core(int row, int core) => Row(row) + CoresStart + (core * CoreBytes);

    private static int Round(int bytes)
    {
        System.Diagnostics.Debug.Assert(FiguresEnd <= Connections && HasKillTimes < CoresStart && FigureCount * 8 <= PastBytes, "the figures have grown out of their room");
        return (bytes + Page - 1) / Page * Page;
    }
}
