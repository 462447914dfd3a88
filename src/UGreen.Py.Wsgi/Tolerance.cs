using Microsoft.Extensions.Logging;

namespace UGreen.Py.Wsgi;

/// <summary>
/// What an application may get wrong without an error, because other servers take it: done as it must have been meant, and told once for each application (docs/adr/0039). Hub thread.
/// </summary>
internal sealed partial class Tolerance(bool isStrict, ApplicationTable applications, ILogger log)
{
    // As many as there are kinds of mistakes, times applications: no client decides that.
    private readonly HashSet<(int Application, string What)> _told = [];

    /// <summary>Nothing is tolerated: <c>--wsgi-strict</c>.</summary>
    public bool IsStrict => isStrict;

    /// <summary>A header of the connection's was left out of a response.</summary>
    /// <param name="request">Whose it is.</param>
    /// <param name="name">As the application wrote it; one of a few names.</param>
    public void LeftOut(WsgiRequest request, string name)
    {
        if (_told.Add((request.Application, name.ToLowerInvariant()))) HeaderLeftOut(log, request.Title, applications.PlaceOf(request.Application), name);
    }

    /// <summary>The application returned a bytes object.</summary>
    /// <param name="request">For which.</param>
    public void Whole(WsgiRequest request)
    {
        if (_told.Add((request.Application, "bytes"))) BytesReturned(log, request.Title, applications.PlaceOf(request.Application));
    }

    [LoggerMessage(EventId = 760, Level = LogLevel.Warning, Message = "{Title}: the application{Place} sets {Name}, a hop-by-hop header, which only the server may set; it is left out (told once; --wsgi-strict refuses it)")]
    private static partial void HeaderLeftOut(ILogger log, string title, string place, string name);

    [LoggerMessage(EventId = 761, Level = LogLevel.Warning, Message = "{Title}: the application{Place} returned a bytes object and not a list of one; it is sent as one piece (told once; --wsgi-strict refuses it)")]
    private static partial void BytesReturned(ILogger log, string title, string place);
}
