using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace UGreen.Py.Server.Process;

/// <summary>Tells the service manager how the server is (sd_notify(3)). Without NOTIFY_SOCKET it says nothing. Any thread; nothing here waits.</summary>
internal sealed class SystemdNotifier
{
    private readonly UnixDomainSocketEndPoint? _address;
    private readonly ILogger _logger;

    /// <param name="address">NOTIFY_SOCKET: a path, or '@' and an abstract name; null: nobody wants to know. Another kind of address is ignored, as sd_notify would.</param>
    /// <param name="watchdogInterval">How often the manager wants a sign of life at least; null: it does not.</param>
    /// <param name="logger">For what cannot be sent.</param>
    public SystemdNotifier(string? address, TimeSpan? watchdogInterval, ILogger logger)
    {
        _logger = logger;
        if (address is not { Length: > 1 } || address[0] is not ('/' or '@')) return;
        _address = new UnixDomainSocketEndPoint(address[0] == '@' ? "\0" + address[1..] : address);
        WatchdogInterval = watchdogInterval;
    }

    /// <summary>The variables that this class and <see cref="Options.PassedSocket"/> read: not for programs that the server starts.</summary>
    public static IReadOnlyList<string> Variables { get; } = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"];

    /// <summary>From WATCHDOG_USEC; null: no watchdog.</summary>
    public TimeSpan? WatchdogInterval { get; }

    /// <summary>A service manager listens.</summary>
    public bool IsActive => _address is not null;

    /// <summary>As the environment says.</summary>
    public static SystemdNotifier FromEnvironment(Func<string, string?> environment, int pid, ILogger logger)
    {
        var isOurs = environment("WATCHDOG_PID") is not { Length: > 0 } whose || whose == pid.ToString(CultureInfo.InvariantCulture);
        var hasInterval = ulong.TryParse(environment("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds);
        TimeSpan? interval = isOurs && hasInterval && microseconds is > 0 and < long.MaxValue / 10 ? TimeSpan.FromMicroseconds(microseconds) : null;
        return new SystemdNotifier(environment("NOTIFY_SOCKET"), interval, logger);
    }

    /// <summary>The server answers requests.</summary>
    /// <param name="status">For systemctl status; one line.</param>
    /// <param name="mainPid">When the process that the manager shall watch is another than the one that it started.</param>
    public void Ready(string status, int? mainPid = null)
        => Send(string.Create(CultureInfo.InvariantCulture, $"READY=1\nSTATUS={Line(status)}{(mainPid is null ? "" : $"\nMAINPID={mainPid}")}"));

    /// <summary>A reload has begun; <see cref="Ready"/> ends it. Type=notify-reload wants to know when, to tell it from an earlier one.</summary>
    /// <param name="monotonic">CLOCK_MONOTONIC.</param>
    public void Reloading(TimeSpan monotonic)
        => Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={monotonic.Ticks / TimeSpan.TicksPerMicrosecond}\nSTATUS=reloading"));

    public void Status(string status) => Send($"STATUS={Line(status)}");

    public void Stopping() => Send("STOPPING=1\nSTATUS=stopping");

    public void Watchdog() => Send("WATCHDOG=1");

    private static string Line(string text) => text.ReplaceLineEndings(" ");

    private void Send(string state)
    {
        if (_address is null) return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            socket.SendTo(Encoding.UTF8.GetBytes(state), _address);
        }
        catch (SocketException e)
        {
            ProcessLog.NotNotified(_logger, state.Split('\n')[0], e.Message);
        }
    }
}
