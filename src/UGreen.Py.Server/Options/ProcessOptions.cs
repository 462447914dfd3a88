namespace UGreen.Py.Server.Options;

/// <summary>What the operating system shall see of the server: as whom it runs, under what name, and in which files it says so.</summary>
internal sealed record ProcessOptions
{
    /// <summary>Absolute path; null: no such file is written.</summary>
    public string? PidFile { get; init; }

    /// <summary>The pidfile is removed at the end.</summary>
    public bool Vacuum { get; init; }

    /// <summary>umask; null: as it was inherited.</summary>
    public int? Umask { get; init; }

    /// <summary>Who the server becomes once its sockets are open; null: it stays who it is.</summary>
    public Identity? Identity { get; init; }

    /// <summary>Who owns the files of unix sockets; null: who the server is when it opens them.</summary>
    public Identity? SocketOwner { get; init; }

    /// <summary>Absolute path of the file that gets the output of a server in the background; null: it stays in the foreground.</summary>
    public string? Daemonize { get; init; }

    /// <summary>Name of all processes; null: see <see cref="AutoName"/>.</summary>
    public string? Name { get; init; }

    /// <summary>Stands in front of the names of processes, with the blank at its end if there shall be one.</summary>
    public string? NamePrefix { get; init; }

    /// <summary>Processes are named after what they do.</summary>
    public bool AutoName { get; init; }
}
