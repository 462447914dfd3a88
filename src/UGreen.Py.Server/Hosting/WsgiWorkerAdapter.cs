using UGreen.Py.Gateway;
using UGreen.Py.Wsgi;

namespace UGreen.Py.Server.Hosting;

/// <summary>The real worker behind <see cref="IWorker"/>.</summary>
internal sealed class WsgiWorkerAdapter : IWorker
{
    private readonly WsgiWorker _worker;

    public WsgiWorkerAdapter(WsgiWorker worker) => _worker = worker;

    public Task Completion => _worker.Completion;

    public string PythonVersion => $"{_worker.PythonVersion} ({_worker.PythonLibrary})";

    public void Submit(GatewayExchange exchange) => _worker.Submit(exchange);

    public Task<bool> RespondsAsync() => _worker.RespondsAsync();

    public void BeginDrain() => _worker.BeginDrain();

    public Task StopAsync(TimeSpan grace) => _worker.StopAsync(grace);

    public async Task StartAsync()
    {
        try
        {
            await _worker.StartAsync().ConfigureAwait(false);
        }
        catch (WsgiLoadException e)
        {
            throw new StartupException(e.Message, e.PythonTraceback, e) { WatchedFiles = e.WatchedFiles };
        }
    }
}
