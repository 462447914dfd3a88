using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace UGreen.Py.Front;

/// <summary>
/// HTTP/2 without TLS on the port of HTTP/1.1 (RFC 9113, section 3.3): looks at the first bytes of a connection, and tells Kestrel which of the two it is.
/// <para>
/// Without TLS Kestrel takes every connection of such a port for HTTP/1.1, because nobody negotiated. What was negotiated it learns from two features that a TLS
/// middleware sets, its own or another one; this middleware sets them when the client began with HTTP/2's preface. The exchange's scheme comes from the handshake
/// feature, which only real TLS sets.
/// </para>
/// </summary>
internal sealed class PriorKnowledge
{
    private readonly ConnectionDelegate _next;
    private readonly KestrelServerLimits _limits;

    /// <param name="next">Kestrel's HTTP.</param>
    /// <param name="limits">How long a connection may be silent: Kestrel's own clocks start only behind this middleware.</param>
    public PriorKnowledge(ConnectionDelegate next, KestrelServerLimits limits)
    {
        _next = next;
        _limits = limits;
    }

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        First first;
        try
        {
            first = await LookAsync(connection).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client left before it said anything.
            return;
        }

        switch (first)
        {
            case First.Nothing:
                return;
            case First.Http2:
                connection.Features.Set<ITlsConnectionFeature>(Cleartext.Instance);
                connection.Features.Set<ITlsApplicationProtocolFeature>(Cleartext.Instance);
                break;
            case First.MaybeOld:
                UnsizedRequestReader.Install(connection);
                break;
        }

        await _next(connection).ConfigureAwait(false);
    }

    /// <summary>True: begins with the whole preface; false: does not; null: the first bytes match so far.</summary>
    internal static bool? Match(ReadOnlySequence<byte> bytes)
    {
        var expected = Preface;
        foreach (var segment in bytes)
        {
            var part = segment.Span[..Math.Min(segment.Length, expected.Length)];
            if (!expected.StartsWith(part)) return false;
            expected = expected[part.Length..];
            if (expected.IsEmpty) return true;
        }

        return null;
    }

    /// <summary>What a connection begins with.</summary>
    private enum First
    {
        /// <summary>It was silent for too long, or was unused when the server stopped.</summary>
        Nothing,
        Http1,

        /// <summary>A request of HTTP/1.0, or one whose line is not whole.</summary>
        MaybeOld,
        Http2,
    }

    private async ValueTask<First> LookAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        SilenceClock? clock = null;
        // The usual case: the bytes are there already, and nothing is waited for.
        if (!input.TryRead(out var read))
        {
            clock = SilenceClock.Start(connection, _limits.KeepAliveTimeout);
            using var stop = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested
                .UnsafeRegister(static input => ((PipeReader)input!).CancelPendingRead(), input) ?? default;
            read = await input.ReadAsync().ConfigureAwait(false);
        }

        var match = Match(read.Buffer);
        if (match is null && !read.IsCompleted && !read.Buffer.IsEmpty)
        {
            // Part of a preface. One clock for all of it: a client that sends a byte now and then gains nothing.
            (clock ??= SilenceClock.Start(connection, _limits.RequestHeadersTimeout)).Restart(_limits.RequestHeadersTimeout);
            while (match is null && !read.IsCompleted && !read.IsCanceled)
            {
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await input.ReadAsync().ConfigureAwait(false);
                match = Match(read.Buffer);
            }
        }

        clock?.Stop();
        var isUnused = read.IsCanceled && read.Buffer.IsEmpty;
        var mayBeOld = match != true && UnsizedRequestReader.IsNeeded(read.Buffer);
        // Nothing is taken and nothing counts as seen: Kestrel's first read gets the same bytes at once.
        input.AdvanceTo(read.Buffer.Start);
        return isUnused ? First.Nothing : match == true ? First.Http2 : mayBeOld ? First.MaybeOld : First.Http1;
    }

    /// <summary>The features of a connection on which HTTP/2 was agreed on beforehand.</summary>
    private sealed class Cleartext : ITlsConnectionFeature, ITlsApplicationProtocolFeature
    {
        public static readonly Cleartext Instance = new();

        private static readonly ReadOnlyMemory<byte> s_http2 = "h2"u8.ToArray();

        public ReadOnlyMemory<byte> ApplicationProtocol => s_http2;

        /// <summary>Always null.</summary>
        public X509Certificate2? ClientCertificate
        {
            get => null;
            set { }
        }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult<X509Certificate2?>(null);
    }
}
