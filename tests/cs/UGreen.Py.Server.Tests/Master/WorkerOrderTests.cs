using System.Text.Json;
using UGreen.Py.Server.Master;
using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests.Master;

public sealed class WorkerOrderTests
{
    [Fact]
    public void Comes_out_as_it_went_in()
    {
        var order = Order() with
        {
            Arguments = ["--module", "a b", "", "line\none\r\n", "Grüße \U0001F600", "%20 \"'\\"],
            Other = new Dictionary<string, object> { ["text"] = "x\ny", ["flag"] = true, ["list"] = new List<string> { "1", "", "ü 2" } },
            Passed = [new PassedSocket(3, null), new PassedSocket(4, "web app"), new PassedSocket(5, "ü")],
            Listeners = [6, 7],
            IsReload = true,
        };

        var text = order.Write();
        var read = WorkerOrder.Read(text);

        Assert.DoesNotContain('\n', text);
        Assert.Equal(order.Arguments, read.Arguments);
        Assert.Equal(order.Other.Keys, read.Other.Keys);
        Assert.Equal(("x\ny", true), (read.Other["text"], read.Other["flag"]));
        Assert.Equal(["1", "", "ü 2"], Assert.IsAssignableFrom<IEnumerable<string>>(read.Other["list"]));
        Assert.Equal(order.Passed, read.Passed);
        Assert.Equal(order.Listeners, read.Listeners);
        Assert.True(read.IsReload);
        Assert.False(WorkerOrder.Read(Order().Write()).IsReload);
        Assert.Equal((2, 1234, 5, 8, 9), (read.Worker, read.MasterPid, read.Row, read.ScoreboardFd, read.LockFd));
        Assert.Equal(new ScoreboardLayout(3, 8, 100), read.Layout);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    public void What_is_no_order_is_refused(string text) => Assert.ThrowsAny<JsonException>(() => WorkerOrder.Read(text));

    internal static WorkerOrder Order() => new()
    {
        Arguments = [], Other = new Dictionary<string, object>(), Passed = [], Listeners = [],
        Worker = 2, MasterPid = 1234, Row = 5, Layout = new ScoreboardLayout(3, 8, 100), ScoreboardFd = 8, LockFd = 9,
    };
}
