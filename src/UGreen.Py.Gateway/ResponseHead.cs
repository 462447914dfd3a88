namespace UGreen.Py.Gateway;

/// <summary>
/// Status and headers of one response. One object lives as long as its exchange and is cleared between requests, so that a response costs no list of its own.
/// Not thread-safe: the hub thread fills it before the exchange is started or completed, the front reads it after.
/// </summary>
public sealed class ResponseHead
{
    private HeaderField[] _headers = new HeaderField[8];
    private HeaderField[] _always = [];

    /// <summary>HTTP status code, 100 to 999.</summary>
    public int Status { get; set; }

    /// <summary>Reason phrase; null means the standard one.</summary>
    public string? Reason { get; set; }

    /// <summary>Value of the Content-Length header when the application or the driver set one, in bytes; otherwise null.</summary>
    public long? ContentLength { get; set; }

    /// <summary>Headers in the order the application gave them. Content-Length is not among them, see <see cref="ContentLength"/>.</summary>
    public ReadOnlySpan<HeaderField> Headers => _headers.AsSpan(0, Count);

    /// <summary>Number of headers.</summary>
    public int Count { get; private set; }

    public void Add(string name, string value)
    {
        if (Count == _headers.Length) Array.Resize(ref _headers, _headers.Length * 2);
        _headers[Count++] = new HeaderField(name, value);
    }

    /// <summary>Headers that every response of this object begins with, whoever fills it: <see cref="Clear"/> leaves them. The array is shared and must not change.</summary>
    public void SetAlways(HeaderField[] fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        if (ReferenceEquals(_always, fields)) return;
        _always = fields;
        Clear();
    }

    /// <summary>Forgets everything, so that no value of one request is seen in the next.</summary>
    public void Clear()
    {
        _headers.AsSpan(0, Count).Clear();
        Count = 0;
        Status = 0;
        Reason = null;
        ContentLength = null;
        foreach (var field in _always) Add(field.Name, field.Value);
    }
}
