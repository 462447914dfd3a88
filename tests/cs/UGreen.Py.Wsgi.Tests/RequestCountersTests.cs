using UGreen.Py.Wsgi.Control;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

public sealed class RequestCountersTests
{
    [Fact]
    public void Requests_times_bytes_and_failures_are_added_up()
    {
        var counters = new RequestCounters(cores: 2);
        var control = new StandaloneControl(_ => { }, counters);
        Assert.Equal("starting", control.Workers()[0].Status);
        control.IsReady = true;
        counters.Begin(0, "GET", "/", now: 1_000_000);
        counters.Begin(1, "GET", "/", now: 2_000_000);
        Assert.Equal(("busy", 2, 0), (control.Workers()[0].Status, control.Workers()[0].BusyCores, control.TotalRequests));
        counters.End(0, now: 4_000_000, bytes: 10, failed: true);
        counters.End(1, now: 3_000_000, bytes: 5, failed: false);
        var worker = Assert.Single(control.Workers());
        Assert.Equal((2, 2, 1, 15, 4000, 2000), (worker.Requests, worker.DeltaRequests, worker.Exceptions, worker.SentBytes, worker.RunningMicroseconds, worker.AverageMicroseconds));
        Assert.Equal(("idle", Environment.ProcessId, 2), (worker.Status, worker.Pid, control.TotalRequests));
        Assert.InRange(worker.ResidentBytes, 1, worker.VirtualBytes);
    }
}
