using UGreen.Py.CPython;

namespace UGreen.Py.Wsgi.Environ;

/// <summary>One header name's environ key, and the value it had last.</summary>
internal sealed class HeaderKey(NewRef key, bool isShared)
{
    private string? _lastText;
    private NewRef _lastValue;

    public BorrowedRef Key => key.Borrow();

    /// <summary>True when the table keeps it.</summary>
    public bool IsShared { get; } = isShared;

    /// <summary>
    /// The value as a Python string. Clients repeat most values (Host, User-Agent, Accept), and the front hands out the same .NET string for a repeated value, so the last
    /// one is kept and usually found by comparing addresses.
    /// </summary>
    public BorrowedRef Value(string text)
    {
        if (_lastText is not null && string.Equals(_lastText, text)) return _lastValue.Borrow();
        var value = PyText.FromLatin1(text).OrThrow();
        _lastValue.Dispose();
        (_lastText, _lastValue) = (text, value);
        return value.Borrow();
    }

    public void Release()
    {
        _lastValue.Dispose();
        key.Dispose();
    }
}
