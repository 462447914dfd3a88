using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>What Python code gets for a hub call: a result, or an exception.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class HubCallTests(PythonHub python)
{
    private const string Show = "\nexcept BaseException as error:\n    record(type(error).__name__)\n    record(error)";

    public static TheoryData<string, string, string> Answers => new()
    {
        { "type", "TypeError", "the message" },
        { "value", "ValueError", "the message" },
        { "runtime", "RuntimeError", "the message" },
        { "system", "SystemError", "the message" },
        { "assertion", "AssertionError", "the message" },
        { "os", "OSError", "the message" },
        { "os 32", "BrokenPipeError", "[Errno 32] the message" },
        { "os 104", "ConnectionResetError", "[Errno 104] the message" },
        { "os 9", "OSError", "[Errno 9] the message" },
        { "pending", "KeyError", "'of Python'" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void A_HubCallException_is_the_exception_that_it_names(string kind, string type, string text) => python.Run(hub =>
    {
        hub.Add(new TestCall("fail", (GreenThread _, in HubCallArguments _) => throw Answer(kind)));
        hub.Spawn("try:\n    fail()" + Show);
        hub.RunToEnd();
        Assert.Equal([type, text], hub.Records);
        Assert.Empty(hub.Log.Entries);
    });

    [Theory]
    [MemberData(nameof(Answers))]
    public void So_it_is_in_a_continuation(string kind, string type, string text) => python.Run(hub =>
    {
        TestCall? call = null;
        call = new TestCall(
            "fail",
            (GreenThread green, in HubCallArguments _) =>
            {
                // A result that was set before must not come along with the exception.
                green.Result = TestCalls.None();
                green.Park(call, ParkReason.Operation);
                return CallOutcome.Park;
            },
            (_, _) => throw Answer(kind));
        hub.Add(call);
        hub.Spawn("try:\n    fail()" + Show);
        hub.Passes();
        hub.Loop.Greens[0].Wake(WakeCause.Completed);
        hub.RunToEnd();
        Assert.Equal([type, text], hub.Records);
    });

    [Fact]
    public void Any_other_exception_is_a_RuntimeError_and_is_logged() => python.Run(hub =>
    {
        hub.Add(new TestCall("broken", (GreenThread _, in HubCallArguments _) => throw new InvalidDataException("of the test")));
        hub.Spawn("try:\n    broken()" + Show + "\nrecord('goes on')");
        hub.RunToEnd();
        Assert.Equal(["RuntimeError", "broken: of the test", "goes on"], hub.Records);
        var entry = Assert.Single(hub.Log.Entries);
        Assert.Equal((LogLevel.Error, 100), (entry.Level, entry.Id));
        Assert.Contains("broken", entry.Text, StringComparison.Ordinal);
        Assert.IsType<InvalidDataException>(entry.Error);
    });

    [Fact]
    public void An_exception_that_nobody_catches_ends_the_green_thread_only() => python.Run(hub =>
    {
        hub.Add(new TestCall("fail", (GreenThread _, in HubCallArguments _) => throw HubCallException.Value("bad")));
        var failing = hub.Spawn("turn()\nfail()");
        failing.ErrorIsExpected = true;
        hub.Spawn("for i in range(3): turn()\nrecord('other')");
        hub.RunToEnd();
        Assert.Equal("ValueError: bad", failing.Error!.Message);
        Assert.Equal("ValueError", failing.Error.TypeName);
        Assert.Contains("in script", failing.Error.Traceback, StringComparison.Ordinal);
        Assert.Equal(["other"], hub.Records);
    });

    [Fact]
    public void A_forgotten_result_is_an_error_in_Python() => python.Run(hub =>
    {
        hub.Add(new TestCall("forgetful", (GreenThread _, in HubCallArguments _) => CallOutcome.Resume));
        hub.Spawn("try:\n    forgetful()" + Show);
        hub.RunToEnd();
        Assert.Equal("SystemError", hub.Records[0]);
    });

    [Fact]
    public void Arguments_arrive_by_place_and_by_name() => python.Run(hub =>
    {
        hub.Add(new TestCall("show", (GreenThread green, in HubCallArguments args) =>
        {
            hub.Records.Add($"{args.Count} {args.HasKeywords} [{string.Join(",", Enumerable.Range(0, args.Count).Select(Reader(args)))}] {string.Join(",", args.KeywordNames())}");
            hub.Records.Add(args.Keyword("b") is { IsNull: false } b ? TestHub.Text(b) : "no b");
            green.Result = TestCalls.None();
            return CallOutcome.Resume;
        }));
        hub.Spawn("show()\nshow(1, 'x')\nshow(1, a=2, b=3)\nshow(*[1, 2, 3], **{'b': 'four'})\nshow(**{})");
        hub.RunToEnd();
        Assert.Equal(["0 False [] ", "no b", "2 False [1,x] ", "no b", "1 True [1] a,b", "3", "3 True [1,2,3] b", "four", "0 False [] ", "no b"], hub.Records);

        static Func<int, string> Reader(HubCallArguments args) => i => TestHub.Text(args.At(i));
    });

    [Fact]
    public void Functions_look_like_any_built_in_one() => python.Run(hub =>
    {
        Assert.Equal("record", hub.Evaluate("record.__name__"));
        Assert.Equal("test", hub.Evaluate("record.__module__"));
        Assert.Equal("A hub call of the tests.", hub.Evaluate("record.__doc__"));
        Assert.Equal("(*args)", hub.Evaluate("record.__text_signature__"));
    });

    [Fact]
    public void Two_calls_of_one_name_are_a_bug_of_the_house() => python.Run(hub =>
        Assert.Throws<HubInvariantException>(() => hub.Add(new TestCall("record", (GreenThread _, in HubCallArguments _) => CallOutcome.Resume))));

    [Fact]
    public void References_are_neither_lost_nor_given_twice() => python.Run(hub =>
    {
        hub.Add(new TestCall("same", (GreenThread green, in HubCallArguments args) =>
        {
            CApi.Py_IncRef(args.At(0));
            green.Result = args.At(0).Address;
            return CallOutcome.Yield;
        }));
        hub.Define("import sys");
        hub.Spawn("thing = object()\nbefore = sys.getrefcount(thing)\nfor i in range(100): same(thing)\nrecord(sys.getrefcount(thing) - before)");
        hub.RunToEnd();
        Assert.Equal(["0"], hub.Records);
    });

    private static HubCallException Answer(string kind)
    {
        const string Message = "the message";
        if (kind == "pending")
        {
            using var builtins = CApi.PyImport_ImportModule("builtins").OrThrow();
            using var type = CApi.PyObject_GetAttrString(builtins.Borrow(), "KeyError").OrThrow();
            CApi.PyErr_SetString(type.Borrow(), "of Python");
            return HubCallException.Pending();
        }

        return kind switch
        {
            "type" => HubCallException.Type(Message),
            "value" => HubCallException.Value(Message),
            "runtime" => HubCallException.Runtime(Message),
            "system" => HubCallException.System(Message),
            "assertion" => HubCallException.Assertion(Message),
            "os" => HubCallException.Os(Message),
            _ => HubCallException.Os(int.Parse(kind.AsSpan(3)), Message),
        };
    }
}
