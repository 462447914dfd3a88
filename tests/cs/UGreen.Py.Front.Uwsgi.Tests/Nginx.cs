using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>
/// A real nginx with Debian's uwsgi_params before a <see cref="TestFront"/>: <c>/tcp/…</c> and <c>/unix/…</c> lead to the two sockets of the front, <c>/raw/…</c> to
/// another address. Its files are in a temporary folder; it ends with the object.
/// </summary>
internal sealed class Nginx : IAsyncDisposable
{
    public const string Program = "/usr/sbin/nginx";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nginx-");
    private readonly Process _process;

    private Nginx(int port, string tcp, string unix, string raw)
    {
        Port = port;
        File.WriteAllText(Path.Combine(_folder.FullName, "nginx.conf"), Configuration(port, tcp, unix, raw));
        var start = new ProcessStartInfo(Program) { ArgumentList = { "-p", _folder.FullName, "-c", "nginx.conf", "-e", Path.Combine(_folder.FullName, "error.log") } };
        _process = Process.Start(start)!;
    }

    public int Port { get; }

    public string ErrorLog => File.ReadAllText(Path.Combine(_folder.FullName, "error.log"));

    public static async Task<Nginx> StartAsync(TestFront front, int rawPort = 9)
    {
        var nginx = new Nginx(FreePort(), $"127.0.0.1:{front.Port}", $"unix:{front.SocketPath}", $"127.0.0.1:{rawPort}");
        using var deadline = new CancellationTokenSource(TestFront.Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, nginx.Port, deadline.Token);
                return nginx;
            }
            catch (SocketException) when (!nginx._process.HasExited)
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    // Below those that the kernel chooses: of them, any other socket of the machine could be given the same one before nginx binds it.
    private static int FreePort()
    {
        var first = int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split()[0], CultureInfo.InvariantCulture);
        for (var tries = 0; tries < 1000; tries++)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Any, RandomNumberGenerator.GetInt32(Math.Max(1024, first - 20_000), first));
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // In use: the next one.
            }
        }

        throw new InvalidOperationException($"no port below {first} is free");
    }

    // One process, in the foreground: what was started is what is stopped.
    private static string Configuration(int port, string tcp, string unix, string raw) => $$"""
        {{(Environment.UserName == "root" ? "user root;" : "")}}
        daemon off;
        master_process off;
        pid nginx.pid;
        events { worker_connections 256; }
        http {
            access_log off;
            client_max_body_size 0;
            client_body_temp_path body;
            uwsgi_temp_path uwsgi;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            scgi_temp_path scgi;
            include /etc/nginx/uwsgi_params;
            uwsgi_read_timeout 20s;
            uwsgi_buffering off;
            server {
                listen 127.0.0.1:{{port}};
                location /tcp/ { uwsgi_pass {{tcp}}; }
                location /unix/ { uwsgi_pass {{unix}}; }
                location /unbuffered/ { uwsgi_pass {{tcp}}; uwsgi_request_buffering off; }
                location /raw/ { uwsgi_pass {{raw}}; }
                # uwsgi_param lines of its own take the place of the inherited ones.
                location /bare/ { uwsgi_pass {{tcp}}; uwsgi_param X y; }
                location /evil/ { uwsgi_pass {{tcp}}; include /etc/nginx/uwsgi_params; uwsgi_param UWSGI_FILE /tmp/evil.py; uwsgi_param SCRIPT_NAME /evil; }
            }
        }
        """;
}
