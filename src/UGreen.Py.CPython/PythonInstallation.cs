namespace UGreen.Py.CPython;

/// <summary>Which CPython to load and what it shall take itself for.</summary>
/// <param name="LibraryPath">The shared library, <c>libpython3.11.so.1.0</c>; null: the program of this process is it.</param>
/// <param name="ProgramName">Absolute path of the executable that <c>sys.executable</c> shall name; CPython derives sys.prefix and site-packages (and a virtualenv) from it.</param>
public sealed record PythonInstallation(string? LibraryPath, string ProgramName);
