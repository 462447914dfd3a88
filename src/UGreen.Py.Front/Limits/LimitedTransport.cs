using System.Net;
using Microsoft.AspNetCore.Connections;

namespace UGreen.Py.Front;

/// <summary>
/// A transport whose listeners stop accepting while the budget is used up, so that new connections wait in the kernel's queue; Kestrel's own limit is one per socket, and
/// closes what it has just accepted. One connection per socket may be accepted beyond the limit; it is not served before there is room.
/// </summary>
internal sealed class LimitedTransport(IConnectionListenerFactory transport, ConnectionBudget budget) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => transport is not IConnectionListenerFactorySelector selector || selector.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        => new Listener(await transport.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), budget);

    private sealed class Listener(IConnectionListener listener, ConnectionBudget budget) : IConnectionListener
    {
        private readonly TaskCompletionSource _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => listener.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (await listener.AcceptAsync(cancellationToken).ConfigureAwait(false) is not { } connection) return null;
            var place = budget.EnterAsync();
            if (!place.IsCompletedSuccessfully)
            {
                if (await Task.WhenAny(place, _unbound.Task).ConfigureAwait(false) != place)
                {
                    // The server stops: nobody will serve it. Should its place still come, it is handed on.
                    _ = place.ContinueWith(static (_, budget) => ((ConnectionBudget)budget!).Leave(), budget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                    await connection.DisposeAsync().ConfigureAwait(false);
                    return null;
                }
            }

            return new CountedConnection(connection, budget);
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.TrySetResult();
            await listener.UnbindAsync(cancellationToken).ConfigureAwait(false);
        }

        public ValueTask DisposeAsync()
        {
            _unbound.TrySetResult();
            return listener.DisposeAsync();
        }
    }
}
