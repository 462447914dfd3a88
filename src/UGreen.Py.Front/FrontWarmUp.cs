using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Front.Uwsgi;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>
/// Serves a few requests of its own, by a front of its own whose address only this process knows, while Python loads the application: the code on a request's way is then loaded and compiled
/// before the first client comes, whom that would cost some 40 ms.
/// </summary>
public static class FrontWarmUp
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);

    /// <summary>Runs it. Never throws: it is nobody's loss when it does not work.</summary>
    /// <param name="options">Those of the front that clients will use; what has TLS is left out.</param>
    /// <param name="logger">Told why it did not work, for debugging.</param>
    /// <returns>How many requests were answered.</returns>
    public static async Task<int> RunAsync(HttpFrontOptions options, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (http, uwsgi) = (Name("http"), Name("uwsgi"));
        var settings = new HttpFrontOptions(options.Endpoints.Any(e => e.Tls is null) ? [HttpEndpoint.Parse(http)] : [])
        {
            UwsgiEndpoints = options.UwsgiEndpoints.Count > 0 ? [UwsgiEndpoint.Parse(uwsgi)] : [],
            Uwsgi = options.Uwsgi,
            Limits = options.Limits with { Connections = null },
        };
        if (settings.Endpoints.Count + settings.UwsgiEndpoints.Count == 0) return 0;

        try
        {
            using var limit = new CancellationTokenSource(s_limit);
            await using var front = new HttpFront(settings, new Answers(), null, NullLoggerFactory.Instance);
            await front.StartAsync().ConfigureAwait(false);
            var answers = 0;
            if (settings.Endpoints.Count > 0) answers += await AskAsync(http, HttpRequests(), limit.Token).ConfigureAwait(false);
            if (settings.UwsgiEndpoints.Count > 0) answers += await AskAsync(uwsgi, UwsgiRequest(), limit.Token).ConfigureAwait(false);
            return answers;
        }
#pragma warning disable CA1031 // as said above
        catch (Exception error)
#pragma warning restore CA1031
        {
            FrontLog.NotWarm(logger, error.Message);
            return 0;
        }
    }

    /// <summary>In Linux's abstract namespace: it leaves no file, and nobody else has it.</summary>
    private static string Name(string protocol) => string.Create(CultureInfo.InvariantCulture, $"@ugreen-py-{Environment.ProcessId}-{protocol}-{Guid.NewGuid():N}");

    private static async Task<int> AskAsync(string name, byte[] requests, CancellationToken limit)
    {
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint("\0" + name[1..]), limit).ConfigureAwait(false);
        await client.SendAsync(requests, limit).ConfigureAwait(false);
        // Until its end, which the last request asks for.
        var answers = new byte[4096];
        var length = 0;
        while (await client.ReceiveAsync(answers.AsMemory(length), limit).ConfigureAwait(false) is > 0 and var count) length += count;
        return answers.AsSpan(0, length).Count("HTTP/1.1 200 OK"u8);
    }

    private static byte[] HttpRequests()
    {
        const string Headers = "Host: localhost\r\nUser-Agent: ugreen-py\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nCookie: a=b\r\n";
        return Encoding.ASCII.GetBytes($"GET /?a=b HTTP/1.1\r\n{Headers}\r\nPOST / HTTP/1.1\r\n{Headers}Content-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n\r\n.");
    }

    private static byte[] UwsgiRequest()
    {
        const int HeaderBytes = 4;
        string[] variables = ["REQUEST_METHOD", "GET", "REQUEST_URI", "/?a=b", "PATH_INFO", "/", "QUERY_STRING", "a=b", "SERVER_PROTOCOL", "HTTP/1.1", "HTTP_HOST", "localhost", "REMOTE_ADDR", "127.0.0.1"];
        var packet = new List<byte>(new byte[HeaderBytes]);
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        foreach (var text in variables)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)text.Length);
            packet.AddRange(length);
            packet.AddRange(Encoding.ASCII.GetBytes(text));
        }

        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)(packet.Count - HeaderBytes));
        (packet[1], packet[2]) = (length[0], length[1]);
        return [.. packet];
    }

    /// <summary>What an application is to a front: it answers later, from another thread.</summary>
    private sealed class Answers : IGatewayApplication
    {
        public void Submit(GatewayExchange exchange) => ThreadPool.UnsafeQueueUserWorkItem(
            static exchange =>
            {
                exchange.Head.Status = 200;
                exchange.Head.Add("Content-Type", "text/plain");
                exchange.SetWholeBody(1)[0] = (byte)'.';
                exchange.Complete(ExchangeOutcome.Whole);
            },
            exchange,
            preferLocal: false);
    }
}
