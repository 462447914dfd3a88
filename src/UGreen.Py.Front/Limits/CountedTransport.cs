using System.Net;
using Microsoft.AspNetCore.Connections;
using UGreen.Py.Front.Sockets;

namespace UGreen.Py.Front;

/// <summary>
/// A transport that counts the connections of all its listeners, and can stop accepting while what was accepted is served on.
/// <para>
/// Its listeners stop accepting while the budget is used up, so that new connections wait in the kernel's queue; Kestrel's own limit is one per socket, and closes what it
/// has just accepted. One connection per socket may be accepted beyond the limit; it is not served before there is room, or before the front stops accepting.
/// </para>
/// </summary>
internal sealed class CountedTransport(IConnectionListenerFactory transport, ConnectionBudget budget, IConnectionShare? share = null) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    // Filled while the server starts, one after the other.
    private readonly List<Listener> _listeners = [];

    public bool CanBind(EndPoint endpoint) => transport is not IConnectionListenerFactorySelector selector || selector.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = new Listener(await transport.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), budget, share);
        _listeners.Add(listener);
        return listener;
    }

    /// <summary>Nothing more is accepted when it returns. The task is done when each connection that was accepted until then is counted and given to Kestrel.</summary>
    public async Task StopAcceptingAsync()
    {
        // All at once: what is asked of the last one must not wait for the first.
        var unbound = _listeners.ConvertAll(listener => listener.UnbindAsync().AsTask());
        await Task.WhenAll(unbound).ConfigureAwait(false);
        await Task.WhenAll(_listeners.ConvertAll(listener => listener.Ended)).ConfigureAwait(false);
    }

    private sealed class Listener(IConnectionListener listener, ConnectionBudget budget, IConnectionShare? share) : IConnectionListener
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
                if (share is { IsAhead: true }) await LetOthersAsync(share).ConfigureAwait(false);
                if (await listener.AcceptAsync(cancellationToken).ConfigureAwait(false) is not { } connection) return null;
                await budget.EnterAsync().ConfigureAwait(false);
                isGoingOn = true;
                share?.Opened();
                return new CountedConnection(connection, budget, share);
            }
            finally
            {
                // Null or an exception: Kestrel does not ask again.
                if (!isGoingOn) _ended.TrySetResult();
            }
        }

        // Long enough for another process to take what has just come, and too short for anybody to notice when none does.
        private static async Task LetOthersAsync(IConnectionShare share)
        {
            const int looks = 4;
            using var millisecond = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
            for (var i = 0; i < looks && share.IsAhead; i++) await millisecond.WaitForNextTickAsync().ConfigureAwait(false);
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
