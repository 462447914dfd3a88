using Microsoft.Extensions.Options;

namespace UGreen.Py.Server.Logging;

/// <summary>Options that never change, where the logging library wants to watch some. Saves the dependency-injection container that would make a monitor.</summary>
internal sealed class FixedOptions<T>(T value) : IOptionsMonitor<T>
{
    public T CurrentValue => value;

    public T Get(string? name) => value;

    public IDisposable? OnChange(Action<T, string?> listener) => null;
}
