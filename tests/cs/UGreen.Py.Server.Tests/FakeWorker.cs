using UGreen.Py.Gateway;
using UGreen.Py.Server.Hosting;

namespace UGreen.Py.Server.Tests;

/// <summary>A worker without Python: answers "hello", or holds the request until the test lets it go.</summary>
internal sealed class FakeWorker : IWorker
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Func<Task> Start { get; init; } = () => Task.CompletedTask;

    public TaskCompletionSource? Hold { get; init; }

    public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TimeSpan? StoppedWith { get; private set; }

    public Task Completion => _completion.Task;

    public string PythonVersion => "3.11.2";

    public Task StartAsync() => Start();

    public Task<bool> RespondsAsync() => Task.FromResult(true);

    /// <summary>Called when it is told that it will be stopped.</summary>
    public Action Draining { get; init; } = () => { };

    public void BeginDrain() => Draining();

    public Task StopAsync(TimeSpan grace)
    {
        StoppedWith = grace;
        return Task.CompletedTask;
    }

    public void Die(Exception error) => _completion.SetException(error);

    public void Submit(GatewayExchange exchange) => _ = AnswerAsync(exchange);

    private async Task AnswerAsync(GatewayExchange exchange)
    {
        Entered.TrySetResult();
        if (Hold is not null) await Hold.Task;
        exchange.Head.Status = 200;
        "hello"u8.CopyTo(exchange.SetWholeBody(5));
        exchange.Complete(ExchangeOutcome.Whole);
    }
}
