using Xunit;
using static UGreen.Py.Server.Tests.CommandLineFacts;

namespace UGreen.Py.Server.Tests.Master;

public sealed class MasterOptionTests
{
    [Theory]
    [InlineData("--processes: '0' is neither a number from 1 to 1024 nor 'auto'", "-p", "0")]
    [InlineData("--processes: 'x' is neither a number from 1 to 1024 nor 'auto'", "--workers", "x")]
    [InlineData("--processes: '1025' is neither a number from 1 to 1024 nor 'auto'", "-p", "1025")]
    [InlineData("--max-requests: 'x' is not a whole number", "-R", "x")]
    [InlineData("--max-requests: -1 is out of range (0 to 4611686018427387903)", "--max-requests=-1")]
    [InlineData("--max-requests-delta: 'x' is not a whole number", "--max-requests-delta", "x")]
    [InlineData("--reload-on-rss: -1 is out of range (0 to 2147483647)", "--reload-on-rss=-1")]
    [InlineData("--min-worker-lifetime: 'x' is not a number of seconds", "--min-worker-lifetime", "x")]
    [InlineData("--worker-lifetime: 'NaN' is not a number of seconds", "--worker-lifetime", "NaN")]
    [InlineData("--worker-lifetime: -1 is out of range (0 to 31622400 s)", "--max-worker-lifetime=-1")]
    [InlineData("--max-worker-lifetime-delta: Infinity is out of range (0 to 31622400 s)", "--max-worker-lifetime-delta", "Infinity")]
    [InlineData("--cheaper: 2 is not less than the 2 of --processes", "-p", "2", "--cheaper", "2")]
    [InlineData("--cheaper: 5 is not less than the 2 of --processes", "-p", "2", "--cheaper", "5")]
    [InlineData("--cheaper-initial: 5 is out of range (2 to 4)", "-p", "4", "--cheaper", "2", "--cheaper-initial", "5")]
    [InlineData("--cheaper-initial: 1 is out of range (2 to 4)", "-p", "4", "--cheaper", "2", "--cheaper-initial", "1")]
    [InlineData("--cheaper-initial, --cheaper-step and --cheaper-overload need --cheaper", "-p", "4", "--cheaper-step", "1")]
    [InlineData("--cheaper-step: 0 is out of range (1 to 1024)", "-p", "4", "--cheaper", "2", "--cheaper-step", "0")]
    [InlineData("--cheaper-overload: 'x' is not a number of seconds", "-p", "4", "--cheaper", "2", "--cheaper-overload", "x")]
    public void Errors_name_the_option(string message, params string[] args) => Assert.Equal(message, Assert.Single(Errors(["app", .. args])));

    [Fact]
    public void Without_them_there_is_one_process()
    {
        var master = Run("app").Master;

        Assert.Equal((false, null, 1, 1), (master.IsEnabled, master.ImpliedBy, master.Workers, master.Initial));
        Assert.Equal((10.0, 3.0), (master.MinLifetime.TotalSeconds, master.CheaperOverload.TotalSeconds));
    }

    [Theory]
    [InlineData(null, "--master")]
    [InlineData("--processes", "-p", "2")]
    [InlineData("--max-requests", "-R", "5")]
    [InlineData("--reload-on-rss", "--reload-on-rss", "5")]
    [InlineData("--worker-lifetime", "--worker-lifetime", "5")]
    [InlineData("--touch-reload", "--touch-reload", "f")]
    [InlineData("--attach-daemon", "--attach-daemon", "true")]
    [InlineData("--cron", "--cron", "* * * * * true")]
    public void What_only_a_master_can_do_asks_for_one(string? impliedBy, params string[] args)
    {
        var master = Run(["app", .. args]).Master;

        Assert.True(master.IsEnabled);
        Assert.Equal(impliedBy, master.ImpliedBy);
    }

    [Fact]
    public void Values_are_read()
    {
        var master = Run("app", "-M", "-p", "6", "-R", "100", "--max-requests-delta", "7", "--reload-on-rss", "3", "--min-worker-lifetime", "0.5", "--max-worker-lifetime", "90", "--max-worker-lifetime-delta", "2",
            "--cheaper", "2", "--cheaper-initial", "3", "--cheaper-step", "4", "--cheaper-overload", "1.5", "--touch-reload", "/a", "--touch-reload", "/b", "--attach-daemon", "x y").Master;

        Assert.Equal((6, 100, 7, 3L << 20, 2, 3, 4), (master.Workers, master.MaxRequests, master.MaxRequestsDelta, master.ReloadOnRss, master.Cheaper, master.Initial, master.CheaperStep));
        Assert.Equal([0.5, 90, 2, 1.5], [master.MinLifetime.TotalSeconds, master.Lifetime!.Value.TotalSeconds, master.LifetimeDelta.TotalSeconds, master.CheaperOverload.TotalSeconds]);
        Assert.Equal(["/a", "/b"], master.TouchReload);
        Assert.Equal(["x y"], master.Daemons);
        Assert.Equal((2, 2), (Run("app", "-p", "4", "--cheaper", "2").Master.Initial, Run("app", "-p", "2").Master.Initial));
        Assert.Equal(Environment.ProcessorCount, Run("app", "-p", "auto").Master.Workers);
        Assert.Equal((null, null), (Run("app", "--worker-lifetime", "0").Master.Lifetime, Run("app", "--reload-on-rss", "0").Master.ReloadOnRss));
    }
}
