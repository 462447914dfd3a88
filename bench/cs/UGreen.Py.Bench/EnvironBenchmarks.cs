using BenchmarkDotNet.Attributes;
using UGreen.Py.Wsgi.Environ;

namespace UGreen.Py.Bench;

/// <summary>Making the environ of a browser's request, and releasing it. Allocated is what C# allocates; the Python objects are not in it.</summary>
public class EnvironBenchmarks
{
    private const int Environs = 10_000;

    private readonly BenchExchange _http = new(overHttp: true);
    private readonly BenchExchange _uwsgi = new(overHttp: false);
    private EnvironBuilder _builder = null!;
    private Action _buildHttp = null!;
    private Action _buildUwsgi = null!;

    [GlobalSetup]
    public void Setup()
    {
        PythonWorld.Instance.Run(() => _builder = PythonWorld.Instance.Application.Environ);
        (_buildHttp, _buildUwsgi) = (() => Loop(_http), () => Loop(_uwsgi));
    }

    [Benchmark(Description = "10 headers, from HTTP", OperationsPerInvoke = Environs)]
    public void Http() => PythonWorld.Instance.Run(_buildHttp);

    [Benchmark(Description = "30 variables, from the uwsgi protocol", OperationsPerInvoke = Environs)]
    public void Uwsgi() => PythonWorld.Instance.Run(_buildUwsgi);

    private void Loop(BenchExchange exchange)
    {
        for (var i = 0; i < Environs; i++) _builder.Build(exchange, 0).Dispose();
    }
}
