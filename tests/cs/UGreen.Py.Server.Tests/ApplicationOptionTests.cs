using UGreen.Py.Front.Static;
using UGreen.Py.Gateway;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Options;
using UGreen.Py.Wsgi;
using Xunit;
using static UGreen.Py.Server.Tests.CommandLineFacts;

namespace UGreen.Py.Server.Tests;

/// <summary>The groups "Application" and "Static files".</summary>
public sealed class ApplicationOptionTests
{
    [Fact]
    public void Mounts_stand_behind_the_root()
    {
        var options = Run("--mount", "/b/=m:x", "--mount", "/ü ö=d/f.wsgi", "--mount=/c=g.py:make()", "--callable", "main", "-w", "root", "--manage-script-name");

        Assert.Equal(
            [new("", "root", null, "main"), new("/b", "m", null, "x"), new("/ü ö", null, "d/f.wsgi", "main"), new WsgiMount("/c", null, "g.py", "make()")],
            options.Applications);
        Assert.Equal("root:main, m:x at /b, d/f.wsgi:main at /ü ö, g.py:make() at /c", options.Application);
    }

    [Fact]
    public void The_root_may_be_mounted_and_may_be_missing()
    {
        Assert.Equal(new WsgiMount("", "m", null, "application"), Assert.Single(Run("--mount", "/=m").Applications));
        Assert.Equal("/x", Assert.Single(Run("--mount", "/x=m").Applications).Point);
        Assert.Empty(Run("--need-app=false").Applications);
    }

    [Theory]
    [InlineData(true, "--need-app")]
    [InlineData(true, "--need-app=TRUE")]
    [InlineData(false, "--need-app=no")]
    [InlineData(false, "--need-app=0")]
    public void Need_app(bool needed, string argument) => Assert.Equal(needed, Run(argument, "app").NeedApplication);

    [Fact]
    public void Strictness_and_mode()
    {
        Assert.Equal((false, true), (Run("app").WsgiStrict, Run("--wsgi-strict", "app").WsgiStrict));
        Assert.Equal("dev", Run("--mode", "dev", "app").Given["mode"]);
    }

    [Fact]
    public void What_is_always_so_is_told_to_who_asks()
    {
        var opt = UwsgiFacts.Options(Run("--processes", "2", "app").Given);
        Assert.Equal((true, true, "2"), (opt["enable-threads"], opt["lazy-apps"], opt["processes"]));
    }

    [Fact]
    public void The_magic_table_speaks_of_the_first_file_and_of_the_machine()
    {
        var table = UwsgiFacts.Magic(new Dictionary<string, object> { ["yaml"] = new List<string> { "conf.d/site.yaml:live", "b.yaml" } }, "/srv/app");
        Assert.Equal(
            ("conf.d/site.yaml", "/srv/app/conf.d/site.yaml", "site.yaml", "/srv/app/conf.d/", "yaml", "site", "conf.d", "live", "srv", "/srv/app"),
            (table["o"], table["p"], table["s"], table["d"], table["e"], table["n"], table["c"], table["x"], table["0"], table["v"]));
        Assert.Equal((table["p"], table["x"], false), (table["P"], table["X"], table.ContainsKey("3")));
        var bare = UwsgiFacts.Magic(new Dictionary<string, object>(), "/srv/app");
        Assert.Equal((false, "/srv/app", Environment.ProcessorCount.ToString(System.Globalization.CultureInfo.InvariantCulture)), (bare.ContainsKey("p"), bare["v"], bare["k"]));
    }

    [Fact]
    public void An_optional_value_is_not_taken_from_the_next_argument()
    {
        var options = Run("--need-app", "false_app");

        Assert.Equal("false_app", Assert.Single(options.Applications).Module);
        Assert.Equal(true, options.Given["need-app"]);
    }

    [Fact]
    public void Set_adds_to_what_was_given()
    {
        var given = Run("app", "-S", "a=1", "--set-ph", "a=2", "--set", "flag", "--set-placeholder=empty=", "--set", "async=x", "--async", "3").Given;

        Assert.Equal(new List<string> { "1", "2" }, given["a"]);
        Assert.Equal(true, given["flag"]);
        Assert.Equal("", given["empty"]);
        Assert.Equal(new List<string> { "3", "x" }, given["async"]);
        Assert.Equal(new List<string> { "a=1", "flag", "async=x" }, given["set"]);
    }

    [Fact]
    public void Values_with_blanks_and_line_breaks_arrive_as_they_were_written()
    {
        var options = Run("app", "--env", " A=1\n 2 ", "--env", "B=", "--env", "C=-d=e", "--pyargv", " x\t y\nz ", "--import", "m", "--pyimport", "n.py");

        Assert.Equal([new(" A", "1\n 2 "), new("B", ""), new("C", "-d=e")], options.Variables);
        Assert.Equal(["x", "y", "z"], options.PythonArguments);
        Assert.Equal(["m", "n.py"], options.Imports);
        Assert.Equal(" x\t y\nz ", options.Given["pyargv"]);
    }

    [Fact]
    public void Static_files()
    {
        var files = Run("app", "--static-map", "/s/=/there", "--static-map", "/=/there/python", "--check-static", "../there", "--chdir", "/there", "--static-index", "i.html").StaticFiles!;

        Assert.Equal([new("/s", "/there", IsDirectory: true), new StaticMap("", "/there/python", IsDirectory: false)], files.Maps);
        Assert.Equal(["/there"], files.CheckDirectories);
        Assert.Equal(["i.html"], files.IndexNames);
    }

    [Fact]
    public void Added_headers()
        => Assert.Equal([new("X-A", "b: c"), new HeaderField("x-e", "é")], Run("app", "--add-header", "X-A:  b: c ", "--add-header=x-e: é").AddedHeaders);

    [Theory]
    [InlineData("--mount '/x': expected /PATH=APP, as in /blog=blog.wsgi:application", "--mount", "/x")]
    [InlineData("--mount 'x=m': the path 'x' must begin with '/'", "--mount", "x=m")]
    [InlineData("--mount '/a//b=m': the path '/a//b' holds an empty segment", "--mount", "/a//b=m")]
    [InlineData("--mount '/./b=m': the path '/./b' holds a dot segment", "--mount", "/./b=m")]
    [InlineData("--mount '/%41=m': the path '/%41' must be written decoded, without '%'", "--mount", "/%41=m")]
    [InlineData("--mount '/x/=b': there is already an application at /x: a:application", "--mount", "/x=a", "--mount", "/x/=b")]
    [InlineData("--mount '/=b': there is already an application at /: a:application", "-w", "a", "--mount", "/=b")]
    [InlineData("--mount /x/ 'a b': 'a b' is not a module name", "--mount", "/x=a b")]
    [InlineData("--env 'X': expected NAME=VALUE", "--env", "X", "app")]
    [InlineData("--set '=1': expected KEY=VALUE or KEY", "--set", "=1", "app")]
    [InlineData("--env: the value holds one of the control characters U+001D to U+001F", "--env", "A=\u001f", "app")]
    [InlineData("--need-app: 'maybe' is not known; expected true or false", "--need-app=maybe", "app")]
    [InlineData("--static-map '/s=/nowhere': /nowhere does not exist", "--static-map", "/s=/nowhere", "app")]
    [InlineData("--check-static '/there/python': not a directory", "--check-static", "/there/python", "app")]
    [InlineData("--static-index '.x': expected the name of a file, as in index.html", "--static-index", ".x", "--check-static", "/there", "app")]
    [InlineData("--add-header 'A: b?c': the value holds a character that no header may have", "--add-header", "A: b\nc", "app")]
    [InlineData("--add-header ': b': '' is not a header name", "--add-header", ": b", "app")]
    [InlineData("--add-header 'Transfer-Encoding: x': Transfer-Encoding is a header that only the server may set", "--add-header", "Transfer-Encoding: x", "app")]
    public void Mistakes_are_one_line(string message, params string[] args) => Assert.Equal(message, Assert.Single(Errors(args)));
}
