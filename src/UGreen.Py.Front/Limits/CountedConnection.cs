using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using UGreen.Py.Front.Sockets;

namespace UGreen.Py.Front;

/// <summary>A connection that gives its place back when its socket is closed.</summary>
internal sealed class CountedConnection(ConnectionContext connection, ConnectionBudget budget, IConnectionShare? share) : ConnectionContext
{
    private int _isDisposed;

    public override string ConnectionId
    {
        get => connection.ConnectionId;
        set => connection.ConnectionId = value;
    }

    public override IFeatureCollection Features => connection.Features;

    public override IDictionary<object, object?> Items
    {
        get => connection.Items;
        set => connection.Items = value;
    }

    public override IDuplexPipe Transport
    {
        get => connection.Transport;
        set => connection.Transport = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => connection.ConnectionClosed;
        set => connection.ConnectionClosed = value;
    }

    public override EndPoint? LocalEndPoint
    {
        get => connection.LocalEndPoint;
        set => connection.LocalEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => connection.RemoteEndPoint;
        set => connection.RemoteEndPoint = value;
    }

    public override void Abort() => connection.Abort();

    public override void Abort(ConnectionAbortedException abortReason) => connection.Abort(abortReason);

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            await base.DisposeAsync().ConfigureAwait(false);
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                budget.Leave();
                share?.Closed();
            }
        }
    }
}
