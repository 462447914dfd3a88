using Microsoft.Extensions.Logging;

namespace UGreen.Py.Server.Process;

/// <summary>
/// Feeds systemd's watchdog twice in each of its intervals, as long as the server is well. A question that is not answered yet is not asked again, so a server that hangs gets no
/// heap of them; once it is answered the watchdog is fed again.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private readonly SystemdNotifier _notifier;
    private readonly Func<Task<bool>> _isHealthy;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private Task<bool>? _question;
    private long _askedAt;
    private bool _isTold;

    /// <param name="notifier">Must have an interval.</param>
    /// <param name="isHealthy">Ends with true when the server is well; may take as long as it likes.</param>
    /// <param name="logger">Told when the server is not well.</param>
    /// <param name="time">For the timer.</param>
    public Watchdog(SystemdNotifier notifier, Func<Task<bool>> isHealthy, ILogger logger, TimeProvider time)
    {
        _notifier = notifier;
        _isHealthy = isHealthy;
        _logger = logger;
        _time = time;
        var half = (notifier.WatchdogInterval ?? throw new ArgumentException("no interval", nameof(notifier))) / 2;
        _timer = time.CreateTimer(_ => Tick(), null, TimeSpan.Zero, half);
    }

    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        lock (_timer)
        {
            if (_question is { IsCompleted: false })
            {
                if (!_isTold) ProcessLog.Unhealthy(_logger, _time.GetElapsedTime(_askedAt).TotalSeconds);
                _isTold = true;
                return;
            }

            _isTold = false;
            _askedAt = _time.GetTimestamp();
            _question = _isHealthy();
            _ = FeedAsync(_question);
        }
    }

    private async Task FeedAsync(Task<bool> question)
    {
        await ((Task)question).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (question.IsCompletedSuccessfully && await question.ConfigureAwait(false)) _notifier.Watchdog();
    }
}
