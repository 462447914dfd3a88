using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>Whole requests through driver and hub calls, with the client's pace in the hands of the test.</summary>
[Collection(PythonCollection.Name)]
public sealed class RequestTests(PythonThread python)
{
    private const string Ok = "start_response('200 OK', [('Content-Type', 'text/plain')])\n";

    [Fact]
    public void A_small_page_leaves_whole() => python.Serve(hub =>
    {
        hub.Application(Ok + "return [b'hello']");
        var exchange = hub.Submit(new TestExchange());
        Assert.Equal((ExchangeOutcome.Whole, 200, 5L, "hello"), (exchange.Outcome, exchange.Head.Status, exchange.Head.ContentLength, exchange.Whole));
        Assert.Equal([new("Content-Type", "text/plain")], exchange.Head.Headers.ToArray());
        Assert.Equal(5, exchange.BytesOut);
        Assert.InRange(exchange.Core, 0, PythonThread.Cores - 1);
    });

    [Theory]
    [InlineData("/", "root  /")]
    [InlineData("/blog", "blog /blog ")]
    [InlineData("/blog/x", "blog /blog /x")]
    [InlineData("/blogs", "root  /blogs")]
    [InlineData("/bl%6Fg%2Fshop/x", "shop /blog/shop /x")]
    public void Several_applications(string target, string expected) => python.Serve(hub =>
    {
        hub.Application("""
            from ugreen._apps import dispatcher
            def make(name):
                def application(environ, start_response):
                    start_response('200 OK', [])
                    return [f"{name} {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]
                return application
            return dispatcher({'': make('root'), '/blog': make('blog'), '/blog/shop': make('shop')})(environ, start_response)
            """);
        Assert.Equal(expected, hub.Submit(new TestExchange(target)).Whole);
    });

    [Fact]
    public void A_generator_streams_and_waits_for_a_slow_client() => python.Serve(hub =>
    {
        hub.Application(Ok + "for i in range(4):\n    record(i)\n    yield b'%d' % i * 3000");
        var exchange = hub.Submit(new TestExchange());

        // The second piece fills the pipe beyond its limit of 4,096: the green thread is parked.
        Assert.Equal("0\n1", hub.Records);
        Assert.Equal(PythonThread.Cores - 1, hub.FreeCores);
        Assert.True(exchange.Started);
        var got = exchange.Take();
        hub.Step();
        Assert.Equal("0\n1\n2\n3", hub.Records);
        got += exchange.Take();
        hub.Step();
        Assert.Equal(ExchangeOutcome.Streamed, exchange.Outcome);
        Assert.Equal(string.Concat(Enumerable.Range(0, 4).Select(i => new string((char)('0' + i), 3000))), got + exchange.Take());
    });

    [Fact]
    public void A_chunk_larger_than_a_piece_arrives_in_one_piece() => python.Serve(hub =>
    {
        hub.Application(Ok + "yield bytes(range(256)) * 1000");
        var exchange = hub.Submit(new TestExchange());
        var got = "";
        for (var i = 0; i < 10; i++)
        {
            got += exchange.Take();
            hub.Step();
        }

        Assert.Equal(ExchangeOutcome.Streamed, exchange.Outcome);
        Assert.Equal(256_000, got.Length);
        Assert.All(Enumerable.Range(0, got.Length), i => Assert.Equal((char)(i % 256), got[i]));
    });

    [Fact]
    public void A_request_body_is_waited_for() => python.Serve(hub =>
    {
        hub.Application("record('reads')\nbody = environ['wsgi.input'].read()\n" + Ok + "return [body.upper()]");
        var exchange = hub.Submit(new TestExchange(hasBody: true).With("POST"));
        Assert.Equal("reads", hub.Records);
        exchange.Send("hello ");
        hub.Step();
        Assert.Equal(PythonThread.Cores - 1, hub.FreeCores);
        exchange.Send("world");
        exchange.EndBody();
        hub.Step();
        Assert.Equal((ExchangeOutcome.Whole, "HELLO WORLD"), (exchange.Outcome, exchange.Whole));
    });

    [Fact]
    public void A_request_body_that_breaks_off_is_an_OSError() => python.Serve(hub =>
    {
        hub.Application("try: environ['wsgi.input'].read()\nexcept OSError as error: record(error.errno)\n" + Ok + "return [b'']");
        var exchange = hub.Submit(new TestExchange(hasBody: true));
        exchange.Send("half");
        exchange.EndBody(new IOException("reset"));
        hub.Step();
        Assert.Equal("5", hub.Records);
        Assert.Equal(ExchangeOutcome.Whole, exchange.Outcome);
    });

    [Fact]
    public void A_client_that_leaves_wakes_a_suspended_request_and_close_runs() => python.Serve(hub =>
    {
        hub.Application(Ok + "try:\n    uwsgi.async_sleep(1000)\n    yield b'first'\n    record('woken')\n    yield b'second'\n    record('sent')\nfinally:\n    record('closed')");
        var exchange = hub.Submit(new TestExchange());
        Assert.Equal("", hub.Records);
        exchange.Leave();
        hub.Step();
        Assert.Equal("woken\nclosed", hub.Records);
        Assert.Equal(ExchangeOutcome.Aborted, exchange.Outcome);
    });

    [Fact]
    public void A_client_that_leaves_ends_a_send_that_waits() => python.Serve(hub =>
    {
        hub.Application(Ok + "try:\n    yield b'x' * 10000\n    record('sent')\nfinally:\n    record('closed')");
        var exchange = hub.Submit(new TestExchange());
        exchange.Leave();
        hub.Step();
        Assert.Equal("closed", hub.Records);
        Assert.Equal(ExchangeOutcome.Aborted, exchange.Outcome);
    });

    [Theory]
    [InlineData("raise ValueError('early')")]
    [InlineData(Ok + "raise ValueError('head was given, nothing sent')")]
    [InlineData("return [b'no start_response']")]
    [InlineData("return []")]
    [InlineData("return None")]
    [InlineData("raise SystemExit")]
    [InlineData(Ok + "return ['text']")]
    [InlineData("start_response('200 OK', [('Content-Length', '10')])\nreturn [b'short']")]
    [InlineData("start_response('200 OK', [('Content-Length', '3')])\nreturn [b'too long']")]
    [InlineData("start_response('200 OK', [('Bad Name', 'x')])\nreturn [b'x']")]
    [InlineData("start_response('200 OK', [])\nstart_response('200 OK', [])\nreturn [b'x']")]
    public void What_goes_wrong_before_anything_was_sent_is_a_500(string code) => python.Serve(hub =>
    {
        hub.Application(code);
        var exchange = hub.Submit(new TestExchange());
        Assert.Contains(exchange.Outcome, (ExchangeOutcome[])[ExchangeOutcome.Whole, ExchangeOutcome.Aborted]);
        if (exchange.Outcome == ExchangeOutcome.Whole) Assert.Equal((500, "Internal Server Error\n"), (exchange.Head.Status, exchange.Whole));
        else Assert.True(exchange.Started);
    });

    [Fact]
    public void What_goes_wrong_later_breaks_the_response_off() => python.Serve(hub =>
    {
        hub.Application(Ok + "yield b'half'\nraise ValueError");
        var exchange = hub.Submit(new TestExchange());
        Assert.Equal((ExchangeOutcome.Aborted, "half"), (exchange.Outcome, exchange.Take()));
    });

    [Fact]
    public void A_second_head_with_exc_info_replaces_the_first() => python.Serve(hub =>
    {
        hub.Application(Ok + "import sys\ntry: raise ValueError\nexcept ValueError: start_response('503 Busy', [('X-New', '1')], sys.exc_info())\nreturn [b'x']");
        var exchange = hub.Submit(new TestExchange());
        Assert.Equal((503, "Busy"), (exchange.Head.Status, exchange.Head.Reason));
        Assert.Equal([new("X-New", "1")], exchange.Head.Headers.ToArray());
        Assert.Equal(ExchangeOutcome.Whole, exchange.Outcome);
    });

    [Fact]
    public void A_second_head_that_is_refused_leaves_none() => python.Serve(hub =>
    {
        // The refused head has taken the first one along: nothing may be sent with neither.
        hub.Application(Ok + "import sys\ntry:\n    raise ValueError\nexcept ValueError:\n    try: start_response('500 Oops', [('Bad Name', 'x')], sys.exc_info())\n    except ValueError as error: record('refused')\nreturn [b'x']");
        var exchange = hub.Submit(new TestExchange());
        Assert.Equal("refused", hub.Records);
        Assert.Equal((ExchangeOutcome.Whole, 500), (exchange.Outcome, exchange.Head.Status));
    });

    [Theory]
    [InlineData("HEAD", "200 OK", 5L)]
    [InlineData("GET", "204 No Content", null)]
    [InlineData("GET", "304 Not Modified", null)]
    public void Answers_without_a_body_have_none(string method, string status, long? length) => python.Serve(hub =>
    {
        hub.Application($"start_response('{status}', [])\nreturn [b'hello']");
        var exchange = hub.Submit(new TestExchange().With(method));
        Assert.Equal((ExchangeOutcome.Whole, length, ""), (exchange.Outcome, exchange.Head.ContentLength, exchange.Whole));
    });

    [Fact]
    public void Requests_wait_for_a_core_in_order_and_beyond_the_limit_are_refused() => python.Serve(hub =>
    {
        hub.Application("record(environ['PATH_INFO'])\nif environ['PATH_INFO'] < '/2':\n    uwsgi.async_sleep(1)\n    uwsgi.suspend()\n" + Ok + "return [b'x']");
        var all = Enumerable.Range(0, PythonThread.Cores + PythonThread.QueueLimit + 1).Select(i => hub.Submit(new TestExchange($"/{i}"))).ToArray();
        Assert.Equal("/0\n/1", hub.Records);
        var refused = all[^1];
        Assert.Equal((ExchangeOutcome.Whole, 503), (refused.Outcome, refused.Head.Status));
        Assert.Contains(new HeaderField("Retry-After", "1"), refused.Head.Headers.ToArray());

        hub.Clock.Advance(1_000_000_000);
        hub.Step();
        Assert.Equal("/0\n/1\n/2\n/3\n/4", hub.Records);
        Assert.All(all[..^1], exchange => Assert.Equal((ExchangeOutcome.Whole, 200), (exchange.Outcome, exchange.Head.Status)));
    });
}
