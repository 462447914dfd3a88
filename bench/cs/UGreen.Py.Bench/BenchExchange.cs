using System.IO.Pipelines;
using UGreen.Py.Gateway;

namespace UGreen.Py.Bench;

/// <summary>A request without a client: what the application side gets from a front, and gives back.</summary>
internal sealed class BenchExchange : GatewayExchange
{
    private readonly HeaderField[] _variables;
    private readonly bool _overHttp;

    /// <param name="overHttp">With headers, as from Kestrel; false: with variables, as from nginx.</param>
    public BenchExchange(bool overHttp)
    {
        _overHttp = overHttp;
        _variables = overHttp ? [] : BrowserRequest.Variables;
        Begin();
    }

    public override ReadOnlySpan<HeaderField> Variables => _variables;

    public override PipeReader Body => throw new NotSupportedException("the request has no body");

    public override CancellationToken ClientGone => CancellationToken.None;

    public override PipeWriter Output => throw new NotSupportedException("the response is whole");

    public override void StartStreaming() => throw new NotSupportedException("the response is whole");

    /// <summary>Makes it ready to be submitted again.</summary>
    public void Renew()
    {
        Reset();
        Begin();
    }

    private void Begin()
    {
        (Method, Target, Protocol, Scheme) = ("GET", BrowserRequest.Target, "HTTP/1.1", "https");
        (RemoteAddress, RemotePort, LocalAddress, LocalPort) = ("192.0.2.7", 40123, "192.0.2.1", 443);
        if (!_overHttp) return;
        foreach (var header in BrowserRequest.Headers) AddHeader(header.Name, header.Value);
    }
}
