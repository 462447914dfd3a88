using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class PauseTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly PauseWatch _watch;
    private int _ended;

    public PauseTests() => _watch = new PauseWatch(TimeSpan.FromSeconds(60), _time);

    public void Dispose() => _watch.Dispose();

    [Fact]
    public void A_wait_is_ended_once_soon_after_the_limit()
    {
        var pause = New();
        pause.Begin();

        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(0, _ended);
        _time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal(1, _ended);
        _time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(1, _ended);
        Assert.True(pause.End());
    }

    [Fact]
    public void Waits_that_end_in_time_are_no_pause_however_many_there_are()
    {
        var pause = New();
        for (var i = 0; i < 10; i++)
        {
            pause.Begin();
            _time.Advance(TimeSpan.FromSeconds(59));
            Assert.False(pause.End());
        }

        Assert.Equal(0, _ended);
    }

    [Fact]
    public void Time_between_two_waits_does_not_count()
    {
        var pause = New();
        pause.Begin();
        Assert.False(pause.End());
        _time.Advance(TimeSpan.FromHours(1));
        pause.Begin();
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.False(pause.End());
        Assert.Equal(0, _ended);
    }

    [Fact]
    public void After_a_reset_it_is_as_new()
    {
        var pause = New();
        pause.Begin();
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.True(pause.End());
        pause.Reset();

        pause.Begin();
        Assert.False(pause.End());
        Assert.Equal(1, _ended);
    }

    [Fact]
    public void One_of_many_is_found_whatever_the_order_in_which_the_others_leave()
    {
        var ended = new List<int>();
        var pauses = Enumerable.Range(0, 10).Select(i => new Pause(_watch, () => ended.Add(i))).ToList();
        foreach (var pause in pauses) pause.Begin();
        foreach (var i in new[] { 0, 9, 4, 1, 8 }) pauses[i].Reset();
        foreach (var i in new[] { 2, 3 }) Assert.False(pauses[i].End());

        _time.Advance(TimeSpan.FromSeconds(62));

        Assert.Equal([5, 6, 7], ended.Order());
    }

    private Pause New() => new(_watch, () => _ended++);
}
