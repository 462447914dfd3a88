namespace UGreen.Py.Server.Tests.Master;

/// <summary>A clock that stands still until told.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private TimeSpan _now = TimeSpan.FromHours(1);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.Ticks;

    public void Advance(double seconds) => _now += TimeSpan.FromSeconds(seconds);
}
