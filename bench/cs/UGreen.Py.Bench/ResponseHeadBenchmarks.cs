using System.Buffers;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.CPython;
using UGreen.Py.Front.Uwsgi;
using UGreen.Py.Gateway;
using UGreen.Py.Wsgi;

namespace UGreen.Py.Bench;

/// <summary>A response head with five headers: read from what the application gave to start_response, and written as text for a uwsgi connection. (Kestrel writes its own.)</summary>
public class ResponseHeadBenchmarks
{
    private const int Heads = 10_000;

    private readonly HeadParser _parser = new();
    private readonly ResponseHead _parsed = new();
    private readonly ResponseHead _head = new();
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private NewRef _status;
    private NewRef _headers;
    private Action _parse = null!;

    [GlobalSetup]
    public void Setup()
    {
        _head.Clear();
        _head.Status = 200;
        (string Name, string Value)[] fields =
        [
            ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "private, max-age=0"), ("Vary", "Cookie"), ("X-Frame-Options", "DENY"),
            ("Set-Cookie", "sessionid=7f3d2a9c1b5e4f60a8d7; HttpOnly; Path=/; SameSite=Lax"),
        ];
        foreach (var (name, value) in fields) _head.Add(name, value);
        _parse = Loop;
        PythonWorld.Instance.Run(() =>
        {
            var scope = PythonWorld.Instance.Scope;
            _status = scope.Evaluate("'200 OK'");
            _headers = scope.Evaluate("[" + string.Join(", ", fields.Select(field => $"('{field.Name}', '{field.Value}')")) + "]");
        });
    }

    [Benchmark(Description = "start_response: parse", OperationsPerInvoke = Heads)]
    public void Parse() => PythonWorld.Instance.Run(_parse);

    [Benchmark(Description = "uwsgi protocol: write as text")]
    public int WriteText()
    {
        _output.ResetWrittenCount();
        ResponseHeadText.Write(_head, 1234, "HTTP/1.1", _output, NullLogger.Instance);
        return _output.WrittenCount;
    }

    private void Loop()
    {
        for (var i = 0; i < Heads; i++) _parser.Parse(_status.Borrow(), _headers.Borrow(), _parsed);
    }
}
