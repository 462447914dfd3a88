namespace UGreen.Py.Server.Options;

/// <summary>One command-line option as a user sees it; the parser, the help text and the alias table agree on these (a test compares them).</summary>
internal sealed record OptionSpec
{
    /// <summary>Long name without dashes.</summary>
    public required string Name { get; init; }

    /// <summary>Other long names, as uWSGI has them.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    public char? Short { get; init; }

    /// <summary>Placeholder of the value in the help; null for a flag.</summary>
    public string? Value { get; init; }

    /// <summary>What the option means without a value; a value is then taken only behind '='. Null: it needs one.</summary>
    public string? OptionalValue { get; init; }

    /// <summary>May be given more than once; the values accumulate.</summary>
    public bool Repeatable { get; init; }

    public required string Help { get; init; }

    /// <summary>What holds when the option is not given, as the help shows it.</summary>
    public string? Default { get; init; }

    public bool TakesValue => Value is not null;

    /// <summary>Long name and value as the help shows them, without dashes.</summary>
    public string Usage => Value is null ? Name : OptionalValue is null ? $"{Name} {Value}" : $"{Name}[={Value}]";
}
