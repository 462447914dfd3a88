namespace UGreen.Py.CPython.Layout;

/// <summary>The libpython that was loaded is none whose thread state we know. The message says what was found and what is known.</summary>
public sealed class UnsupportedPythonException(string message) : Exception(message);
