using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>
/// What Kestrel calls for each request. One exchange object lives as long as its connection.
/// <para>
/// A request that the application side answers at once costs no state machine; the usual one costs exactly one, which is also the task that Kestrel awaits.
/// </para>
/// </summary>
internal sealed class HttpApplication : IHttpApplication<HttpExchange>
{
    private readonly IGatewayApplication _application;
    private readonly IAccessLog? _accessLog;
    private readonly ILogger _logger;
    private readonly FrontLimits _limits;
    private readonly PauseWatch? _pauses;
    private readonly ForwardedPeers? _forwarded;
    private readonly DrainState _drain;

    public HttpApplication(IGatewayApplication application, IAccessLog? accessLog, FrontLimits limits, PauseWatch? pauses, ILogger logger, ForwardedPeers? forwarded, DrainState drain)
    {
        _limits = limits;
        _pauses = pauses;
        _forwarded = forwarded;
        _drain = drain;
        _application = application;
        _accessLog = accessLog;
        _logger = logger;
    }

    public HttpExchange CreateContext(IFeatureCollection contextFeatures)
    {
        if (contextFeatures is not IHostContextContainer<HttpExchange> container) return new HttpExchange(contextFeatures, _limits, _pauses, _logger, _forwarded, _drain);
        return container.HostContext ??= new HttpExchange(contextFeatures, _limits, _pauses, _logger, _forwarded, _drain);
    }

    public Task ProcessRequestAsync(HttpExchange context)
    {
        if (!context.TryBegin()) return Task.CompletedTask;

        var outcome = context.RunAsync(_application);
        return outcome.IsCompletedSuccessfully ? context.FinishAsync(outcome.Result) : AwaitAsync(context, outcome);
    }

    /// <summary>Kestrel calls this after the last byte of the response was flushed and before it reads what is left of the request body.</summary>
    public void DisposeContext(HttpExchange context, Exception? exception)
    {
        if (_accessLog is not null) context.WriteTo(_accessLog);
        context.End();
    }

    private static async Task AwaitAsync(HttpExchange context, ValueTask<ExchangeOutcome> outcome)
        => await context.FinishAsync(await outcome.ConfigureAwait(false)).ConfigureAwait(false);
}
