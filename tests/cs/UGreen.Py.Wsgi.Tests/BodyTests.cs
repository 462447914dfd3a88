using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>Files on their way out, and request bodies that are read with a time-out, with the client's pace and the clock in the hands of the test.</summary>
[Collection(PythonCollection.Name)]
public sealed class BodyTests(PythonThread python) : IDisposable
{
    private const string Ok = "start_response('200 OK', [('Content-Type', 'text/plain')])\n";

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_file_is_handed_to_the_front_and_the_core_is_free() => python.Serve(hub =>
    {
        File.WriteAllText(_path, "0123456789");
        hub.Application(Ok + $"file = open('{_path}', 'rb')\nfile.read(3)\nrecord(file)\nreturn environ['wsgi.file_wrapper'](file)");
        var exchange = hub.Submit(new TestExchange());
        Assert.Equal((ExchangeOutcome.File, 3L, 7L, 7L), (exchange.Outcome, exchange.FileOffset, exchange.FileLength, exchange.Head.ContentLength));
        Assert.False(exchange.Started);
        using var file = exchange.File!;
        Assert.False(file.IsClosed);
        Assert.EndsWith("True", hub.Evaluate("records[0].closed"), StringComparison.Ordinal);
        var bytes = new byte[7];
        Assert.Equal(7, RandomAccess.Read(file, bytes, exchange.FileOffset));
        Assert.Equal("3456789"u8.ToArray(), bytes);
    });

    [Theory]
    [InlineData("HEAD", "200 OK", 10L)]
    [InlineData("GET", "304 Not Modified", null)]
    public void A_response_without_a_body_opens_no_file(string method, string status, long? length) => python.Serve(hub =>
    {
        File.WriteAllText(_path, "0123456789");
        hub.Application($"start_response('{status}', [])\nreturn environ['wsgi.file_wrapper'](open('{_path}', 'rb'))");
        var exchange = hub.Submit(new TestExchange().With(method));
        Assert.Equal((ExchangeOutcome.Whole, length, null), (exchange.Outcome, exchange.Head.ContentLength, exchange.File));
    });

    [Fact]
    public void Sendfile_waits_for_a_slow_client_and_the_application_goes_on_after_it() => python.Serve(hub =>
    {
        var text = string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{i:d6}\n"));
        File.WriteAllText(_path, text);
        hub.Application(Ok + $"record(uwsgi.sendfile('{_path}'))\nreturn [b'more']");
        var exchange = hub.Submit(new TestExchange());
        var got = "";
        hub.StepUntil(() => (got += exchange.Take()).Length > 0, "the first block");
        Assert.Equal("", hub.Records);
        Assert.Equal(PythonThread.Cores - 1, hub.FreeCores);
        hub.StepUntil(() => (got += exchange.Take()).Length == text.Length + 4, "the rest");
        hub.Step();
        Assert.Equal((ExchangeOutcome.Streamed, "True", text + "more"), (exchange.Outcome, hub.Records, got));
    });

    [Fact]
    public void Sendfile_ends_with_the_client() => python.Serve(hub =>
    {
        File.WriteAllText(_path, new string('x', 1_000_000));
        hub.Application(Ok + $"try: uwsgi.sendfile('{_path}')\nexcept OSError as error: record(error.errno)\nreturn []");
        var exchange = hub.Submit(new TestExchange());
        hub.StepUntil(() => exchange.Take().Length > 0, "the first block");
        exchange.Leave();
        hub.StepUntil(() => hub.Records == "32", "EPIPE");
        Assert.Equal(ExchangeOutcome.Aborted, exchange.Outcome);
    });

    [Fact]
    public void A_file_that_is_too_short_breaks_the_response_off_also_when_the_application_does_not_care() => python.Serve(hub =>
    {
        hub.Application(Ok + $"import _ugreen, os\ntry: _ugreen.send_file(os.open('{_path}', 0), 0, 10)\nexcept OSError as error: record(error.errno)\nreturn []");
        File.WriteAllText(_path, "short");
        var exchange = hub.Submit(new TestExchange());
        hub.StepUntil(() => hub.Records == "5", "EIO");
        Assert.Equal(ExchangeOutcome.Aborted, exchange.Outcome);
    });

    [Fact]
    public void A_time_out_of_chunked_read_loses_no_byte() => python.Serve(hub =>
    {
        hub.Application("for i in range(2):\n    try: record(uwsgi.chunked_read(5))\n    except TimeoutError as error: record('time-out')\nrecord(environ['wsgi.input'].read())\n" + Ok + "return [b'x']");
        var exchange = hub.Submit(new TestExchange(hasBody: true));
        hub.Clock.Advance(4_999_000_000);
        hub.Step();
        Assert.Equal("", hub.Records);
        hub.Clock.Advance(1_000_000);
        hub.Step();
        Assert.Equal("time-out", hub.Records);
        exchange.Send("first");
        hub.StepUntil(() => hub.Records == "time-out\nb'first'", "the piece");
        exchange.Send("second");
        exchange.EndBody();
        hub.StepUntil(() => hub.Records == "time-out\nb'first'\nb'second'", "the rest");
        Assert.Equal(ExchangeOutcome.Whole, exchange.Outcome);

        // No timer is left behind.
        hub.Clock.Advance(100_000_000_000);
        hub.Step();
    });

    [Fact]
    public void A_read_that_was_only_tried_goes_on_and_is_over_before_the_front_gets_the_exchange_back() => python.Serve(hub =>
    {
        hub.Application("record(uwsgi.chunked_read_nb())\nrecord(uwsgi.chunked_read_nb())\n" + Ok + "return [b'x']");
        var exchange = hub.Submit(new TestExchange(hasBody: true));
        Assert.Equal("None\nNone", hub.Records);
        Assert.Equal(ExchangeOutcome.Whole, exchange.Outcome);

        // A read still under way would make this throw.
        exchange.Send("late");
        Assert.True(exchange.Body.TryRead(out var read));
        Assert.Equal(4, read.Buffer.Length);
        exchange.Body.AdvanceTo(read.Buffer.End);
    });

    [Theory]
    [InlineData("", ExchangeOutcome.Aborted)]
    [InlineData(Ok, ExchangeOutcome.Whole)]
    [InlineData(Ok + "yield b'x'\n", ExchangeOutcome.Streamed)]
    [InlineData("start_response('200 OK', [('Content-Length', '2')])\nyield b'x'\n", ExchangeOutcome.Aborted)]
    public void Disconnect_ends_the_response_and_not_the_application(string before, ExchangeOutcome outcome) => python.Serve(hub =>
    {
        hub.Application(before + "uwsgi.disconnect()\nrecord(uwsgi.is_connected())\nuwsgi.async_sleep(1)\nuwsgi.suspend()\nrecord('later')\nreturn []");
        var exchange = hub.Submit(new TestExchange());
        Assert.Equal((outcome, true, "False"), (exchange.Outcome, exchange.ClosesConnection, hub.Records));
        hub.Clock.Advance(1_000_000_000);
        hub.Step();
        Assert.Equal("False\nlater", hub.Records);
    });
}
