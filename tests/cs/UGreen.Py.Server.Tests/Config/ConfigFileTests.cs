using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests.Config;

/// <summary>From files and a command line to the options of the server.</summary>
public sealed class ConfigFileTests
{
    [Theory]
    [InlineData("uwsgi.ini")]
    [InlineData("--ini", "uwsgi.ini")]
    [InlineData("--ini=uwsgi.ini:uwsgi")]
    [InlineData("--config", "uwsgi.ini")]
    [InlineData("uwsgi.yml")]
    [InlineData("--yaml", "uwsgi.yml")]
    [InlineData("-y", "uwsgi.yml")]
    [InlineData("--yml=uwsgi.yml:uwsgi")]
    [InlineData("--config", "uwsgi.yml")]
    [InlineData("uwsgi.json")]
    [InlineData("-juwsgi.json")]
    [InlineData("--js", "uwsgi.json")]
    [InlineData("uwsgi.ini:other")]
    [InlineData("--ini", "uwsgi.ini:forward")]
    [InlineData("--ini", "uwsgi.ini:empty", "--ini", ":other")]
    public void Are_found(params string[] args)
    {
        using var folder = new ConfigFolder()
            .With("uwsgi.ini", "\ufeff[uwsgi]\nmodule = a.b:c\nasync = 7\ndisable-logging\n[other]\nwsgi = a.b:c\nasync = 7\ndisable-logging = on\n[forward]\nini = :other\n[empty]\n")
            .With("uwsgi.yml", "uwsgi:\n  wsgi: a.b:c\n  async: 7\n  disable-logging: true\n")
            .With("uwsgi.json", "{\"uwsgi\": {\"wsgi\": \"a.b:c\", \"async\": 7, \"disable-logging\": true}}");

        var options = folder.Run(args);

        Assert.Equal(("a.b", "c", 7, false), (options.Applications[0].Module, options.Applications[0].Callable, options.Cores, options.LogRequests));
        Assert.Empty(options.Configuration.Warnings);
    }

    [Fact]
    public void A_file_that_is_wrong_is_named()
    {
        using var folder = new ConfigFolder()
            .With("latin1.ini", [.. "[uwsgi]\nmodule = "u8, 0xE9, (byte)'\n'])
            .With("zero.ini", "[uwsgi]\nmodule = a\0b\n")
            .With("large.ini", new byte[(1 << 20) + 1])
            .With("folder.ini/x", "");

        Assert.Equal("configuration file: 'none.ini' does not exist", folder.Error("none.ini"));
        Assert.Equal("--yaml: 'none/x.yml' does not exist", folder.Error("--yaml", "none/x.yml"));
        Assert.Equal("--ini: 'folder.ini' is a directory", folder.Error("--ini", "folder.ini"));
        Assert.Equal("--ini: 'latin1.ini' is not UTF-8", folder.Error("--ini", "latin1.ini"));
        Assert.Equal("--ini: 'zero.ini' is not text (a zero byte in line 2)", folder.Error("--ini", "zero.ini"));
        Assert.Equal("--ini: 'large.ini' is longer than 1024 KiB", folder.Error("--ini", "large.ini"));
        Assert.Equal("--ini: '/dev/zero' is longer than 1024 KiB", folder.Error("--ini", "/dev/zero"));
        Assert.Equal("--config: 'site.conf': a name that ends in .ini, .yml, .yaml or .json is expected", folder.Error("--config", "site.conf"));
        Assert.Equal("--ini: 'exec://ls': configuration is read from files only, not from exec://", folder.Error("--ini", "exec://ls"));
        Assert.Equal("--ini: ':x' is a section of the file before it, and there is none", folder.Error("--ini", ":x"));
        Assert.Equal("'uwsgi.xml': XML configuration files are not supported; ini, YAML and JSON are", folder.Errors("uwsgi.xml")[0]);
        Assert.Equal(["--ini: 'a.ini' does not exist", "--ini: 'b.ini' does not exist"], folder.Errors("--ini", "a.ini", "--ini", "b.ini"));
    }

    [Fact]
    public void Help_needs_no_file()
    {
        using var folder = new ConfigFolder();

        Assert.IsType<CommandLineResult.ShowHelp>(folder.Parse("none.ini", "--help"));
        Assert.IsType<CommandLineResult.ShowVersion>(folder.Parse("none.ini", "--version"));
    }

    [Fact]
    public void Files_include_files()
    {
        using var folder = new ConfigFolder()
            .With("conf/main.ini", "[uwsgi]\npp = 1\ninherit = %d%n-base.yml\npp = 2\ninclude = %(dir)/more.json\npp = 4\n[more]\npp = more\n")
            .With("conf/main-base.yml", "uwsgi:\n  pp: '%c-%s-%S'\n  async: 3\n  ini: conf/main.ini:more\n")
            .With("conf/more.json", "{\"uwsgi\": {\"pp\": [\"3 %x\"], \"async\": 9}}")
            .With("set.ini", "[uwsgi]\ndir = conf\nmodule = m\n");

        var options = folder.Run("set.ini", "conf/main.ini");

        Assert.Equal(["1", "2", "3 uwsgi", "4", "conf-main-base.yml-main.ini", "more"], options.PythonPaths);
        Assert.Equal(3, options.Cores); // what is inherited comes last, as in uWSGI
        Assert.Empty(options.Configuration.Warnings);
    }

    [Fact]
    public void Files_that_include_each_other_end_with_the_chain()
    {
        using var folder = new ConfigFolder()
            .With("a.ini", "[uwsgi]\ninclude = b.ini\n")
            .With("b.ini", "[uwsgi]\nini = :again\n[again]\ninherit = ./a.ini\n")
            .With("gone.ini", "[uwsgi]\n\ninclude = x/none.ini\n")
            .With("empty.ini", "[uwsgi]\ninclude =\n");
        for (var i = 0; i < 20; i++) folder.With($"deep{i}.ini", $"[uwsgi]\ninclude = deep{i + 1}.ini\n");
        for (var i = 0; i < 10; i++) folder.With($"fan{i}.ini", $"[uwsgi]\ninclude = fan{i + 1}.ini\ninclude = fan{i + 1}.ini\n");
        folder.With("fan10.ini", "[uwsgi]\n");

        Assert.Equal("b.ini:4: inherit: files include each other in a circle: a.ini → b.ini → b.ini:again → ./a.ini", folder.Error("a.ini"));
        Assert.Equal($"gone.ini:3: include: 'x/none.ini' does not exist (a path is relative to the folder where the server was started, {folder.Path}; %d is the file's own)", folder.Error("gone.ini"));
        Assert.Equal("empty.ini:2: include: a file is expected", folder.Error("empty.ini"));
        Assert.Equal("deep15.ini:2: include: more than 16 files within each other: deep0.ini → … → deep16.ini", folder.Error("deep0.ini"));
        Assert.EndsWith("more than 100 files", folder.Error("fan0.ini"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_line_is_stronger_than_files_and_these_than_the_environment()
    {
        using var folder = new ConfigFolder()
            .With("a.ini", "[uwsgi]\nmodule = file\nhttp = :1\nhttp = :2\npp = /file\nasync = 2\nasync = 3\nbuffer-size = 1000\nsocket = @file\ndisable-logging = true\nugreen = off\n")
            .Variable("UWSGI_ASYNC", "4").Variable("UWSGI_HTTP", ":3").Variable("UWSGI_PYTHONPATH", "/env").Variable("UWSGI_SHUTDOWN_TIMEOUT", "7").Variable("UWSGI_UGREEN", "1")
            .Variable("UWSGI_VERSION", "2.0").Variable("UWSGI_EMPTY", "").Variable("UWSGI_WSGI_FILE", "env.py").Variable("UWSGI_MASTER_ZZZ", "1");

        var alone = folder.Run("a.ini");
        Assert.Equal(("file", 3, 7.0), (alone.Applications[0].Module, alone.Cores, alone.ShutdownTimeout.TotalSeconds));
        Assert.Equal([":1", ":2"], alone.Http.Select(h => h.Text));
        Assert.Equal(["/env", "/file"], alone.PythonPaths);
        Assert.True(alone.UgreenImplied); // the file's "off" is stronger than the variable's 1
        Assert.Equal(["UWSGI_MASTER_ZZZ", "UWSGI_VERSION"], alone.Configuration.UnknownVariables);

        var both = folder.Run("--async", "5", "a.ini", "--http=:9", "app.py", "--pp", "/mine", "--buffer-size", "2000");
        Assert.Equal((null, "app.py", 5, (int?)2000), (both.Applications[0].Module, both.Applications[0].File, both.Cores, both.BufferSize));
        Assert.Equal([":9"], both.Http.Select(h => h.Text));
        Assert.Single(both.Sockets);
        Assert.Equal(["/env", "/file", "/mine"], both.PythonPaths);
        Assert.Equal(new List<string> { "/env" }, [(string)both.Given["pythonpath"]]);

        Assert.Equal("env.py", folder.Run("--async", "1").Applications[0].File);
        using var other = new ConfigFolder().With("a.ini", "[uwsgi]\nmodule = file\nasync = 2\n").Variable("UWSGI_INI", "a.ini");
        Assert.Equal(("file", 3), (other.Run().Applications[0].Module, other.Run("--async", "3").Cores));
    }

    [Fact]
    public void Each_option_to_listen_replaces()
    {
        // An option that takes an address and joins what files give would be a surprise: name it in ConfigMerger.Listening, or give its value another name.
        var addresses = OptionTable.All.Where(o => o.Repeatable && (o.Value!.Contains("PORT", StringComparison.Ordinal) || o.Value.Contains("ADDR", StringComparison.Ordinal))).ToList();

        Assert.NotEmpty(addresses);
        Assert.All(addresses, o => Assert.True(Options.Config.ConfigMerger.Listens(o), o.Name));
    }

    [Theory]
    [InlineData("asinc = 5", "a.ini:3: unknown option 'asinc'; did you mean 'async'?")]
    [InlineData("wsgi_file = 5", "a.ini:3: unknown option 'wsgi_file'; did you mean 'wsgi-file'?")]
    [InlineData("--http = :1", "a.ini:3: unknown option '--http'; did you mean 'http'?")]
    [InlineData("completely-different", "a.ini:3: unknown option 'completely-different'")]
    [InlineData("spooler-frequency = 5", "a.ini:3: option 'spooler-frequency' is one of uWSGI's that this server does not have yet")]
    [InlineData("version = 1", "a.ini:3: unknown option 'version'")]
    public void An_unknown_key_is_told_and_with_strict_refused(string line, string message)
    {
        using var folder = new ConfigFolder().With("a.ini", $"[uwsgi]\nmodule = m\n{line}\n");

        Assert.StartsWith(message, Assert.Single(folder.Run("a.ini").Configuration.Warnings), StringComparison.Ordinal);
        Assert.EndsWith("; ignored", Assert.Single(folder.Run("a.ini").Configuration.Warnings), StringComparison.Ordinal);
        Assert.StartsWith(message, folder.Error("a.ini", "--strict"), StringComparison.Ordinal);
        Assert.StartsWith(message, folder.With("b.ini", "[uwsgi]\nstrict = true\n").Error("a.ini", "b.ini"), StringComparison.Ordinal);
        Assert.StartsWith(message, folder.Variable("UWSGI_STRICT", "yes").Error("a.ini"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_a_placeholder_uses_is_no_mistake()
    {
        using var folder = new ConfigFolder().With("a.ini", "[uwsgi]\nmodule = %(app)\nset-ph = who=world\napp = hello_%(who)\nset = async=9\nprocs = 4\nset-placeholder = async-queue=%(procs)\n");

        Assert.Equal(["a.ini:7: key 'set-placeholder': 'async-queue' is the name of an option"], folder.Errors("a.ini", "--strict").Where(e => !e.Contains("procs", StringComparison.Ordinal)));
        folder.With("c.ini", "[uwsgi]\nmodule = $(HERE-%(app) %(a + b))\napp = x\na = 1\nb = 2\n").Variable("HERE", "there");
        Assert.Equal("there", folder.Run("c.ini", "--strict").Applications[0].Module);
        folder.With("a.ini", "[uwsgi]\nmodule = %(app)\nset-ph = who=world\napp = hello_%(who)\nset = async=9\n");
        var options = folder.Run("a.ini", "--strict");
        Assert.Equal(("hello_world", 9), (options.Applications[0].Module, options.Cores));
        Assert.Equal("hello_world", options.Given["app"]);
    }

    [Theory]
    [InlineData("async = many", "a.ini:3: --async: 'many' is not a whole number")]
    [InlineData("async = 4 ; cores", "a.ini:3: --async: '4 ; cores' is not a whole number; a comment needs a line of its own")]
    [InlineData("async", "a.ini:3: option --async needs a value")]
    [InlineData("http = h:x", "a.ini:3: --http 'h:x': 'x' is not a port (0 to 65535); expected HOST:PORT, :PORT, the path of a unix socket, @NAME or fd://N, for example 127.0.0.1:8080 or /run/app.sock")]
    [InlineData("chdir = /nowhere", "a.ini:3: --chdir: '/nowhere' is not a directory")]
    [InlineData("chdir =", "a.ini:3: --chdir: the value is empty")]
    [InlineData("ugreen = perhaps", "a.ini:3: key 'ugreen': 'perhaps' is neither true nor false (yes, no, on, off, 1, 0)")]
    [InlineData("ugreen = true ; yes", "a.ini:3: key 'ugreen': 'true ; yes' is neither true nor false (yes, no, on, off, 1, 0); a comment needs a line of its own")]
    [InlineData("pp = a\u001fb", "a.ini:3: key 'pp': 'a\\x1fb': a value is one line without control characters")]
    [InlineData("wsgi-file = m.py", "one application only: give one of --module, --wsgi-file and a bare argument (got --module m, --wsgi-file m.py) (module is in a.ini:2, wsgi-file is in a.ini:3)")]
    [InlineData("if-env = X", "a.ini:3: 'if-env': conditions and loops are not supported in configuration files")]
    [InlineData("for = 1 2", "a.ini:3: 'for': conditions and loops are not supported in configuration files")]
    [InlineData("endif =", "a.ini:3: 'endif': conditions and loops are not supported in configuration files")]
    [InlineData("pp = @(/nowhere/x)", "a.ini:3: key 'pp': @(/nowhere/x) no such file")]
    [InlineData("pp = %(pp)", "a.ini:3: key 'pp': placeholders in a circle: %(pp) → %(pp)")]
    public void A_wrong_value_is_told_with_its_place(string line, string message)
    {
        using var folder = new ConfigFolder().With("a.ini", $"[uwsgi]\nmodule = m\n{line}\n");

        Assert.Equal(message, folder.Error("a.ini"));
    }

    [Fact]
    public void A_wrong_value_of_the_command_line_is_not_blamed_on_the_file()
    {
        using var folder = new ConfigFolder().With("a.ini", "[uwsgi]\nmodule = m\nasync = 4\npp = /x\nsocket = @a\n").Variable("UWSGI_HTTP", ":y");

        Assert.Equal(["--async", "UWSGI_HTTP: --http ':y'"], folder.Errors("a.ini", "--async", "many").Select(e => e.Split(": '")[0]));
        Assert.Equal("option --async is given more than once", folder.Errors("a.ini", "--async", "1", "--async", "2")[0]);
    }

    [Fact]
    public void Placeholders_that_nobody_knows_are_told()
    {
        using var folder = new ConfigFolder().With("a.ini", "[uwsgi]\nmodule = m\npp = /%(x)/$(Y)\nignored = %(z)\n").Variable("HOME", "/root");

        var options = folder.Run("a.ini");

        Assert.Equal(["/%(x)/$(Y)"], options.PythonPaths);
        Assert.Equal(["a.ini:3: key 'pp': %(x) is not known and stays as it is", "a.ini:3: key 'pp': $(Y) is not known and stays as it is"], options.Configuration.Warnings.Take(2));
    }

    [Fact]
    public void Placeholders_know_the_command_line_first()
    {
        using var folder = new ConfigFolder().With("a.ini", "[uwsgi]\nmodule = m\npp = a%(async)\nasync = 4\n");

        Assert.Equal(["a4"], folder.Run("a.ini").PythonPaths);
        Assert.Equal(["a9"], folder.Run("a.ini", "--async", "9").PythonPaths);
    }

    [Fact]
    public void Opt_has_all_keys()
    {
        using var folder = new ConfigFolder().With("a.ini", "[uwsgi]\nwsgi = m\npp = 1\npp = 2\nugreen\nmy-setting = x\nmy-list = 1\nmy-list = 2\nmy-flag\nmaster = true\n");

        var given = folder.Run("a.ini", "--async", "3").Given;

        Assert.Equal(["async", "ini", "master", "my-flag", "my-list", "my-setting", "pp", "ugreen", "wsgi"], given.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("x", true, true, true, "a.ini"), (given["my-setting"], given["my-flag"], given["ugreen"], given["master"], given["ini"]));
        Assert.Equal(new List<string> { "1", "2" }, given["my-list"]);
        Assert.Equal(new List<string> { "1", "2" }, given["pp"]);
    }

    [Fact]
    public void Warnings_are_not_lost_when_the_start_is_refused()
    {
        using var folder = new ConfigFolder().With("a.ini", "[uwsgi]\nmodul = m\n");

        var refused = Assert.IsType<CommandLineResult.Refused>(folder.Parse("a.ini"));

        Assert.Equal("a.ini:2: unknown option 'modul'; did you mean 'module'?; ignored", Assert.Single(refused.Warnings));
        Assert.StartsWith("no application", Assert.Single(refused.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void The_shown_configuration_is_a_file_that_gives_the_same()
    {
        using var folder = new ConfigFolder().With("a.ini", "[uwsgi]\nbase = 50%%\npp = /%(base)\npp = b\nasync = 5\nhttp = :1\nmine = 1\nugreen\n");

        var options = folder.Run("a.ini", "--show-config", "--http", ":2", "--log-level=debug", "m:app");

        Assert.Equal(
            "[uwsgi]\n; a.ini:3\npp = /50%%\n; a.ini:4\npp = b\n; a.ini:5\nasync = 5\n; a.ini:8\nugreen = true\n; command line\nhttp = :2\nlog-level = debug\nmodule = m:app\n"
            + "; a.ini:2, no option of this server\n; base = 50%%\n; a.ini:7, no option of this server\n; mine = 1\n",
            options.ShownConfiguration);
        var again = folder.With("b.ini", options.ShownConfiguration!).Run("b.ini");
        Assert.Equal((options.Applications[0].Module, options.Applications[0].Callable, options.Cores, options.LogLevel), (again.Applications[0].Module, again.Applications[0].Callable, again.Cores, again.LogLevel));
        Assert.Equal(["/50%", "b"], again.PythonPaths);
        Assert.Empty(again.Configuration.Warnings);
    }
}
