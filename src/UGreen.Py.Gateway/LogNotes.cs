namespace UGreen.Py.Gateway;

/// <summary>
/// What an application says about its own line in the access log. Made when it says something first, gone with the request. Not thread-safe: whoever owns the
/// exchange.
/// </summary>
public sealed class LogNotes
{
    /// <summary>A line with more variables is not read by anybody, and names are looked for one after the other.</summary>
    public const int MaxVariables = 64;

    private readonly List<KeyValuePair<byte[], byte[]>> _variables = [];

    /// <summary>Write the line, whatever the log's filter says.</summary>
    public bool IsWanted { get; set; }

    /// <summary>Names, each once, and values, in the order in which the names were first set. Any bytes.</summary>
    public IReadOnlyList<KeyValuePair<byte[], byte[]>> Variables => _variables;

    /// <summary>Sets a variable or changes it. Keeps the arrays.</summary>
    /// <returns>False: there are <see cref="MaxVariables"/> already, and this name is not among them.</returns>
    public bool TrySet(byte[] name, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        var index = IndexOf(name);
        if (index >= 0) _variables[index] = new(name, value);
        else if (_variables.Count == MaxVariables) return false;
        else _variables.Add(new(name, value));
        return true;
    }

    /// <returns>Null when it was never set.</returns>
    public byte[]? Find(ReadOnlySpan<byte> name)
    {
        var index = IndexOf(name);
        return index < 0 ? null : _variables[index].Value;
    }

    private int IndexOf(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _variables.Count; i++)
        {
            if (name.SequenceEqual(_variables[i].Key)) return i;
        }

        return -1;
    }
}
