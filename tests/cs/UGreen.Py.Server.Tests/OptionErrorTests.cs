using UGreen.Py.Server.Options;
using Xunit;
using static UGreen.Py.Server.Tests.CommandLineFacts;

namespace UGreen.Py.Server.Tests;

public sealed class OptionErrorTests
{
    [Theory]
    [InlineData("unknown option --asinc; did you mean --async?", "--asinc", "5", "app")]
    [InlineData("unknown option --asinc; did you mean --async?", "--asinc=5", "app")]
    [InlineData("unknown option --vritualenv; did you mean --virtualenv?", "--vritualenv", "app")]
    [InlineData("unknown option --completely-different; see --help", "--completely-different", "app")]
    [InlineData("unknown option -z; see --help", "-z", "app")]
    [InlineData("option --async needs a value", "app", "--async")]
    [InlineData("option --async needs a value", "--async", "--ugreen", "app")]
    [InlineData("option --module needs a value", "-w")]
    [InlineData("option --http needs a value", "app", "--http")]
    [InlineData("option --async is given more than once", "--async", "1", "--async", "2", "app")]
    [InlineData("option --ugreen takes no value", "--ugreen=maybe", "app")]
    [InlineData("--async: 'many' is not a whole number", "--async", "many", "app")]
    [InlineData("--async: '1.5' is not a whole number", "--async", "1.5", "app")]
    [InlineData("--async: 0 is out of range (1 to 100000)", "--async", "0", "app")]
    [InlineData("--async: -5 is out of range (1 to 100000)", "--async", "-5", "app")]
    [InlineData("--async: '99999999999' is not a whole number", "--async", "99999999999", "app")]
    [InlineData("--ugreen-stacksize: 15 is out of range (16 to 65536)", "--ugreen-stacksize", "15", "app")]
    [InlineData("--ugreen-switch: 'fast' is not known; expected direct or posix", "--ugreen-switch", "fast", "app")]
    [InlineData("--ugreen-blocking: 'maybe' is not known; expected true or false", "--ugreen-blocking=maybe", "app")]
    [InlineData("--ugreen-blocking=true and --ugreen-switch posix exclude each other: blocking calls wait green with direct only", "--ugreen-switch", "posix", "--ugreen-blocking", "app")]
    [InlineData("--ugreen-threads: 0 is out of range (1 to 4096)", "--ugreen-threads", "0", "app")]
    [InlineData("--ugreen-gc: -1 is out of range (0 to 1000000000)", "--ugreen-gc", "-1", "app")]
    [InlineData("--async-queue: -1 is out of range (0 to 1000000)", "--async-queue", "-1", "app")]
    [InlineData("--shutdown-timeout: 'soon' is not a whole number", "--shutdown-timeout", "soon", "app")]
    [InlineData("--log-level: 'loud' is not known; expected trace, debug, info, warning, error, critical or none", "--log-level", "loud", "app")]
    [InlineData("--http 'x:': the port is missing; expected HOST:PORT, :PORT, the path of a unix socket, @NAME or fd://N, for example 127.0.0.1:8080 or /run/app.sock", "--http", "x:", "app")]
    [InlineData("--https 'x': expected ADDR,CERT,KEY: an address and two PEM files, for example :8443,/etc/ssl/site.pem,/etc/ssl/site.key", "--https", "x", "app")]
    [InlineData("--chmod-socket: '888' is not an octal mode from 0 to 777", "--chmod-socket=888", "app")]
    [InlineData("--chmod-socket: '1777' is not an octal mode from 0 to 777", "--chmod-socket=1777", "app")]
    [InlineData("--chmod-socket: 'rw' is not an octal mode from 0 to 777", "-Crw", "app")]
    [InlineData("--forwarded-allow 'x': 'x' is not an IP address, a network such as 10.0.0.0/8, unix or *", "--forwarded-allow-ips=x", "app")]
    [InlineData("--listen: 0 is out of range (1 to 65535)", "-l", "0", "app")]
    [InlineData("--chdir: '/nowhere' is not a directory", "--chdir", "/nowhere", "app")]
    [InlineData("--virtualenv: '/nowhere' is not a directory", "--venv", "/nowhere", "app")]
    [InlineData("--python: '/nowhere/python' does not exist", "--python", "/nowhere/python", "app")]
    [InlineData("--log-format: '%(' at position 3 is not closed by ')'", "--log-format", "a %(uri", "app")]
    [InlineData("--log-json and --log-format exclude each other: both say what a request line looks like", "--log-json", "--logformat", "%(uri)", "app")]
    [InlineData("--req-logger: 'syslog' is not supported; expected file:FILE", "--req-logger", "syslog", "app")]
    [InlineData("--req-logger: 'file:' is not supported; expected file:FILE", "--req-logger", "file:", "app")]
    [InlineData("--log-slow: '-1' is not a whole number from 0 to 2147483647", "--log-slow=-1", "app")]
    [InlineData("--log-big: '1k' is not a whole number from 0 to 2147483647", "--log-big", "1k", "app")]
    [InlineData("no application: give --module PKG.MOD[:CALLABLE], --wsgi-file FILE or one of them as a bare argument")]
    [InlineData("one application only: give one of --module, --wsgi-file and a bare argument (got --module a, --wsgi-file b.py)", "-w", "a", "--wsgi-file", "b.py")]
    [InlineData("one application only: give one of --module, --wsgi-file and a bare argument (got a, b)", "a", "b")]
    [InlineData("--module 'a/b.py': a dotted module name is expected; for a file use --wsgi-file", "-w", "a/b.py")]
    [InlineData("--module 'a..b': 'a..b' is not a module name", "-w", "a..b")]
    [InlineData("--module 'a:b c': 'b c' is not the name of a callable", "-w", "a:b c")]
    [InlineData("application '1a': '1a' is not a module name", "1a")]
    [InlineData("application 'f.py:': '' is not the name of a callable", "f.py:")]
    public void Is_one_line_that_names_the_option(string message, params string[] args) => Assert.Equal(message, Assert.Single(Errors(args)));

    [Theory]
    [InlineData("--module=")]
    [InlineData("--chdir=")]
    [InlineData("--callable=")]
    public void An_empty_value_is_told(string argument)
        => Assert.Contains(Errors(argument, "app"), e => e.Contains(argument[2..^1], StringComparison.Ordinal));

    [Fact]
    public void A_wrong_path_in_the_environment_names_the_variable()
    {
        var result = ServerCommandLine.Parse(["app"], With("/nowhere/python"));

        Assert.Equal("UGREEN_PYTHON: '/nowhere/python' does not exist", Assert.Single(Assert.IsType<CommandLineResult.Refused>(result).Errors));
    }

    [Fact]
    public void All_errors_are_told_at_once()
        => Assert.Equal(3, Errors("--async", "x", "--log-level", "y", "--http", "z:", "app").Count);

    [Theory]
    [InlineData("async", "async", 0)]
    [InlineData("asinc", "async", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    public void Distance(string a, string b, int distance) => Assert.Equal(distance, NearestName.Distance(a, b));
}
