namespace UGreen.Py.Wsgi;

/// <summary>How far a response is. None → Head → (Streaming →) Done; start_response with exc_info may replace a Head by another, or by None when the other is refused.</summary>
internal enum ResponseState
{
    /// <summary>start_response was not called yet.</summary>
    None,

    /// <summary>Status and headers are known; nothing was sent.</summary>
    Head,

    /// <summary>Status and headers were sent, body bytes follow.</summary>
    Streaming,

    /// <summary>The exchange was given back to the front; it must not be touched any more.</summary>
    Done,
}
