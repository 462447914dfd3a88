namespace UGreen.Py.Front.Uwsgi;

/// <summary>The variables that the front itself looks at; all others are only passed on.</summary>
internal enum VariableId : byte
{
    Other,
    Method,
    Uri,
    Path,
    ScriptName,
    Query,
    Protocol,
    ContentLength,
    TransferEncoding,
    RemoteAddress,
    RemotePort,
    ServerName,
    ServerPort,
    Https,
    RequestScheme,
    UwsgiScheme,

    /// <summary>How many there are.</summary>
    Count,
}
