namespace UGreen.Py.Server.Master;

/// <summary>How long to wait before a worker that died at its start is started again.</summary>
internal static class StartBackOff
{
    // One second, as most supervisors begin; half a minute is what a person can wait for after a repair.
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <param name="failures">How many starts have failed in a row, from 1.</param>
    public static TimeSpan After(int failures) => failures >= 6 ? Longest : TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << (failures - 1)));
}
