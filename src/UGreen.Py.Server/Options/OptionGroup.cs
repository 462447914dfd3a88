namespace UGreen.Py.Server.Options;

/// <summary>Options that stand together in the help.</summary>
internal sealed record OptionGroup(string Title, IReadOnlyList<OptionSpec> Options);
