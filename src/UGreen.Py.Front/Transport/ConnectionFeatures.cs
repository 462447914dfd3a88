using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace UGreen.Py.Front.Transport;

/// <summary>
/// The features of one connection: those that the connection object itself is, and the handful that Kestrel and middlewares set. A list, because a search through
/// eight pointers beats a dictionary per connection.
/// </summary>
internal sealed class ConnectionFeatures(object connection) : IFeatureCollection
{
    private (Type Key, object? Value)[] _set = new (Type, object?)[8];
    private int _count;

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    public object? this[Type key]
    {
        get
        {
            foreach (var (type, value) in _set.AsSpan(0, _count))
            {
                if (type == key) return value;
            }

            return key.IsInstanceOfType(connection) ? connection : null;
        }

        set
        {
            Revision++;
            foreach (ref var entry in _set.AsSpan(0, _count))
            {
                if (entry.Key != key) continue;
                entry.Value = value;
                return;
            }

            if (_count == _set.Length) Array.Resize(ref _set, _count * 2);
            _set[_count++] = (key, value);
        }
    }

    public TFeature? Get<TFeature>()
    {
        foreach (var (type, value) in _set.AsSpan(0, _count))
        {
            if (type == typeof(TFeature)) return (TFeature?)value;
        }

        return connection is TFeature own ? own : default;
    }

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator()
    {
        for (var i = 0; i < _count; i++)
        {
            if (_set[i] is (var key, { } value)) yield return new(key, value);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
