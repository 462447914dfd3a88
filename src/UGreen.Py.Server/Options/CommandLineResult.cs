namespace UGreen.Py.Server.Options;

/// <summary>What a command line asks for.</summary>
internal abstract record CommandLineResult
{
    private CommandLineResult()
    {
    }

    public sealed record Run(ServerOptions Options) : CommandLineResult;

    public sealed record ShowHelp : CommandLineResult;

    public sealed record ShowVersion : CommandLineResult;

    /// <param name="Errors">One line each.</param>
    public sealed record Refused(IReadOnlyList<string> Errors) : CommandLineResult
    {
        /// <summary>What was passed over in configuration files, which may be the reason of an error. One line each.</summary>
        public IReadOnlyList<string> Warnings { get; init; } = [];
    }
}
