using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Logs;
using UGreen.Py.Server.Options;
using UGreen.Py.Switching;
using UGreen.Py.Wsgi;
using Xunit;
using static UGreen.Py.Server.Tests.CommandLineFacts;

namespace UGreen.Py.Server.Tests;

public sealed class OptionTests
{
    [Fact]
    public void Defaults()
    {
        var options = Run("-w", "app");

        Assert.Equal(new WsgiMount("", "app", null, "application"), Assert.Single(options.Applications));
        Assert.True(options.NeedApplication);
        Assert.False(options.Psycopg2);
        Assert.Null(options.StaticFiles);
        Assert.Empty(options.AddedHeaders);
        Assert.Equal("127.0.0.1:8000", Assert.Single(options.Http).Text);
        Assert.Equal(100, options.Cores);
        Assert.False(options.UgreenImplied);
        Assert.Equal(1024, options.StackPages); // 100 cores leave room for the most that is chosen
        Assert.Equal(SwitchKind.Direct, options.Switch);
        Assert.Equal(1000, options.QueueLimit);
        Assert.Equal(32, options.Threads);
        Assert.Empty(options.PythonPaths);
        Assert.Null(options.Chdir);
        Assert.Null(options.VirtualEnv);
        Assert.Null(options.Python);
        Assert.Equal(TimeSpan.FromSeconds(10), options.ShutdownTimeout);
        Assert.Equal(LogLevel.Information, options.LogLevel);
        Assert.True(options.LogRequests);
        Assert.Equal("app:application", options.Application);
    }

    [Theory]
    [InlineData("a.b", null, "application", "-w", "a.b")]
    [InlineData("a.b", null, "application", "-wa.b")]
    [InlineData("a.b", null, "c", "--module", "a.b:c")]
    [InlineData("a.b", null, "c", "--wsgi=a.b:c")]
    [InlineData("a.b", null, "c()", "--wsgi", "a.b:c()")]
    [InlineData("a.b", null, "d", "--wsgi", "a.b", "--callable", "d")]
    [InlineData("a.b", null, "c", "--wsgi", "a.b:c", "--callable", "d")]
    [InlineData(null, "x/y.py", "d", "--wsgi-file", "x/y.py", "--callable", "d")]
    [InlineData(null, "x/y.py", "application", "--file=x/y.py")]
    [InlineData("a.b", null, "c", "a.b:c")]
    [InlineData(null, "file.py", "application", "file.py")]
    [InlineData(null, "d/file.wsgi", "app", "d/file.wsgi:app")]
    [InlineData(null, "file.py", "application", "--", "file.py")]
    [InlineData(null, "site.wsgi", "application", "site.wsgi")]
    [InlineData("mysite.wsgi", null, "app", "mysite.wsgi:app")]
    [InlineData(null, "file.py", "app", "file.py:app")]
    public void Application(string? module, string? file, string callable, params string[] args)
    {
        var options = Run(args);

        Assert.Equal(new WsgiMount("", module, file, callable), Assert.Single(options.Applications));
    }

    [Theory]
    [InlineData(100, false, "--ugreen")]
    [InlineData(7, true, "--async", "7")]
    [InlineData(7, false, "--async=7", "--ugreen")]
    public void Cores(int cores, bool implied, params string[] args)
    {
        var options = Run([.. args, "app"]);

        Assert.Equal((cores, implied), (options.Cores, options.UgreenImplied));
    }

    [Fact]
    public void Repeatable_options_accumulate_and_leave_the_bare_argument_alone()
    {
        var options = Run("--http", ":1", "--pp", "/a,b:c", "--http=:2", "--python-path", "-Z", "--pythonpath", "/e", "app:app");

        Assert.Equal([":1", ":2"], options.Http.Select(h => h.Text));
        Assert.Equal(["/a,b:c", "-Z", "/e"], options.PythonPaths);
        Assert.Equal("app", Assert.Single(options.Applications).Module);
    }

    [Fact]
    public void Sockets_of_all_kinds()
    {
        var options = Run("--http-socket", ":1", "--https", ":2,c,k", "--http", "/run/a.sock", "-s", "@b", "-C660", "-l", "7", "app");

        Assert.Equal([":1", "/run/a.sock", ":2"], options.Http.Select(h => h.Text));
        Assert.Equal(["http", "http", "https"], options.Http.Select(h => h.Scheme));
        Assert.Equal(["@b"], options.Sockets.Select(s => s.Text));
        Assert.Equal(Octal("660"), options.SocketMode);
        Assert.Equal(7, options.Backlog);
    }

    [Theory]
    [InlineData("--https", ":1,c,k")]
    [InlineData("--socket", ":1")]
    public void No_default_socket_beside_one_that_was_asked_for(string option, string value)
        => Assert.DoesNotContain(Run(option, value, "app").Http, h => h.Text == OptionDefaults.Http);

    [Theory]
    [InlineData("666", "--chmod-socket", "app.py")]
    [InlineData("666", "-C", "app.py")]
    [InlineData("600", "--chmod-socket=600", "app.py")]
    [InlineData("0", "--chmod-socket=0", "app.py")]
    public void An_optional_value_comes_with_an_equals_sign_only(string mode, params string[] args)
    {
        var options = Run(args);

        Assert.Equal(Octal(mode), options.SocketMode);
        Assert.Equal("app.py", options.Applications[0].File);
    }

    [Fact]
    public void An_optional_value_that_was_left_out_is_kept_as_a_flag()
    {
        Assert.Equal(true, Run("--chmod-socket", "app").Given["chmod-socket"]);
        Assert.Equal("664", Run("--chmod-socket=664", "app").Given["chmod-socket"]);
        Assert.Null(Run("app").SocketMode);
    }

    private static UnixFileMode Octal(string digits) => (UnixFileMode)Convert.ToInt32(digits, 8);

    [Theory]
    [InlineData("--venv")]
    [InlineData("--home")]
    [InlineData("--pyhome")]
    [InlineData("--virtualenv")]
    [InlineData("-H")]
    public void Aliases_of_virtualenv(string name) => Assert.Equal("/there", Run(name, "/there", "app").VirtualEnv);

    [Theory]
    [InlineData(BlockingMode.WherePossible)]
    [InlineData(BlockingMode.Required, "--ugreen-blocking")]
    [InlineData(BlockingMode.Required, "--ugreen-blocking=on")]
    [InlineData(BlockingMode.Off, "--ugreen-blocking=false", "--ugreen-switch", "posix")]
    public void Blocking_calls(BlockingMode expected, params string[] options) => Assert.Equal(expected, Run(["app", .. options]).BlockingCalls);

    [Fact]
    public void The_rest()
    {
        var options = Run(
            "app", "--ugreen-stacksize", "16", "--ugreen-switch", "posix", "--async-queue", "0", "--ugreen-gc", "0", "--ugreen-threads", "7", "--chdir", "/there", "--python", "/there/python",
            "--shutdown-timeout", "0", "--log-level", "Debug", "-L", "--psycopg2");

        Assert.Equal(16, options.StackPages);
        Assert.Equal(SwitchKind.Posix, options.Switch);
        Assert.Equal(0, options.QueueLimit);
        Assert.Equal(0, options.GcThreshold);
        Assert.Equal(7, options.Threads);
        Assert.Equal("/there", options.Chdir);
        Assert.Equal("/there/python", options.Python);
        Assert.True(options.Psycopg2);
        Assert.Equal(TimeSpan.Zero, options.ShutdownTimeout);
        Assert.Equal(LogLevel.Debug, options.LogLevel);
        Assert.False(options.LogRequests);
    }

    [Fact]
    public void Logging()
    {
        var none = Run("app");
        var all = Run(
            "app", "-L", "--logto", "x.log", "--req-logger", "file:/r.log", "--logformat", "%(uri)", "--log-x-forwarded-for", "--log-4xx", "--log-5xx", "--log-slow", "100",
            "--log-big", "0", "--log-zero");

        Assert.Null(none.LogTo);
        Assert.Equal(new RequestLogOptions(), none.RequestLog);
        Assert.Equal(Path.GetFullPath("x.log"), all.LogTo);
        Assert.Equal("/r.log", all.RequestLog.File);
        Assert.True(all.RequestLog.Format!.HasVariables);
        Assert.True(all.RequestLog.ShowForwardedFor);
        Assert.Equal(new RequestFilter { ClientErrors = true, ServerErrors = true, SlowMilliseconds = 100, BigBytes = 0, Empty = true }, all.RequestLog.Forced);
        Assert.True(Run("app", "--log-json").RequestLog.Json);
    }

    [Fact]
    public void Python_comes_from_the_environment_unless_the_option_is_given()
    {
        var fromVariable = ServerCommandLine.Parse(["app"], With("python3.12"));
        var fromOption = ServerCommandLine.Parse(["app", "--python", "python3.13"], With("python3.12"));

        Assert.Equal("python3.12", Assert.IsType<CommandLineResult.Run>(fromVariable).Options.Python);
        Assert.Equal("python3.13", Assert.IsType<CommandLineResult.Run>(fromOption).Options.Python);
    }

    [Fact]
    public void What_was_given_is_kept_as_it_was_written()
    {
        var given = Run("--wsgi", "a", "--ugreen", "--pp", "/x", "--pp=/y", "-H", "/there").Given;

        Assert.Equal(["pp", "ugreen", "virtualenv", "wsgi"], given.Keys.Order());
        Assert.Equal("a", given["wsgi"]);
        Assert.Equal(true, given["ugreen"]);
        Assert.Equal(new List<string> { "/x", "/y" }, given["pp"]);
    }

    [Fact]
    public void Help_and_version_need_no_application()
    {
        Assert.IsType<CommandLineResult.ShowHelp>(Parse("--help"));
        Assert.IsType<CommandLineResult.ShowHelp>(Parse("-h", "--async", "wrong"));
        Assert.IsType<CommandLineResult.ShowVersion>(Parse("--version"));
    }
}
