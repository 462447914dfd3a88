using Microsoft.Extensions.Logging;
using UGreen.Py.Front;
using UGreen.Py.Front.Static;
using UGreen.Py.Gateway;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Hosting;

/// <summary>What a request passes on its way from a front to the worker. A feature that is off has no link, so it costs nothing.</summary>
internal static class ApplicationChain
{
    /// <param name="options">Says which links there are.</param>
    /// <param name="worker">The end of the chain.</param>
    /// <param name="loggers">For the links' own lines.</param>
    public static IGatewayApplication Build(ServerOptions options, IGatewayApplication worker, ILoggerFactory loggers)
    {
        IGatewayApplication first = new ShareKeeper(worker);
        if (options.StaticFiles is { } files) first = new StaticFileServer(files, first, loggers);
        // In front of the files: they get the headers, too.
        if (options.AddedHeaders.Count > 0) first = new HeaderAdder(options.AddedHeaders, first);
        return first;
    }
}
