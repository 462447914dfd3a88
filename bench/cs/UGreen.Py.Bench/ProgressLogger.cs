using BenchmarkDotNet.Loggers;

namespace UGreen.Py.Bench;

/// <summary>BenchmarkDotNet's long log goes to a file; of it, only which benchmark has begun and what went wrong is shown, on standard error.</summary>
internal sealed class ProgressLogger(TextWriter file) : ILogger
{
    private const string Begun = "// Benchmark: ";

    public string Id => nameof(ProgressLogger);

    public int Priority => 0;

    public void Write(LogKind logKind, string text) => file.Write(text);

    public void WriteLine() => file.WriteLine();

    public void WriteLine(LogKind logKind, string text)
    {
        file.WriteLine(text);
        if (text.StartsWith(Begun, StringComparison.Ordinal)) Console.Error.WriteLine(text[Begun.Length..]);
        else if (logKind == LogKind.Error) Console.Error.WriteLine(text);
    }

    public void Flush() => file.Flush();
}
