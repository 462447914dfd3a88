using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

/// <summary>A started front on a port of the kernel's choice.</summary>
internal static class TestFront
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static Task<HttpFront> StartAsync(Func<GatewayExchange, Task> answer, IAccessLog? accessLog = null, ILoggerFactory? loggers = null)
        => StartAsync(new FakeApplication(answer), accessLog, loggers);

    public static Task<HttpFront> StartAsync(Action<GatewayExchange> answer, IAccessLog? accessLog = null, ILoggerFactory? loggers = null)
        => StartAsync(new FakeApplication(e =>
        {
            answer(e);
            return Task.CompletedTask;
        }), accessLog, loggers);

    public static async Task<HttpFront> StartAsync(IGatewayApplication application, IAccessLog? accessLog = null, ILoggerFactory? loggers = null)
    {
        var front = new HttpFront(new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]), application, accessLog, loggers ?? NullLoggerFactory.Instance);
        await front.StartAsync();
        return front;
    }
}
