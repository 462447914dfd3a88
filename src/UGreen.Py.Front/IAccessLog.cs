using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>
/// Takes one line per request. A front without one (null) skips the whole work. Called on a front thread after the response was handed to the socket; the
/// exchange still holds the request and must not be kept.
/// </summary>
public interface IAccessLog
{
    /// <param name="exchange">The finished exchange.</param>
    /// <param name="status">What was really sent, also when the front replaced the application's answer.</param>
    /// <param name="elapsedTicks">Time since the request head was read, in <see cref="System.Diagnostics.Stopwatch"/> ticks.</param>
    /// <param name="aborted">True when the response was broken off.</param>
    void Log(GatewayExchange exchange, int status, long elapsedTicks, bool aborted);
}
