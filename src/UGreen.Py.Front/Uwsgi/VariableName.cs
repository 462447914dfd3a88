using System.Collections.Frozen;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>A variable's name and what follows from it, worked out once per name and not once per request.</summary>
internal sealed class VariableName
{
    // In uWSGI these load code, change directory or environment, read files, or choose an application: remote code execution for whoever reaches the socket.
    private static readonly FrozenSet<string> s_neverHonoured = FrozenSet.ToFrozenSet(
    [
        "UWSGI_FILE", "UWSGI_MODULE", "UWSGI_SCRIPT", "UWSGI_CALLABLE", "UWSGI_PYHOME", "UWSGI_HOME", "UWSGI_CHDIR", "UWSGI_TOUCH_RELOAD", "UWSGI_SETENV", "UWSGI_POSTFILE",
        "UWSGI_CACHE_GET", "UWSGI_APPID",
    ]);

    // Keys of the environ that the server makes: a text from the wire in the place of wsgi.input would only break the application.
    private static readonly string[] s_serverPrefixes = ["wsgi.", "uwsgi.", "x-wsgiorg.", "ugreen."];

    private static readonly FrozenDictionary<string, VariableId> s_ids = new Dictionary<string, VariableId>
    {
        ["REQUEST_METHOD"] = VariableId.Method,
        ["REQUEST_URI"] = VariableId.Uri,
        ["PATH_INFO"] = VariableId.Path,
        ["SCRIPT_NAME"] = VariableId.ScriptName,
        ["QUERY_STRING"] = VariableId.Query,
        ["SERVER_PROTOCOL"] = VariableId.Protocol,
        ["CONTENT_LENGTH"] = VariableId.ContentLength,
        ["HTTP_TRANSFER_ENCODING"] = VariableId.TransferEncoding,
        ["REMOTE_ADDR"] = VariableId.RemoteAddress,
        ["REMOTE_PORT"] = VariableId.RemotePort,
        ["SERVER_NAME"] = VariableId.ServerName,
        ["SERVER_PORT"] = VariableId.ServerPort,
        ["HTTPS"] = VariableId.Https,
        ["REQUEST_SCHEME"] = VariableId.RequestScheme,
        ["UWSGI_SCHEME"] = VariableId.UwsgiScheme,
    }.ToFrozenDictionary();

    public VariableName(string text)
    {
        Text = text;
        Id = s_ids.GetValueOrDefault(text);
        IsDropped = s_neverHonoured.Contains(text) || Array.Exists(s_serverPrefixes, prefix => text.StartsWith(prefix, StringComparison.Ordinal));
        // nginx passes these headers on beside its own CONTENT_TYPE and CONTENT_LENGTH, which are what counts; an environ must not have them (RFC 3875, section 4.1.18).
        IsRedundant = text is "HTTP_CONTENT_TYPE" or "HTTP_CONTENT_LENGTH";
        // HTTP forbids control characters in what these carry. Others may hold them: PATH_INFO and SCRIPT_NAME are percent-decoded ("/a%0Ab" is a valid URL, and
        // the HTTP front takes it as well), SSL_CLIENT_CERT is a text of many lines.
        IsOneLine = text.StartsWith("HTTP_", StringComparison.Ordinal) || text == "CONTENT_TYPE" || Id is not (VariableId.Other or VariableId.Path or VariableId.ScriptName);
    }

    public string Text { get; }

    public VariableId Id { get; }

    /// <summary>Never reaches the application.</summary>
    public bool IsDropped { get; }

    /// <summary>Does not reach the application either, but is nothing to speak of.</summary>
    public bool IsRedundant { get; }

    /// <summary>The value must not hold a control character; in the others only NUL is refused.</summary>
    public bool IsOneLine { get; }

    /// <summary>Whether its being dropped has been said; racy on purpose, a second line does no harm.</summary>
    public bool WasReported { get; set; }
}
