using UGreen.Py.Gateway;
using UGreen.Py.Hub.Tests;
using UGreen.Py.Wsgi.Calls.Pausing;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>
/// What others write to a paused request while its client reads slowly. The pipe of <see cref="TestExchange"/> takes 4,096 bytes before it makes a writer wait, until it was emptied.
/// </summary>
[Collection(PythonCollection.Name)]
public sealed class PauseTests(PythonThread python)
{
    private const int MoreThanThePipeTakes = 5000;

    // "/say/a/5" writes aaaaa to all, "/stop" ends their pauses; all other requests pause, with the time in their query.
    private const string Application = """
        _, what, *rest = environ['PATH_INFO'].split('/')
        start_response('200 OK', [('X', 'y')])
        if what == 'say':
            record(uwsgi.green_write_all(rest[0] * int(rest[1])))
            return []
        if what == 'stop':
            record(uwsgi.green_unpause_all())
            return []
        import ugreen
        def body():
            try:
                with ugreen.timeout(float(environ['QUERY_STRING']) if what == 'limited' else None):
                    record(uwsgi.green_pause(0 if what == 'limited' else float(environ['QUERY_STRING'] or 0)))
            except ugreen.Timeout:
                record('Timeout')
            yield b'end'
        return body()
        """;

    private static void Say(WsgiHub hub, char letter, int times) => hub.Submit(new TestExchange($"/say/{letter}/{times}"));

    private static string Read(WsgiHub hub, TestExchange exchange)
    {
        var all = "";
        for (var taken = exchange.Take(); taken.Length > 0; taken = exchange.Take())
        {
            all += taken;
            hub.Step();
        }

        return all;
    }

    [Fact]
    public void A_slow_client_gets_all_of_it_in_order_before_its_green_thread_goes_on() => python.Serve(hub =>
    {
        hub.Application(Application);
        var paused = hub.Submit(new TestExchange());
        Say(hub, 'a', MoreThanThePipeTakes);
        Say(hub, 'b', 10);
        Say(hub, 'c', MoreThanThePipeTakes);
        hub.Submit(new TestExchange("/stop"));

        // Released, but what was written to it before is still on its way.
        Assert.Equal("None\nNone\nNone\nNone", hub.Records);
        Say(hub, 'd', 10);
        Assert.Equal(new string('a', MoreThanThePipeTakes), paused.Take());
        hub.Step();
        Assert.DoesNotContain("True", hub.Records);
        Assert.Equal(new string('b', 10) + new string('c', MoreThanThePipeTakes), paused.Take());
        hub.Step();
        Assert.EndsWith("True", hub.Records);
        Assert.Equal("end", paused.Take());
        Assert.Equal(ExchangeOutcome.Streamed, paused.Outcome);
    });

    [Fact]
    public void One_that_is_too_far_behind_is_given_up() => python.Serve(hub =>
    {
        hub.Application(Application);
        var paused = hub.Submit(new TestExchange());
        Say(hub, 'a', MoreThanThePipeTakes);
        Say(hub, 'b', PausedRequest.BacklogLimit - 1);
        Say(hub, 'c', 1);
        Assert.Equal("None\nNone\nNone", hub.Records);

        // The limit is reached; one byte more is too much. Nothing more is sent, and the response ends as one that broke off.
        Say(hub, 'd', 1);
        hub.StepUntil(() => paused.Running!.IsCompleted, "the end of the request");
        Assert.Equal(ExchangeOutcome.Aborted, paused.Outcome);
        Assert.True(paused.WriteFailed);
        Assert.Equal(new string('a', MoreThanThePipeTakes), paused.Take());
        Assert.Equal("None\nNone\nNone\nNone\nNone", hub.Records); // four messages, and the pause
    });

    [Fact]
    public void One_that_is_not_behind_may_be_written_more_than_the_limit() => python.Serve(hub =>
    {
        const int Large = 3 * PausedRequest.BacklogLimit;
        hub.Application(Application);
        var paused = hub.Submit(new TestExchange());
        Say(hub, 'a', Large);
        hub.Submit(new TestExchange("/stop"));
        Assert.Equal(new string('a', Large) + "end", Read(hub, paused));
        Assert.Equal(ExchangeOutcome.Streamed, paused.Outcome);
    });

    [Fact]
    public void Others_do_not_wait_for_a_slow_client() => python.Serve(hub =>
    {
        hub.Application(Application);
        var slow = hub.Submit(new TestExchange());
        Say(hub, 'a', MoreThanThePipeTakes);

        // One more that pauses: it is written to and goes on while the first still waits for its client.
        var quick = hub.Submit(new TestExchange("/?1"));
        Assert.Equal(0, hub.FreeCores);
        hub.Clock.Advance(1001 * FakeClock.Millisecond);
        hub.Step();
        Assert.Equal((ExchangeOutcome.Streamed, "end"), (quick.Outcome, quick.Take()));
        hub.Submit(new TestExchange("/stop"));
        Assert.Equal(new string('a', MoreThanThePipeTakes) + "end", Read(hub, slow));
    });

    [Fact]
    public void The_time_ends_a_pause() => python.Serve(hub =>
    {
        hub.Application(Application);
        var paused = hub.Submit(new TestExchange("/?2.5"));
        hub.Clock.Advance(2499 * FakeClock.Millisecond);
        hub.Step();
        Assert.Equal("", hub.Records);
        hub.Clock.Advance(2 * FakeClock.Millisecond);
        hub.Step();
        Assert.Equal(("True", "end"), (hub.Records, paused.Take()));
        Assert.Equal(ExchangeOutcome.Streamed, paused.Outcome);
    });

    [Fact]
    public void An_interrupt_ends_it_in_the_middle_of_a_flush() => python.Serve(hub =>
    {
        hub.Application(Application);
        var paused = hub.Submit(new TestExchange("/limited?1"));
        Say(hub, 'a', MoreThanThePipeTakes);
        Say(hub, 'b', 10);
        hub.Clock.Advance(1001 * FakeClock.Millisecond);
        hub.StepUntil(() => hub.Records.EndsWith("Timeout", StringComparison.Ordinal), "the exception");

        // What the front has goes out; the message that had not begun does not, and the response goes on behind it.
        Assert.Equal(new string('a', MoreThanThePipeTakes) + "end", Read(hub, paused));
        Assert.Equal(ExchangeOutcome.Streamed, paused.Outcome);
    });

    [Fact]
    public void An_interrupt_in_the_middle_of_a_message_breaks_the_response_off() => python.Serve(hub =>
    {
        hub.Application(Application);
        var paused = hub.Submit(new TestExchange("/limited?1"));
        Say(hub, 'a', 2 * PausedRequest.BacklogLimit);
        hub.Clock.Advance(1001 * FakeClock.Millisecond);
        hub.StepUntil(() => hub.Records.EndsWith("Timeout", StringComparison.Ordinal), "the exception");
        Read(hub, paused);
        Assert.Equal(ExchangeOutcome.Aborted, paused.Outcome);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_leaves_ends_it(bool isBehind) => python.Serve(hub =>
    {
        hub.Application(Application);
        var paused = hub.Submit(new TestExchange());
        if (isBehind) Say(hub, 'a', MoreThanThePipeTakes);
        if (isBehind) Say(hub, 'b', 10);
        paused.Leave();
        hub.StepUntil(() => paused.Running!.IsCompleted, "the end of the request");
        Assert.Equal(ExchangeOutcome.Aborted, paused.Outcome);
        Assert.EndsWith("None", hub.Records);
        Assert.DoesNotContain("True", hub.Records);
    });

    [Fact]
    public void A_client_that_leaves_while_the_rest_is_sent() => python.Serve(hub =>
    {
        hub.Application(Application);
        var paused = hub.Submit(new TestExchange());
        Say(hub, 'a', MoreThanThePipeTakes);
        hub.Submit(new TestExchange("/stop"));
        paused.Leave();
        hub.StepUntil(() => paused.Running!.IsCompleted, "the end of the request");
        Assert.Equal((ExchangeOutcome.Aborted, "None\nNone\nNone"), (paused.Outcome, hub.Records));
    });
}
