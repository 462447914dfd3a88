using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.Native;

namespace UGreen.Py.Front.Sockets;

/// <summary>
/// Listening sockets that several processes share: the master opens them, a worker adopts their descriptors and serves on them without binding.
/// <para>
/// A front gets sockets that do not own their descriptor. When .NET disposes a socket that it owns it may, for blocking calls, call shutdown(2), and that would
/// end the listening of every process; here a descriptor is only ever closed. A socket file is removed by the set that opened it, never by one that adopted it.
/// </para>
/// </summary>
public sealed class ListenerSet : IDisposable
{
    private readonly List<SafeFileHandle> _adopted = [];
    private readonly Dictionary<EndPoint, int> _descriptors = new(ReferenceEqualityComparer.Instance);
    private readonly ListeningSockets? _opened;
    private readonly List<EndPoint> _keys = [];

    private ListenerSet(ListeningSockets? opened) => _opened = opened;

    /// <summary>The descriptors, in the order of the HTTP endpoints and then of the uwsgi endpoints.</summary>
    public IReadOnlyList<int> Descriptors { get; private set; } = [];

    /// <summary>Where the sockets really listen, in the same order, as <see cref="HttpFront.Addresses"/> has it.</summary>
    public IReadOnlyList<string> Addresses { get; private set; } = [];

    internal IReadOnlyList<EndPoint> Keys => _keys;

    /// <summary>Opens all sockets of the options.</summary>
    /// <exception cref="FrontException">An address cannot be bound, or a certificate cannot be used; nothing listens then.</exception>
    public static async Task<ListenerSet> OpenAsync(HttpFrontOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var sockets = new ListeningSockets(options.Backlog, options.SocketMode);
        var set = new ListenerSet(sockets);
        try
        {
            foreach (var endpoint in options.Endpoints)
            {
                // Checked before anybody can connect; each worker loads it again for itself.
                if (endpoint.Tls?.Load() is var (certificate, _)) certificate.Dispose();
                set._keys.Add(await sockets.OpenAsync(endpoint.Address, cancellation).ConfigureAwait(false));
            }

            foreach (var endpoint in options.UwsgiEndpoints) set._keys.Add(await sockets.OpenAsync(endpoint.Address, cancellation).ConfigureAwait(false));
            set.Complete(options, [.. set._keys.Select(key => (int)sockets.Take(key).Handle)]);
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Takes over descriptors that another process opened for the same options. They belong to the set from now on.</summary>
    /// <exception cref="FrontException">There are not as many as endpoints, or one is not an open socket.</exception>
    public static ListenerSet Adopt(HttpFrontOptions options, IReadOnlyList<int> descriptors)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(descriptors);
        var endpoints = options.Endpoints.Count + options.UwsgiEndpoints.Count;
        if (descriptors.Count != endpoints) throw new FrontException($"{descriptors.Count} listening sockets were handed down for {endpoints} addresses");
        var set = new ListenerSet(null);
        foreach (var fd in descriptors) set._keys.Add(AddressOf(fd));
        foreach (var fd in descriptors)
        {
            set._adopted.Add(new SafeFileHandle(fd, ownsHandle: true));
            OwnDescriptors.AddListening(fd);
        }

        set.Complete(options, [.. descriptors]);
        return set;
    }

    /// <summary>Closes this process's descriptors.</summary>
    public void Dispose()
    {
        foreach (var handle in _adopted)
        {
            OwnDescriptors.RemoveListening((int)handle.DangerousGetHandle());
            handle.Dispose();
        }


        _opened?.Dispose();
    }

    /// <summary>
    /// What Kestrel's transport asks for: an object whose end closes nothing. One front in the life of a set: a descriptor that .NET does not own stays registered with its
    /// epoll, and a second registration fails when the second front first has to wait, where nobody sees it.
    /// </summary>
    internal Socket Take(EndPoint key)
    {
        if (!_descriptors.Remove(key, out var fd)) throw new InvalidOperationException("these listening sockets have served a front already; adopt duplicates for another one");
        return new Socket(new SafeSocketHandle((nint)fd, ownsHandle: false));
    }

    private static EndPoint AddressOf(int fd)
    {
        try
        {
            using var look = new Socket(new SafeSocketHandle((nint)fd, ownsHandle: false));
            if (look.LocalEndPoint is { } address) return address;
        }
        catch (SocketException)
        {
            // Not open; said below like everything else that it may be.
        }

        throw new FrontException($"file descriptor {fd} was handed down as a listening socket, and is none");
    }

    private void Complete(HttpFrontOptions options, int[] descriptors)
    {
        Descriptors = descriptors;
        var schemes = options.Endpoints.Select(e => e.Scheme).Concat(options.UwsgiEndpoints.Select(_ => "uwsgi")).ToList();
        Addresses = [.. _keys.Select((key, i) => HttpFront.Text(schemes[i], key))];
        for (var i = 0; i < descriptors.Length; i++) _descriptors.Add(_keys[i], descriptors[i]);
    }
}
