namespace UGreen.Py.CPython.Layout;

/// <summary>One member of <c>struct _ts</c> as the C compiler laid it out.</summary>
/// <param name="Name">The C name.</param>
/// <param name="Offset">Bytes from the start of <c>PyThreadState</c>.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct ThreadStateField(string Name, int Offset, int Size);
