using UGreen.Py.Front;
using UGreen.Py.Front.Uwsgi;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Hosting;

/// <summary>What the fronts are started with; the same in a master, which opens the sockets, and in its workers.</summary>
internal static class FrontSettings
{
    /// <param name="options">The checked command line.</param>
    /// <param name="connections">Most open connections; null: no limit.</param>
    public static HttpFrontOptions Of(ServerOptions options, int? connections) => new(options.Http)
    {
        UwsgiEndpoints = options.Sockets,
        Uwsgi = new() { Limits = new() { BlockBytes = options.BufferSize ?? UwsgiLimits.MaxBlockBytes } },
        Limits = options.Limits with { Connections = connections, BlockedStreams = Math.Max(1, (options.Cores + 1) / 2) },
        Backlog = options.Backlog,
        SocketMode = options.SocketMode,
        Forwarded = options.Forwarded,
    };
}
