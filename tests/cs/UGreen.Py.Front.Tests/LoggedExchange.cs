using System.IO.Pipelines;
using System.Text;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

/// <summary>A finished request, as an access log is given it: over HTTP, or with CGI variables as from the uwsgi protocol.</summary>
internal sealed class LoggedExchange : GatewayExchange
{
    private HeaderField[] _variables = [];

    public LoggedExchange(string method = "GET", string target = "/a?b=1", params (string Name, string Value)[] headers)
    {
        (Method, Target, Protocol, RemoteAddress, RemotePort, LocalPort) = (method, target, "HTTP/1.1", "192.0.2.7", 40123, 8080);
        (Core, Switches, BytesOut, ContentLength) = (3, 2, 13, 5);
        foreach (var (name, value) in headers) AddHeader(name, value);
        Head.Status = 200;
        Head.Add("Content-Type", "text/plain");
        Head.ContentLength = 13;
    }

    public override ReadOnlySpan<HeaderField> Variables => _variables;

    public override PipeReader Body => throw new NotSupportedException();

    public override PipeWriter Output => throw new NotSupportedException();

    public override CancellationToken ClientGone => CancellationToken.None;

    public override void StartStreaming() => throw new NotSupportedException();

    public LoggedExchange With(params (string Name, string Value)[] variables)
    {
        _variables = [.. variables.Select(v => new HeaderField(v.Name, v.Value))];
        return this;
    }

    public LoggedExchange Note(string name, string value) => Note(name, Encoding.UTF8.GetBytes(value));

    public LoggedExchange Note(string name, byte[] value)
    {
        _ = MakeLogNotes().TrySet(Encoding.UTF8.GetBytes(name), value);
        return this;
    }

    /// <summary>The next request on the same connection.</summary>
    public LoggedExchange Next()
    {
        Reset();
        return this;
    }
}
