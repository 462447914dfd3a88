namespace UGreen.Py.Server.Master;

/// <summary>
/// How many workers there shall be: more when the cores of those that there are have been busy for some time, fewer when they have been idle for ten times as long. Looked at
/// once a second.
/// </summary>
internal sealed class CheaperPolicy(int fewest, int most, int step, TimeSpan patience)
{
    /// <summary>From this share of busy cores on there are too few workers: what is left takes up a burst while one starts.</summary>
    public const double Busy = 0.75;

    /// <summary>Below this share, of one worker less, there are too many: far enough from <see cref="Busy"/> for their number not to swing.</summary>
    public const double Idle = 0.25;

    // A start costs more than an idle worker.
    private const int IdlePatience = 10;

    private TimeSpan _busyFor;
    private TimeSpan _idleFor;

    /// <param name="busy">Cores in requests, of all workers.</param>
    /// <param name="cores">Cores of one worker.</param>
    /// <param name="wanted">Workers now.</param>
    /// <param name="passed">Since the last call.</param>
    /// <returns>Workers from now on.</returns>
    public int Decide(long busy, int cores, int wanted, TimeSpan passed)
    {
        _busyFor = busy >= Busy * cores * wanted ? _busyFor + passed : TimeSpan.Zero;
        _idleFor = wanted > fewest && busy <= Idle * cores * (wanted - 1) ? _idleFor + passed : TimeSpan.Zero;
        if (_busyFor >= patience && wanted < most)
        {
            _busyFor = TimeSpan.Zero;
            return Math.Min(most, wanted + step);
        }

        if (_idleFor < patience * IdlePatience || wanted <= fewest) return wanted;
        _idleFor = TimeSpan.Zero;
        return wanted - 1;
    }
}
