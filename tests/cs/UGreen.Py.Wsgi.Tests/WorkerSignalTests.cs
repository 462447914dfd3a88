using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>Signals of the uwsgi module in a server of several workers; this one is the second of three.</summary>
[Collection(PythonCollection.Name)]
public sealed class WorkerSignalTests(PythonThread python)
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("worker", "", true)]
    [InlineData("workers", "signal 9 to 0", true)]
    [InlineData("active-workers", "signal 9 to 0", true)]
    [InlineData("worker2", "", true)]
    [InlineData("worker3", "signal 9 to 3", false)]
    public void A_signal_goes_to_the_workers_of_its_target(string target, string asked, bool here) => python.Serve(hub =>
    {
        hub.Control.TakeAsked();
        Posts(hub, $"s.target = '{target}'; s.signal()");
        Assert.Equal(asked, hub.Control.TakeAsked());
        Assert.Equal(here ? "[9]" : "[]", hub.Evaluate("posted"));
    });

    [Theory]
    [InlineData(true, "signal 9 to 0, signal 9 to 0", "[9, 'delivered 9']")]
    [InlineData(false, "", "[]")]
    public void Timers_and_file_monitors_raise_in_the_leader_only(bool leads, string asked, string posted) => python.Serve(hub =>
    {
        hub.Control.TakeAsked();
        hub.Control.IsLeader = leads;
        Posts(hub, "s.target = 'workers'; s.changed(); s.due()");
        hub.Control.IsLeader = true;
        Assert.Equal(asked, hub.Control.TakeAsked());
        Assert.Equal(posted, hub.Evaluate("posted"));
    });

    [Fact]
    public void A_signal_of_another_worker_is_raised_here_and_goes_no_further() => python.Serve(hub =>
    {
        Posts(hub, "s.target = 'workers'");
        hub.Control.TakeAsked();
        var sender = new Thread(() =>
        {
            hub.Control.SignalReceived!(9);
            hub.Control.SignalReceived!(9);
            hub.Control.SignalReceived!(255);
            hub.Control.SignalReceived!(256);
            hub.Control.SignalReceived!(-1);
        });
        sender.Start();
        Assert.True(sender.Join(TimeSpan.FromSeconds(20)));
        hub.Step();
        Assert.Equal("[9, 255]", hub.Evaluate("posted"));
        hub.Control.SignalReceived!(9);
        hub.Step();
        Assert.Equal("[9, 255, 9]", hub.Evaluate("posted"));
        Assert.Equal("", hub.Control.TakeAsked());
    });

    [Fact]
    public void Targets_beyond_the_workers_are_errors() => python.Serve(hub =>
    {
        hub.Outside("from ugreen import _signals\ntry:\n    _signals.register_signal(1, 'worker4', print)\nexcept ValueError as error:\n    text = str(error)");
        Assert.Equal("register_signal(): there is no 'worker4': this server has 3 workers", hub.Evaluate("text"));
    });

    // The hub of these tests has no spawn cores, so what would run the handler is noted instead.
    private static void Posts(WsgiHub hub, string code) => hub.Outside($"""
        from ugreen import _signals
        posted = []
        class Noted(_signals._Signal):
            def post(self): posted.append(self.number)
            def deliver(self): posted.append('delivered %d' % self.number)
        for number in (9, 255): _signals._signals[number] = Noted(number)
        s = _signals._signals[9]
        {code}
        """);
}
