using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>Kestrel with the uwsgi handler on a TCP port of the kernel's choice and on a unix socket.</summary>
internal sealed class TestFront : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly KestrelServer _server;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uwsgi-");

    private TestFront(IGatewayApplication application, UwsgiFrontOptions options)
    {
        SocketPath = Path.Combine(_folder.FullName, "app.sock");
        var handler = new UwsgiConnectionHandler(application, options, Log, TimeProvider.System);
        var kestrel = new KestrelServerOptions();
        UwsgiEndpoint.Listen(kestrel, new IPEndPoint(IPAddress.Loopback, 0), handler);
        UwsgiEndpoint.Listen(kestrel, new UnixDomainSocketEndPoint(SocketPath), handler);
        _server = new KestrelServer(Options.Create(kestrel), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), Log), Log);
    }

    public LogLines Log { get; } = new();

    public int Port { get; private set; }

    public string SocketPath { get; }

    public static Task<TestFront> StartAsync(Action<UwsgiExchange> answer, UwsgiFrontOptions? options = null)
        => StartAsync(
            e =>
            {
                answer(e);
                return Task.CompletedTask;
            },
            options);

    public static Task<TestFront> StartAsync(Func<UwsgiExchange, Task> answer, UwsgiFrontOptions? options = null) => StartAsync(new FakeApplication(answer), options);

    public static async Task<TestFront> StartAsync(IGatewayApplication application, UwsgiFrontOptions? options = null)
    {
        var front = new TestFront(application, options ?? new UwsgiFrontOptions());
        await front._server.StartAsync(new NoHttp(), CancellationToken.None);
        var addresses = front._server.Features.Get<IServerAddressesFeature>()!.Addresses;
        front.Port = new Uri(addresses.First(a => !a.Contains("unix", StringComparison.Ordinal))).Port;
        return front;
    }

    public async Task<Client> ConnectAsync(bool unix = false, int? receiveBufferBytes = null)
    {
        var socket = unix ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (receiveBufferBytes is { } bytes) socket.ReceiveBufferSize = bytes;
        await socket.ConnectAsync(unix ? new UnixDomainSocketEndPoint(SocketPath) : new IPEndPoint(IPAddress.Loopback, Port));
        return new Client(socket);
    }

    public Task StopAsync(CancellationToken giveUp) => _server.StopAsync(giveUp);

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(new CancellationToken(canceled: true));
        _server.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Nothing may get past the uwsgi handler to Kestrel's HTTP.</summary>
    private sealed class NoHttp : IHttpApplication<IFeatureCollection>
    {
        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => throw new InvalidOperationException("HTTP on a uwsgi socket");

        public Task ProcessRequestAsync(IFeatureCollection context) => Task.CompletedTask;

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
        }
    }
}
