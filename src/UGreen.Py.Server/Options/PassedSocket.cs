namespace UGreen.Py.Server.Options;

/// <summary>A listening socket that the process was started with (systemd's socket activation).</summary>
/// <param name="Descriptor">Its number, from 3.</param>
/// <param name="Name">From LISTEN_FDNAMES; null: it has none.</param>
internal sealed record PassedSocket(int Descriptor, string? Name)
{
    private const int First = 3;
    private const string Scheme = "fd://";

    // More is a number that was mistyped; no process has that many sockets.
    private const int Most = 10_000;

    /// <summary>Reads sd_listen_fds(3)'s variables; none when they are for another process.</summary>
    public static IReadOnlyList<PassedSocket> Read(Func<string, string?> environment, int pid)
    {
        if (!int.TryParse(environment("LISTEN_PID"), out var whose) || whose != pid) return [];
        if (!int.TryParse(environment("LISTEN_FDS"), out var count) || count is < 1 or > Most) return [];
        var names = environment("LISTEN_FDNAMES")?.Split(':') ?? [];
        // What systemd says when a unit gives no name.
        return [.. Enumerable.Range(0, count).Select(i => new PassedSocket(First + i, i < names.Length && names[i] is { Length: > 0 } name and not "unknown" ? name : null))];
    }

    /// <summary>The address by which options name it.</summary>
    public string Address => $"{Scheme}{Descriptor}";

    /// <summary>For <c>fd://NAME</c> the number in place of the name; any other text as it is, and so a name that no socket has.</summary>
    public static string Resolve(string address, IReadOnlyList<PassedSocket> passed)
    {
        var text = address.Trim();
        if (!text.StartsWith(Scheme, StringComparison.Ordinal)) return address;
        // Behind a comma: the certificate and key of --https.
        var end = text.IndexOf(',', StringComparison.Ordinal);
        var name = end < 0 ? text[Scheme.Length..] : text[Scheme.Length..end];
        return passed.FirstOrDefault(s => s.Name == name) is { } socket ? socket.Address + (end < 0 ? "" : text[end..]) : address;
    }

    /// <summary>"fd://3 (web)".</summary>
    public override string ToString() => Name is null ? Address : $"{Address} ({Name})";
}
