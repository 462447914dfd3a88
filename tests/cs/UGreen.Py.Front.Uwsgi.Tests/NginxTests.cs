using Xunit;

using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>The front behind a real nginx.</summary>
public sealed class NginxTests
{
    [NginxTheory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Get_head_and_keep_alive_on_the_clients_side(string way)
    {
        await using var site = await Site.StartAsync();
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal($"/{way}/a b\xe9|/{way}/a%20b%C3%A9?x=%20{i}|x=%20{i}|HTTP/1.1", await site.GetAsync($"{way}/a%20b%C3%A9?x=%20{i}", "echo"));
            using var head = await site.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"{way}/head"));
            Assert.Equal(12_345, head.Content.Headers.ContentLength);
        }

        Assert.Equal(1, site.Connections);
        Assert.DoesNotContain("[error]", site.Nginx.ErrorLog, StringComparison.Ordinal);
    }

    [NginxTheory]
    [InlineData("tcp", false)]
    [InlineData("unix", false)]
    [InlineData("tcp", true)]
    [InlineData("unbuffered", false)]
    [InlineData("unbuffered", true)]
    public async Task A_large_body_arrives(string way, bool chunked)
    {
        await using var site = await Site.StartAsync();
        var body = new byte[10 << 20];
        new Random(7).NextBytes(body);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{way}/sum") { Content = new ByteArrayContent(body) };
        request.Headers.TransferEncodingChunked = chunked;
        using var response = await site.Http.SendAsync(request);
        Assert.Equal($"{body.Length} {body.Sum(b => (long)b)} {body.Length}", await response.Content.ReadAsStringAsync());
    }

    [NginxTheory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_large_response_arrives(string way)
    {
        await using var site = await Site.StartAsync();
        Assert.Equal(32 << 20, (await site.Http.GetByteArrayAsync($"{way}/large")).Length);
    }

    [NginxTheory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_stream_arrives_piece_by_piece(string way)
    {
        await using var site = await Site.StartAsync();
        using var response = await site.Http.GetAsync($"{way}/stream", HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[100];
        for (var i = 0; i < 5; i++)
        {
            // The next piece is only made when this one has come.
            Assert.Equal(5, await stream.ReadAtLeastAsync(buffer, 5));
            site.Next.Release();
        }

        Assert.Equal(0, await stream.ReadAsync(buffer));
    }

    [NginxTheory]
    [InlineData("tcp", "abort")]
    [InlineData("tcp", "short")]
    [InlineData("unix", "short")]
    public async Task A_response_that_breaks_off_is_an_error(string way, string page)
    {
        await using var site = await Site.StartAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => site.Http.GetByteArrayAsync($"{way}/{page}"));
    }

    [NginxTheory]
    [InlineData("tcp")]
    [InlineData("unix")]
    [InlineData("unbuffered")]
    public async Task A_response_to_an_unread_upload_is_not_lost(string way)
    {
        await using var site = await Site.StartAsync();
        for (var i = 0; i < 5; i++)
        {
            using var whole = await UploadAsync(site, $"{way}/echo");
            Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
            site.Next.Release(5);
            using var streamed = await UploadAsync(site, $"{way}/stream");
            Assert.Equal(25, (await streamed.Content.ReadAsByteArrayAsync()).Length);
        }
    }

    /// <summary>
    /// On a connection of its own. When the response comes before the upload is read, nginx has already promised to keep the client's connection and then closes it, so
    /// that the next request on it would be lost between nginx and its client, which says nothing of our side.
    /// </summary>
    private static async Task<HttpResponseMessage> UploadAsync(Site site, string target)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new ByteArrayContent(new byte[5 << 20]) };
        request.Headers.ConnectionClose = true;
        return await site.Http.SendAsync(request);
    }

    [NginxTheory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_client_that_goes_away_is_noticed(string way)
    {
        await using var site = await Site.StartAsync();
        using var leave = new CancellationTokenSource();
        var request = site.Http.GetAsync($"{way}/wait", leave.Token);
        await site.Waiting.Task.WaitAsync(TestFront.Patience);
        leave.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await site.Gone.Task.WaitAsync(TestFront.Patience);
    }

    [NginxTheory]
    [InlineData("/tcp/a%0Ab", "HTTP/1.1 200 OK", "/tcp/a\nb|/tcp/a%0Ab|")]
    [InlineData("/tcp/vars", "HTTP/1.1 200 OK", "HTTP_UWSGI_FILE=/tmp/x;")]
    [InlineData("/tcp/vars", "HTTP/1.1 200 OK", "HTTP_X_LATIN=\xe9;")]
    [InlineData("/evil/vars", "HTTP/1.1 200 OK", "SCRIPT_NAME=/evil;")]
    [InlineData("/bare/vars", "HTTP/1.1 400 Bad Request", "no REQUEST_METHOD")]
    public async Task Odd_requests(string target, string status, string part)
    {
        await using var site = await Site.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, site.Nginx.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(System.Text.Encoding.Latin1.GetBytes($"GET {target} HTTP/1.1\r\nHost: x\r\nUWSGI-FILE: /tmp/x\r\nX-Latin: \xe9\r\nConnection: close\r\n\r\n"));
        var answer = await new StreamReader(stream, System.Text.Encoding.Latin1).ReadToEndAsync();
        Assert.StartsWith(status, answer, StringComparison.Ordinal);
        Assert.Contains(part, answer, StringComparison.Ordinal);
        Assert.DoesNotContain("evil.py", answer, StringComparison.Ordinal);
    }

    [NginxTheory]
    [InlineData("GET", 0)]
    [InlineData("POST", 5)]
    public async Task The_packets_that_nginx_makes_are_read_by_both_readers(string method, int length)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var site = await Site.StartAsync(((IPEndPoint)listener.LocalEndpoint).Port);
        using var request = new HttpRequestMessage(new HttpMethod(method), "raw/x?y") { Content = length > 0 ? new ByteArrayContent(new byte[length]) : null };
        request.Headers.Add("Cookie", new string('c', 3000));
        using var response = site.Http.SendAsync(request);
        using var connection = await listener.AcceptTcpClientAsync();
        var bytes = new byte[64 * 1024];
        var count = await connection.GetStream().ReadAtLeastAsync(bytes, 4);
        count += await connection.GetStream().ReadAtLeastAsync(bytes.AsMemory(count), 4 + bytes[1] + (256 * bytes[2]) + length - count);
        await connection.GetStream().WriteAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray());
        connection.Close();
        await response;

        var head = new UwsgiHead();
        var limits = new UwsgiLimits();
        var expected = SecondReader.Read(bytes[..count], limits)!;
        Assert.Equal(UwsgiEventKind.Request, new UwsgiCodec(limits).Read(new ReadOnlySequence<byte>(bytes, 0, count), head, out _).Kind);
        Assert.Equal(expected.Size + length, count);
        Assert.Equal(expected.Variables, head.Variables.ToArray().Select(v => (v.Name, v.Value)));
        Assert.Equal(length == 0 ? null : length, head.ContentLength);
        Assert.Contains(expected.Variables, v => v == ("PATH_INFO", "/raw/x"));
        Assert.DoesNotContain(expected.Variables, v => v.Name == "SCRIPT_NAME");
    }

    /// <summary>A front with pages, nginx before it, and a client that counts its connections.</summary>
    private sealed class Site : IAsyncDisposable
    {
        private TestFront _front = null!;

        public Nginx Nginx { get; private set; } = null!;

        public HttpClient Http { get; private set; } = null!;

        public int Connections { get; private set; }

        public SemaphoreSlim Next { get; } = new(0);

        public TaskCompletionSource Waiting { get; } = new();

        public TaskCompletionSource Gone { get; } = new();

        public static async Task<Site> StartAsync(int rawPort = 9)
        {
            var site = new Site();
            site._front = await TestFront.StartAsync(site.AnswerAsync);
            site.Nginx = await Nginx.StartAsync(site._front, rawPort);
            var handler = new SocketsHttpHandler
            {
                ConnectCallback = async (context, cancellation) =>
                {
                    site.Connections++;
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            };
            site.Http = new HttpClient(handler) { BaseAddress = new Uri($"http://127.0.0.1:{site.Nginx.Port}/"), Timeout = TestFront.Patience };
            return site;
        }

        public async Task<string> GetAsync(string target, string page)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, target);
            request.Headers.Add("X-Page", page);
            using var response = await Http.SendAsync(request);
            // The page's text is the UTF-8 path as latin-1 characters, sent as latin-1: what comes is the UTF-8 path.
            return System.Text.Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync());
        }

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await Nginx.DisposeAsync();
            await _front.DisposeAsync();
        }

        private async Task AnswerAsync(UwsgiExchange e)
        {
            e.Head.Status = 200;
            switch (Variable(e, "HTTP_X_PAGE") ?? Variable(e, "PATH_INFO")!.Split('/')[^1])
            {
                case "sum":
                    var sum = 0L;
                    var total = await FakeApplication.ReadBodyAsync(e, piece => sum += piece.ToArray().Sum(b => (long)b));
                    FakeApplication.Whole(e, string.Create(CultureInfo.InvariantCulture, $"{total} {sum} {e.ContentLength}"));
                    break;
                case "vars":
                    FakeApplication.Whole(e, string.Concat(e.Variables.ToArray().Select(v => $"{v.Name}={v.Value};")));
                    break;
                case "head":
                    e.Head.ContentLength = 12_345;
                    e.Complete(ExchangeOutcome.Whole);
                    break;
                case "stream":
                    await StreamAsync(e, 5, () => Next.WaitAsync());
                    e.Complete(ExchangeOutcome.Streamed);
                    break;
                case "large":
                    await StreamAsync(e, 512, () => Task.CompletedTask, new byte[64 * 1024]);
                    e.Complete(ExchangeOutcome.Streamed);
                    break;
                case "abort":
                    await StreamAsync(e, 3, () => Task.CompletedTask);
                    e.Complete(ExchangeOutcome.Aborted);
                    break;
                case "short":
                    e.Head.ContentLength = 100;
                    await StreamAsync(e, 3, () => Task.CompletedTask);
                    e.Complete(ExchangeOutcome.Aborted);
                    break;
                case "wait":
                    using (e.ClientGone.Register(Gone.SetResult))
                    {
                        Waiting.SetResult();
                        await Gone.Task;
                    }

                    e.Complete(ExchangeOutcome.Aborted);
                    break;
                default:
                    FakeApplication.Whole(e, $"{Variable(e, "PATH_INFO")}|{e.Target}|{Variable(e, "QUERY_STRING")}|{e.Protocol}");
                    break;
            }
        }

        private static async Task StreamAsync(UwsgiExchange e, int pieces, Func<Task> between, byte[]? piece = null)
        {
            e.StartStreaming();
            for (var i = 0; i < pieces; i++)
            {
                e.Output.Write(piece ?? "piece"u8.ToArray());
                await e.Output.FlushAsync();
                await between();
            }
        }

        private static string? Variable(UwsgiExchange e, string name) => e.Variables.ToArray().LastOrDefault(v => v.Name == name).Value;
    }
}
