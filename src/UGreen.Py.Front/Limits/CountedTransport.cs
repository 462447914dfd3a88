using System.Net;
using Microsoft.AspNetCore.Connections;

namespace UGreen.Py.Front;

/// <summary>
/// A transport that counts the connections of all its listeners, and can stop accepting while what was accepted is served on.
/// <para>
/// Its listeners stop accepting while the budget is used up, so that new connections wait in the kernel's queue; Kestrel's own limit is one per socket, and closes what it
/// has just accepted. One connection per socket may be accepted beyond the limit; it is not served before there is room, or before the front stops accepting.
/// </para>
/// </summary>
internal sealed class CountedTransport(IConnectionListenerFactory transport, ConnectionBudget budget) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    // Filled while the server starts, one after the other.
    private readonly List<Listener> _listeners = [];

    public bool CanBind(EndPoint endpoint) => transport is not IConnectionListenerFactorySelector selector || selector.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = new Listener(await transport.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), budget);
        _listeners.Add(listener);
        return listener;
    }

    /// <summary>Closes the listeners before it returns. The task is done when each connection that was accepted until then is counted and given to Kestrel.</summary>
    public async Task StopAcceptingAsync()
    {
        foreach (var listener in _listeners) await listener.UnbindAsync().ConfigureAwait(false);
        foreach (var listener in _listeners) await listener.Ended.ConfigureAwait(false);
    }

    private sealed class Listener(IConnectionListener listener, ConnectionBudget budget) : IConnectionListener
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => listener.EndPoint;

        /// <summary>Done when nothing more is accepted.</summary>
        public Task Ended => _ended.Task;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            var isGoingOn = false;
            try
            {
                if (await listener.AcceptAsync(cancellationToken).ConfigureAwait(false) is not { } connection) return null;
                await budget.EnterAsync().ConfigureAwait(false);
                isGoingOn = true;
                return new CountedConnection(connection, budget);
            }
            finally
            {
                // Null or an exception: Kestrel does not ask again.
                if (!isGoingOn) _ended.TrySetResult();
            }
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await listener.UnbindAsync(cancellationToken).ConfigureAwait(false);
            // A connection that was accepted and waits for its place is nobody else's any more: it is served beyond the limit.
            budget.LiftLimit();
        }

        public async ValueTask DisposeAsync()
        {
            await listener.DisposeAsync().ConfigureAwait(false);
            budget.LiftLimit();
        }
    }
}
