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
            + "'vsz': 6442450944, 'running_time': 77, 'last_spawn': 1700000000, 'respawn_count': 5, 'tx': 9, 'avg_rt': 11, 'apps': ()}",
            hub.Records.Split('\n')[0]);
        Assert.Equal("(<class 'tuple'>, [1, 2, 3], [b'busy', b'idle', b'cheap'])", hub.Evaluate("(type(uwsgi.workers()), [w['id'] for w in uwsgi.workers()], [w['status'] for w in uwsgi.workers()])"));
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
