using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>What the module uwsgi tells of the master and the other workers.</summary>
[Collection(PythonCollection.Name)]
public sealed class ServerCallTests(PythonThread python)
{
    private static void Serve(WsgiHub hub, string code)
    {
        hub.Application(code + "\nstart_response('204 No Content', [])\nreturn []");
        var exchange = hub.Submit(new TestExchange());
        Assert.Equal(204, exchange.Head.Status);
    }

    [Fact]
    public void Numbers_are_those_of_the_server() => python.Serve(hub =>
    {
        Serve(hub, "record((uwsgi.worker_id(), uwsgi.masterpid(), uwsgi.numproc, uwsgi.total_requests(), uwsgi.ready(), environ['wsgi.multiprocess']))");
        Assert.Equal("(2, 4711, 3, 1099511627776, True, True)", hub.Records);
        hub.Control.IsReady = false;
        Assert.Equal("None", hub.Evaluate("uwsgi.ready()"));
        hub.Control.IsReady = true;
    });

    [Fact]
    public void Workers_have_uWSGIs_keys() => python.Serve(hub =>
    {
        Serve(hub, "for worker in uwsgi.workers(): record(worker)");
        Assert.Equal(
            "{'id': 1, 'pid': 101, 'requests': 7, 'delta_requests': 3, 'signals': 0, 'exceptions': 2, 'harakiri_count': 1, 'busy_cores': 4, 'status': b'busy', 'rss': 5368709120, "
            + "'vsz': 6442450944, 'running_time': 77, 'last_spawn': 1700000000, 'respawn_count': 5, 'tx': 9, 'avg_rt': 11, 'apps': ({'id': 0, 'modifier1': 0, 'mountpoint': b'', "
            + $"'startup_time': 0, 'interpreter': 0, 'callable': 0, 'requests': 3, 'exceptions': 2, 'chdir': b'{Environment.CurrentDirectory}'}},)}}",
            hub.Records.Split('\n')[0]);
        Assert.Equal("(<class 'tuple'>, [1, 2, 3], [b'busy', b'idle', b'cheap'])", hub.Evaluate("(type(uwsgi.workers()), [w['id'] for w in uwsgi.workers()], [w['status'] for w in uwsgi.workers()])"));
    });

    [Fact]
    public void What_only_the_module_knows_how_to_say() => python.Serve(hub =>
    {
        Serve(hub, "record((uwsgi.env is environ, uwsgi.sockets, uwsgi.is_a_reload, uwsgi.i_am_the_spooler(), uwsgi.mode, uwsgi.pidfile, uwsgi.magic_table))");
        Assert.Equal("(True, [6, 7], True, None, None, None, {})", hub.Records);
        Assert.Equal("(False, True)", hub.Evaluate("(hasattr(uwsgi, 'env'), uwsgi.sockets == [6, 7])"));
    });

    [Theory]
    [InlineData("uwsgi.wait_fd_read(Raises('__index__'))", "RuntimeError: __index__")]
    [InlineData("uwsgi.wait_fd_read(Raises('fileno'))", "RuntimeError: fileno")]
    [InlineData("uwsgi.wait_fd_read(Raises())", "TypeError: wait_fd_read(): fd must be an int or an object with fileno()")]
    [InlineData("uwsgi.async_sleep(Raises('__float__'))", "RuntimeError: __float__")]
    [InlineData("uwsgi.async_sleep(Raises())", "TypeError: async_sleep(): the number of seconds must be an int or a float")]
    [InlineData("uwsgi.wait_fd_read(0, Raises('__float__'))", "RuntimeError: __float__")]
    [InlineData("uwsgi.setprocname(b'x')", "TypeError: setprocname(): name must be a str (without lone surrogates)")]
    [InlineData("uwsgi.setprocname('x\\x00y')", "ValueError: setprocname(): name holds a NUL")]
    public void What_an_arguments_own_method_raises_is_not_replaced(string call, string error) => python.Serve(hub =>
    {
        Serve(hub, $$"""
            def Raises(*names):
                def method(name):
                    def raises(self): raise RuntimeError(name)
                    return raises
                return type('Argument', (), {name: method(name) for name in names})()
            try:
                {{call}}
            except Exception as error:
                record(f'{type(error).__name__}: {error}')
            """.ReplaceLineEndings("\n"));
        Assert.Equal(error, hub.Records);
    });

    [Fact]
    public void Reload_and_stop_ask_the_master_from_everywhere() => python.Serve(hub =>
    {
        hub.Control.TakeAsked();
        Serve(hub, "record((uwsgi.reload(), uwsgi.stop()))");
        Assert.Equal("(True, True)", hub.Records);
        Assert.Equal("reload uwsgi.reload(), stop uwsgi.stop()", hub.Control.TakeAsked());
        hub.Outside("import threading\nanswers = []\nthread = threading.Thread(target=lambda: answers.append((uwsgi.reload('new version'), uwsgi.stop(), uwsgi.worker_id())))\nthread.start()\nthread.join(20)");
        Assert.Equal("[(True, True, 2)]", hub.Evaluate("answers"));
        Assert.Equal("reload new version, stop uwsgi.stop()", hub.Control.TakeAsked());
        Assert.Equal("True", hub.Evaluate("__import__('_ugreen').source_changed('/a/b.py')"));
        Assert.Equal("changed /a/b.py", hub.Control.TakeAsked());
        hub.Control.HasMaster = false;
        Assert.Equal("(None, 0)", hub.Evaluate("(uwsgi.reload(), uwsgi.masterpid())"));
        hub.Control.HasMaster = true;
        hub.Control.TakeAsked();
    });
}
