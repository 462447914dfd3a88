namespace UGreen.Py.Wsgi.Control;

/// <summary>One worker as <c>uwsgi.workers()</c> shows it.</summary>
public sealed record WorkerFigures
{
    /// <summary>From 1.</summary>
    public required int Id { get; init; }

    /// <summary>0: it does not run.</summary>
    public int Pid { get; init; }

    /// <summary>Requests finished by all processes that had this number.</summary>
    public long Requests { get; init; }

    /// <summary>Requests finished by the present process.</summary>
    public long DeltaRequests { get; init; }

    /// <summary>Requests whose application raised.</summary>
    public long Exceptions { get; init; }

    /// <summary>Requests that ended by harakiri.</summary>
    public long Harakiris { get; init; }

    /// <summary>Requests that run now.</summary>
    public int BusyCores { get; init; }

    /// <summary>"idle", "busy", "cheap" (not started), "starting", "draining".</summary>
    public string Status { get; init; } = "cheap";

    /// <summary>Resident memory in bytes; 0 when it does not run.</summary>
    public long ResidentBytes { get; init; }

    /// <summary>Address space in bytes; 0 when it does not run.</summary>
    public long VirtualBytes { get; init; }

    /// <summary>Time spent in requests, in microseconds.</summary>
    public long RunningMicroseconds { get; init; }

    /// <summary>Mean time of a request, in microseconds.</summary>
    public long AverageMicroseconds { get; init; }

    /// <summary>Bytes of response bodies.</summary>
    public long SentBytes { get; init; }

    /// <summary>When the present process was started, in seconds since 1970.</summary>
    public long StartedOn { get; init; }

    /// <summary>How often this worker was replaced.</summary>
    public int Respawns { get; init; }
}
