using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Uwsgi;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Static;

/// <summary>
/// Answers requests for static files with ASP.NET Core's static file middleware and passes all others on. It stands at the gateway, so HTTP and the uwsgi
/// protocol both have it, and neither Python nor a core is needed. Any thread.
/// <para>
/// Invariant: a request is either passed on untouched, or answered here and completed once.
/// </para>
/// </summary>
public sealed class StaticFileServer : IGatewayApplication
{
    private readonly StaticRoot[] _roots;
    private readonly bool _looksAtAll;
    private readonly IGatewayApplication _next;
    private readonly ILogger _logger;
    // Whoever asks for such a file can ask a thousand times.
    private readonly OncePerSecond _unreadable = new(TimeProvider.System);
    private readonly OncePerSecond _faults = new(TimeProvider.System);

    /// <param name="settings">Which files.</param>
    /// <param name="next">Gets what is no static file.</param>
    /// <param name="loggers">For lines about files that cannot be read.</param>
    public StaticFileServer(StaticFileSettings settings, IGatewayApplication next, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(loggers);
        _roots =
        [
            .. settings.Maps.Select(map => new StaticRoot(map, isExclusive: true, settings.IndexNames)),
            .. settings.CheckDirectories.Select(folder => new StaticRoot(new StaticMap("", folder, IsDirectory: true), isExclusive: false, settings.IndexNames)),
        ];
        _looksAtAll = _roots.Any(root => root.Prefix.Length == 0);
        _next = next;
        _logger = loggers.CreateLogger(StaticLog.Category);
    }

    /// <inheritdoc/>
    public void Submit(GatewayExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        if (!_looksAtAll && IsFarFromAll(exchange)) _next.Submit(exchange);
        // Not on the front's I/O thread: what is looked at may lie on a slow disk, or on another machine.
        else ThreadPool.UnsafeQueueUserWorkItem(static work => work.Server.Look(work.Exchange), (Server: this, Exchange: exchange), preferLocal: false);
    }

    private void Look(GatewayExchange exchange)
    {
        StaticHit hit;
        try
        {
            hit = Find(exchange);
        }
#pragma warning disable CA1031 // as in AnswerAsync; nobody else catches what is thrown on a pool thread
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(exchange, "", e);
            exchange.FillPlain(HttpStatus.InternalServerError, "Internal Server Error");
            exchange.Complete(ExchangeOutcome.Whole);
            return;
        }

        if (hit.Root is { } root) _ = AnswerAsync(exchange, root, hit.File);
        else _next.Submit(exchange);
    }

    /// <summary>The quick way past: no map has the beginning of this path.</summary>
    private bool IsFarFromAll(GatewayExchange exchange)
    {
        if (StaticPath.Plain(exchange) is not { } path) return false;
        foreach (var root in _roots)
        {
            if (StaticPath.IsBelow(path, root.Prefix)) return false;
        }

        return true;
    }

    private StaticHit Find(GatewayExchange exchange)
    {
        if (StaticPath.Decode(exchange) is not { } path) return default;
        var isRead = IsRead(exchange.Method);
        foreach (var root in _roots)
        {
            if ((!isRead && !root.IsExclusive) || !StaticPath.IsBelow(path, root.Prefix)) continue;
            if (root.Find(path[root.Prefix.Length..]) is { Root: not null } hit) return hit;
        }

        return default;
    }

    private async Task AnswerAsync(GatewayExchange exchange, StaticRoot root, string? file)
    {
        var response = new StaticResponse(exchange);
        try
        {
            if (!IsRead(exchange.Method)) Refuse(exchange);
            else if (file is null) Redirect(exchange);
            else await root.ServeAsync(StaticRequest.Context(exchange, response), file).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Unreadable(exchange, file, e);
        }
#pragma warning disable CA1031 // whatever it is: the exchange must be given back
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(exchange, file ?? "", e);
            if (!exchange.Started) exchange.FillPlain(HttpStatus.InternalServerError, "Internal Server Error");
        }

        // The file went between two looks.
        if (response.IsDeclined) _next.Submit(exchange);
        else Complete(exchange, response, file);
    }

    private void Complete(GatewayExchange exchange, StaticResponse response, string? file)
    {
        if (!exchange.Started)
        {
            if (exchange.Head.Status == 0) response.FillHead();
            exchange.Complete(ExchangeOutcome.Whole);
            return;
        }

        var isWhole = !response.IsBroken && exchange.BytesOut == (exchange.Head.ContentLength ?? exchange.BytesOut);
        if (!isWhole) StaticLog.Broken(_logger, exchange.Method, exchange.Target, file ?? "");
        exchange.Complete(isWhole ? ExchangeOutcome.Streamed : ExchangeOutcome.Aborted);
    }

    private void Unreadable(GatewayExchange exchange, string? file, Exception error)
    {
        if (_unreadable.TryPass(out var unsaid)) StaticLog.Unreadable(_logger, exchange.Method, exchange.Target, file ?? "", error.Message, unsaid);
        if (exchange.Started) return;
        if (error is UnauthorizedAccessException) exchange.FillPlain(StatusCodes.Status403Forbidden, "Forbidden");
        else exchange.FillPlain(HttpStatus.InternalServerError, "Internal Server Error");
    }

    private void Failed(GatewayExchange exchange, string file, Exception error)
    {
        if (_faults.TryPass(out var unsaid)) StaticLog.Failed(_logger, error, exchange.Method, exchange.Target, file, unsaid);
    }

    private static void Refuse(GatewayExchange exchange)
    {
        exchange.FillPlain(StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");
        exchange.Head.Add("Allow", "GET, HEAD");
    }

    private static void Redirect(GatewayExchange exchange)
    {
        // Relative, so it is right below a SCRIPT_NAME, too, and cannot lead to another host. The dot keeps a colon in the name from looking like a scheme.
        var path = StaticPath.Decode(exchange)!;
        var location = "." + new PathString(path[path.LastIndexOf('/')..] + "/").ToUriComponent();
        RequestTarget.Split(exchange.Target, out _, out var query);
        exchange.FillPlain(StatusCodes.Status301MovedPermanently, "Moved Permanently");
        exchange.Head.Add("Location", query.IsEmpty ? location : $"{location}?{query}");
    }

    private static bool IsRead(string method) => method is "GET" or "HEAD";
}
