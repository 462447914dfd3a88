using BenchmarkDotNet.Attributes;
using UGreen.Py.Gateway;

namespace UGreen.Py.Bench;

/// <summary>
/// A whole request of hello world on the application side, with nothing of the front: inbox, green thread, environ, the application, its response, the end of the green thread.
/// </summary>
public class RequestBenchmarks
{
    private const int Requests = 5_000;

    private readonly BenchExchange _http = new(overHttp: true);
    private readonly BenchExchange _uwsgi = new(overHttp: false);
    private Action _serveHttp = null!;
    private Action _serveUwsgi = null!;

    [GlobalSetup]
    public void Setup() => (_serveHttp, _serveUwsgi) = (() => Loop(_http), () => Loop(_uwsgi));

    [Benchmark(Description = "hello world, from HTTP", OperationsPerInvoke = Requests)]
    public void Http() => PythonWorld.Instance.Run(_serveHttp);

    [Benchmark(Description = "hello world, from the uwsgi protocol", OperationsPerInvoke = Requests)]
    public void Uwsgi() => PythonWorld.Instance.Run(_serveUwsgi);

    private static void Loop(BenchExchange exchange)
    {
        var world = PythonWorld.Instance;
        for (var i = 0; i < Requests; i++)
        {
            exchange.Renew();
            var outcome = exchange.RunAsync(world.Application);
            world.RunRequests();
            if (!outcome.IsCompletedSuccessfully || outcome.Result != ExchangeOutcome.Whole || exchange.Head.Status != 200) throw new InvalidOperationException("the request was not served");
        }
    }
}
