using UGreen.Py.Front.Logs;

namespace UGreen.Py.Server.Options;

/// <summary>Which requests have a line, what it looks like, and where it goes.</summary>
internal sealed record RequestLogOptions
{
    /// <summary>Null: the usual line, or JSON.</summary>
    public LogFormat? Format { get; init; }

    /// <summary>JSON, for the server's own lines as well.</summary>
    public bool Json { get; init; }

    /// <summary>Absolute path of a file for request lines; null: where the other lines go.</summary>
    public string? File { get; init; }

    public bool ShowForwardedFor { get; init; }

    /// <summary>Requests that have a line although request lines are off.</summary>
    public RequestFilter Forced { get; init; } = new();
}
