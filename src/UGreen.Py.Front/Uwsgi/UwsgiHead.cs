using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>The variables of one packet. Objects are reused; not thread-safe.</summary>
public sealed class UwsgiHead
{
    private readonly string?[] _known = new string?[(int)VariableId.Count];
    private readonly List<VariableName> _dropped = [];
    private HeaderField[] _variables = new HeaderField[48];
    private int _count;

    /// <summary>All variables that may reach the application, in wire order. A name may occur twice: the last one counts.</summary>
    public ReadOnlySpan<HeaderField> Variables => _variables.AsSpan(0, _count);

    /// <summary>Length of the request body that follows the packet; null when there was no CONTENT_LENGTH or an empty one, which means no body.</summary>
    public long? ContentLength { get; internal set; }

    /// <summary>Variables that were there and are kept from the application.</summary>
    internal IReadOnlyList<VariableName> Dropped => _dropped;

    /// <summary>The value of a variable that the front knows; null when it was not sent.</summary>
    internal string? this[VariableId id] => _known[(int)id];

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _variables.AsSpan(0, _count).Clear();
        _known.AsSpan().Clear();
        _dropped.Clear();
        _count = 0;
        ContentLength = null;
    }

    internal void Drop(VariableName name) => _dropped.Add(name);

    /// <summary>Notes a variable for the front without passing it on.</summary>
    internal void Note(VariableId id, string value) => _known[(int)id] = value;

    internal void Add(VariableName name, string value)
    {
        _known[(int)name.Id] = value;
        Add(name.Text, value);
    }

    /// <summary>
    /// Adds a variable that must not be missing, with its usual value, unless it is there. One that is there and empty (nginx's SERVER_NAME without a server_name line) is
    /// overruled by a value that is not: SERVER_NAME and SERVER_PORT must not be empty (PEP 3333).
    /// </summary>
    internal void AddDefault(VariableId id, string name, string value)
    {
        if (_known[(int)id] is { } sent && (sent.Length > 0 || value.Length == 0)) return;
        _known[(int)id] = value;
        Add(name, value);
    }

    private void Add(string name, string value)
    {
        if (_count == _variables.Length) Array.Resize(ref _variables, _variables.Length * 2);
        _variables[_count++] = new HeaderField(name, value);
    }
}
