namespace UGreen.Py.CPython;

/// <summary>libpython was not found, is of a version that is not known, or did not initialise. The message is for the user, in one line.</summary>
public sealed class PythonStartException(string message, Exception? inner = null) : Exception(message, inner);
