using UGreen.Py.CPython.Api;
using UGreen.Py.Testing;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>The embedded interpreter as the worker starts it.</summary>
[Collection(InterpreterCollection.Name)]
public sealed class InterpreterTests(InterpreterFixture python)
{
    [Fact]
    public void The_virtual_environment_is_the_prefix() => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        scope.Run("import sys");
        Assert.Equal(InterpreterFixture.VirtualEnv, scope.Text("sys.prefix"));
        Assert.Equal("/usr", scope.Text("sys.base_prefix"));
        Assert.Equal(Path.Combine(InterpreterFixture.VirtualEnv, "bin", "python3"), scope.Text("sys.executable"));
        Assert.Equal("True", scope.Text("any(path.startswith(sys.prefix) and path.endswith('site-packages') for path in sys.path)"));
    });

    [Fact]
    public void The_version_is_the_librarys() => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        scope.Run("import platform");
        Assert.Equal(scope.Text("platform.python_version()"), Interpreter.Version);
        Assert.StartsWith(Interpreter.Layout.MinorVersion + ".", Interpreter.Version, StringComparison.Ordinal);
    });

    [Fact]
    public void The_starting_thread_is_the_main_thread_and_has_no_signal_handlers() => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        scope.Run("import threading, signal");
        Assert.Equal("True", scope.Text("threading.current_thread() is threading.main_thread()"));

        // SIGINT is the server's: Python's own handler would be default_int_handler.
        Assert.Equal("True", scope.Text("signal.getsignal(signal.SIGINT) is not signal.default_int_handler"));
    });

    [Fact]
    public void File_names_are_utf8() => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        scope.Run("import sys");
        Assert.Equal("utf-8", scope.Text("sys.getfilesystemencoding()"));
    });

    [Fact]
    public void A_library_that_is_not_there_is_a_start_error()
    {
        var error = Assert.IsType<PythonStartException>(python.MissingLibrary);
        Assert.Contains("/nonexistent/libpython3.11.so.1.0 could not be loaded", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_library_that_is_no_libpython_is_a_start_error()
    {
        var error = Assert.IsType<PythonStartException>(python.OtherLibrary);
        Assert.Contains("libm.so.6 is not a libpython", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_one_CPython_per_process() => python.Run(() => Assert.Throws<InvalidOperationException>(() => LibPython.Load("libm.so.6")));

    [Fact]
    public void A_symbol_that_is_missing_is_named() => python.Run(() => Assert.Contains("Py_NoSuchThing", Assert.Throws<PythonStartException>(() => LibPython.Symbol("Py_NoSuchThing")).Message, StringComparison.Ordinal));

    [Fact]
    public void A_Python_exception_carries_type_text_and_traceback() => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        var error = Assert.Throws<PythonException>(() => scope.Run("def f(): raise KeyError('lost')\nf()"));
        Assert.Equal(("KeyError: 'lost'", "KeyError"), (error.Message, error.TypeName));
        Assert.Contains("in f\n", error.Traceback, StringComparison.Ordinal);
        Assert.EndsWith("KeyError: 'lost'\n", error.Traceback, StringComparison.Ordinal);
        Assert.True(CApi.PyErr_Occurred().IsNull);
    });

    [Fact]
    public void An_exception_without_a_text_or_with_a_broken_one_is_described_all_the_same() => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        Assert.Equal("ValueError", Assert.Throws<PythonException>(() => scope.Run("raise ValueError")).Message);
        scope.Run("class Broken(Exception):\n    def __str__(self): raise RuntimeError");
        Assert.Equal("Broken", Assert.Throws<PythonException>(() => scope.Run("raise Broken")).Message);
        Assert.True(CApi.PyErr_Occurred().IsNull);
    });

    [Theory]
    [InlineData("'abc'", "abc", "abc")]
    [InlineData("''", "", "")]
    [InlineData("'\\x00\\xe9\\xff'", "\0éÿ", "\0éÿ")]
    [InlineData("'\\u0100'", "Ā", null)]
    [InlineData("'\\U0001f600'", "😀", null)]
    [InlineData("'\\ud800'", null, null)]
    [InlineData("b'abc'", null, null)]
    [InlineData("1", null, null)]
    public void Text_comes_out_of_Python(string expression, string? text, string? latin1) => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        using var value = scope.Evaluate(expression);
        Assert.Equal(text, PyText.ToText(value.Borrow()));
        Assert.Equal(latin1, PyText.ToLatin1(value.Borrow()));
        Assert.True(CApi.PyErr_Occurred().IsNull);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(100_000)]
    public void Latin1_text_of_any_length_goes_into_Python(int length) => python.Run(() =>
    {
        var text = new string([.. Enumerable.Range(0, length).Select(i => (char)(i % 256))]);
        using var value = PyText.FromLatin1(text).OrThrow();
        Assert.Equal(text, PyText.ToLatin1(value.Borrow()));
    });
}
