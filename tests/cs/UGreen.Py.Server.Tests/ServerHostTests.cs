using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Front;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests;

public sealed class ServerHostTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<(string Signal, int Code)> _atOnce = [];
    private readonly StopSignals _signals;
    private readonly Announcements _announced = new();
    private readonly HttpClient _http = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("server-host-");

    public ServerHostTests() => _signals = new StopSignals((signal, code) => _atOnce.Add((signal, code)));

    [Fact]
    public async Task Serves_and_stops_gracefully()
    {
        var worker = new FakeWorker { Hold = new TaskCompletionSource() };
        var run = Host(worker).RunAsync();
        var address = await _announced.AddressAsync();

        var answer = _http.GetStringAsync(new Uri(address));
        await worker.Entered.Task.WaitAsync(Patience);
        _signals.Receive(PosixSignal.SIGTERM);
        worker.Hold.SetResult();

        Assert.Equal("hello", await answer.WaitAsync(Patience));
        Assert.Equal(0, await run.WaitAsync(Patience));
        Assert.InRange(worker.StoppedWith!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        Assert.Empty(_atOnce);
    }

    [Fact]
    public async Task The_application_may_end_its_requests_before_anything_waits_for_them()
    {
        var hold = new TaskCompletionSource();
        var worker = new FakeWorker { Hold = hold, Draining = hold.SetResult };
        var run = Host(worker).RunAsync();
        var address = await _announced.AddressAsync();

        var answer = _http.GetStringAsync(new Uri(address));
        await worker.Entered.Task.WaitAsync(Patience);
        _signals.Request("uwsgi.stop()");

        Assert.Equal("hello", await answer.WaitAsync(Patience));
        Assert.Equal(0, await run.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_request_to_stop_that_comes_too_early_is_kept()
    {
        _signals.Request("uwsgi.stop()");
        Assert.False(_signals.Requested.IsCompleted);
        _signals.BeginGraceful();
        Assert.Equal("uwsgi.stop()", await _signals.Requested.WaitAsync(Patience));
        _signals.Receive(PosixSignal.SIGTERM);
        Assert.Empty(_atOnce);
    }

    [Fact]
    public async Task The_start_block_is_short_and_aligned()
    {
        var run = Host(new FakeWorker()).RunAsync();
        var address = await _announced.AddressAsync();
        _signals.Receive(PosixSignal.SIGINT);
        await run.WaitAsync(Patience);

        var expected = $"""
            ugreen-py {StartBlock.Version}
              python       3.11.2
              engine       ugreen, direct switch
              cores        100, 4096 KiB stack each
              spawn cores  1000, 1672 KiB stack each
              application  app:application
              pid          {Environment.ProcessId}
            listening on {address}

            """;
        Assert.Equal(expected, _announced.Text);
    }

    [Fact]
    public async Task A_request_before_the_worker_is_ready_waits()
    {
        var ready = new TaskCompletionSource();
        // A path, because it is known before the server listens and nobody else can be given it.
        var path = Path.Combine(_folder.FullName, "socket");
        var worker = new FakeWorker { Start = () => ready.Task };
        var run = Host(worker, path).RunAsync();

        await using var stream = await ConnectAsync(path);
        await stream.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
        Assert.Equal("", _announced.Text);
        ready.SetResult();

        using var reader = new StreamReader(stream);
        Assert.EndsWith("hello", await reader.ReadToEndAsync().WaitAsync(Patience), StringComparison.Ordinal);
        _signals.Receive(PosixSignal.SIGTERM);
        await run.WaitAsync(Patience);
    }

    [Fact]
    public async Task An_application_that_cannot_be_loaded_ends_the_start()
    {
        var worker = new FakeWorker { Start = () => Task.FromException(new StartupException("no module named 'app'")) };

        var error = await Assert.ThrowsAsync<StartupException>(() => Host(worker).RunAsync());

        Assert.Equal("no module named 'app'", error.Message);
        Assert.Equal("", _announced.Text);
    }

    [Fact]
    public async Task An_address_in_use_is_told_though_the_worker_still_loads()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var worker = new FakeWorker { Start = () => new TaskCompletionSource().Task };

        var error = await Assert.ThrowsAsync<FrontException>(() => Host(worker, taken.LocalEndpoint.ToString()!).RunAsync().WaitAsync(Patience));

        Assert.Contains("already in use", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_death_of_the_hub_ends_the_process_with_1()
    {
        var worker = new FakeWorker();
        var run = Host(worker).RunAsync();
        await _announced.AddressAsync();

        worker.Die(new InvalidOperationException("broken"));

        Assert.Equal(1, await run.WaitAsync(Patience));
    }

    [Theory]
    [InlineData(PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGQUIT, 131)]
    public void A_second_signal_means_at_once(PosixSignal signal, int code)
    {
        _signals.BeginGraceful();
        _signals.Receive(PosixSignal.SIGTERM);
        Assert.Empty(_atOnce);

        _signals.Receive(signal);

        Assert.Equal([(signal.ToString(), code)], _atOnce);
    }

    // timeout(1) and supervisors send it to the process and to its group.
    [Fact]
    public void A_second_SIGTERM_changes_nothing()
    {
        _signals.BeginGraceful();
        _signals.Receive(PosixSignal.SIGTERM);
        _signals.Receive(PosixSignal.SIGTERM);

        Assert.Empty(_atOnce);
    }

    [Fact]
    public void SIGQUIT_and_any_signal_before_ready_mean_at_once()
    {
        _signals.Receive(PosixSignal.SIGINT);
        _signals.BeginGraceful();
        _signals.Receive(PosixSignal.SIGQUIT);

        Assert.Equal([("SIGINT", 130), ("SIGQUIT", 131)], _atOnce);
    }

    [Fact]
    public void The_shim_is_found_above_the_executable_or_where_the_variable_says()
    {
        var surroundings = new Surroundings(_ => null, path => path == "/opt/ugreen/python/uwsgi_shim", _ => false);
        var told = surroundings with { Environment = _ => "/opt/ugreen/python/uwsgi_shim" };

        Assert.Equal("/opt/ugreen/python/uwsgi_shim", ShimLocator.Find(surroundings, "/opt/ugreen/src/bin/Release/"));
        Assert.Equal("/opt/ugreen/python/uwsgi_shim", ShimLocator.Find(told, "/elsewhere"));
        Assert.Throws<StartupException>(() => ShimLocator.Find(surroundings, "/elsewhere/bin"));
        Assert.Throws<StartupException>(() => ShimLocator.Find(surroundings with { Environment = _ => "/wrong" }, "/opt/ugreen"));
    }

    public void Dispose()
    {
        _http.Dispose();
        _signals.Dispose();
        _folder.Delete(recursive: true);
    }

    private ServerHost Host(IWorker worker, string address = "127.0.0.1:0")
    {
        var options = new ServerOptions { Applications = [new Wsgi.WsgiMount("", "app", null, "application")], Http = [HttpEndpoint.Parse(address)] };
        return new ServerHost(options, worker, null, _signals, NullLoggerFactory.Instance, _announced, TimeProvider.System);
    }

    // The socket is bound some moments after the host began; until then a connection is refused at once, so this is a short wait by trying.
    private static async Task<NetworkStream> ConnectAsync(string path)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), deadline.Token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException)
            {
                socket.Dispose();
                deadline.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    /// <summary>What the server says of itself, and the moment at which it does.</summary>
    private sealed class Announcements : StringWriter
    {
        private readonly Channel<string> _flushed = Channel.CreateUnbounded<string>();

        public string Text => GetStringBuilder().ToString();

        public override void Flush() => _flushed.Writer.TryWrite(Text);

        public async Task<string> AddressAsync()
        {
            var text = await _flushed.Reader.ReadAsync().AsTask().WaitAsync(Patience);
            return text[(text.IndexOf("http://", StringComparison.Ordinal))..].TrimEnd();
        }
    }
}
