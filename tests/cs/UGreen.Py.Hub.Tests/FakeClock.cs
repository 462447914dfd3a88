namespace UGreen.Py.Hub.Tests;

/// <summary>Time that passes when the test says so.</summary>
internal sealed class FakeClock : IClock
{
    public const long Millisecond = 1_000_000;

    public long Now { get; private set; } = 1_000_000_000;

    public void Advance(long nanoseconds) => Now += nanoseconds;
}
