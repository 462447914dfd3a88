using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace UGreen.Py.Front.Transport;

/// <summary>A connection that is none: Kestrel puts its features around it and calls the socket's delegate with it, see <see cref="DirectTransport"/>. No byte passes.</summary>
internal sealed class TemplateConnection : ConnectionContext
{
    public override string ConnectionId { get; set; } = "template";

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    public override IDuplexPipe Transport
    {
        get => throw new NotSupportedException("the template has no bytes");
        set => throw new NotSupportedException("the template has no bytes");
    }

    /// <summary>Nothing is open.</summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
    }
}
