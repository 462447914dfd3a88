using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Logs;

/// <summary>
/// A line format of the operator's own, as uWSGI's <c>--log-format</c>: <c>%(name)</c> stands for a variable, <c>%%</c> for a percent sign. Read once, into pieces. A name
/// that is none of <see cref="Names"/> is a variable that the application may set; what is empty or unknown is shown as "-".
/// </summary>
public sealed class LogFormat : IRequestFormat
{
    /// <summary>Longest format in bytes. With <see cref="LineBytes"/> there is room for its variables.</summary>
    public const int MaxBytes = 4096;

    /// <summary>Longest line; what does not fit is cut.</summary>
    public const int LineBytes = 16 * 1024;

    private const string VarPrefix = "var.";

    [ThreadStatic]
    private static byte[]? t_line;

    private readonly LogPiece[] _pieces;
    private readonly MemoryFigures _memory = new();
    private readonly int _worker;

    private LogFormat(LogPiece[] pieces, int worker)
    {
        _pieces = pieces;
        _worker = worker;
    }

    /// <summary>False: every line is the same text, which is hardly what was meant.</summary>
    public bool HasVariables => _pieces.Any(piece => piece.Kind != LogVariable.Literal);

    /// <summary>The variables that the server knows, <c>var.NAME</c> apart.</summary>
    public static IEnumerable<string> Names => s_names.Keys;

    private static readonly FrozenDictionary<string, LogVariable> s_names =
        Enum.GetValues<LogVariable>().Where(v => v > LogVariable.Var).ToFrozenDictionary(v => v.ToString().ToLowerInvariant().Replace("vszm", "vszM").Replace("rssm", "rssM"), StringComparer.Ordinal);

    /// <param name="text">The format.</param>
    /// <param name="worker">What <c>%(wid)</c> shows.</param>
    /// <exception cref="FrontException">It is malformed; the message says where, positions count from 1.</exception>
    public static LogFormat Parse(string text, int worker)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Encoding.UTF8.GetByteCount(text) > MaxBytes) throw new FrontException(string.Create(CultureInfo.InvariantCulture, $"the format is longer than {MaxBytes} bytes"));

        var pieces = new List<LogPiece>();
        var literal = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            // A line break would let one request have two lines.
            if (char.IsControl(text[i]) && text[i] != '\t') throw Malformed(text, i, "is a control character");
            if (text[i] != '%' || i + 1 == text.Length || text[i + 1] is not ('(' or '%'))
            {
                literal.Append(text[i]);
                continue;
            }

            if (text[++i] == '%')
            {
                literal.Append('%');
                continue;
            }

            var end = text.IndexOf(')', i);
            if (end < 0) throw Malformed(text, i - 1, "is not closed by ')'");
            if (end == i + 1) throw Malformed(text, i - 1, "names no variable");
            AddLiteral(pieces, literal);
            pieces.Add(Variable(text[(i + 1)..end]));
            i = end;
        }

        AddLiteral(pieces, literal);
        return new LogFormat([.. pieces], worker);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Format(scoped in RequestEntry entry)
    {
        var buffer = t_line ??= new byte[LineBytes];
        var line = new LineWriter(buffer);
        foreach (ref readonly var piece in _pieces.AsSpan())
        {
            switch (piece.Kind)
            {
                case LogVariable.Literal: line.Put(piece.Bytes); break;
                case LogVariable.LogVar: line.PutText(entry.Exchange.LogNotes?.Find(piece.Bytes)); break;
                case LogVariable.Var: piece.Variable!.Write(entry.Exchange, ref line); break;
                case LogVariable.Addr: line.PutText(entry.Address); break;
                case <= LogVariable.Aborted: line.PutText(Text(piece.Kind, entry)); break;
                case LogVariable.LTime or LogVariable.FTime or LogVariable.CTime: PutTime(piece.Kind, entry, ref line); break;
                case LogVariable.Core when entry.Exchange.Core < 0: line.Put("-"u8); break;
                default: line.PutNumber(Number(piece.Kind, entry)); break;
            }
        }

        return buffer.AsSpan(0, line.End());
    }

    private static FrontException Malformed(string text, int index, string what)
        => new(string.Create(CultureInfo.InvariantCulture, $"{(text[index] == '%' ? "'%('" : "what stands")} at position {index + 1} {what}"));

    private static void AddLiteral(List<LogPiece> pieces, StringBuilder literal)
    {
        if (literal.Length == 0) return;
        pieces.Add(new LogPiece(LogVariable.Literal, Encoding.UTF8.GetBytes(literal.ToString()), null));
        literal.Clear();
    }

    private static LogPiece Variable(string name)
    {
        if (s_names.TryGetValue(name, out var known)) return new LogPiece(known, [], null);
        return name.StartsWith(VarPrefix, StringComparison.Ordinal)
            ? new LogPiece(LogVariable.Var, [], new RequestVariable(name[VarPrefix.Length..]))
            : new LogPiece(LogVariable.LogVar, Encoding.UTF8.GetBytes(name), null);
    }

    private static string? Text(LogVariable kind, in RequestEntry entry) => kind switch
    {
        LogVariable.Uri => entry.Exchange.Target,
        LogVariable.Method => entry.Exchange.Method,
        LogVariable.User => RequestVariable.Among(entry.Exchange.Variables, "REMOTE_USER"),
        LogVariable.Host => RequestVariable.Header(entry.Exchange, "Host", "HTTP_HOST"),
        LogVariable.Proto => entry.Exchange.Protocol,
        LogVariable.UAgent => RequestVariable.Header(entry.Exchange, "User-Agent", "HTTP_USER_AGENT"),
        LogVariable.Referer => RequestVariable.Header(entry.Exchange, "Referer", "HTTP_REFERER"),
        _ => entry.Aborted ? "aborted" : null,
    };

    private static void PutTime(LogVariable kind, in RequestEntry entry, ref LineWriter line)
    {
        // TimeZoneInfo.ConvertTime would allocate.
        var start = entry.Start;
        start = start.ToOffset(entry.Time.LocalTimeZone.GetUtcOffset(start));
        if (kind == LogVariable.CTime)
        {
            // As C's ctime(): the day has two places.
            line.PutTime(start, start.Day < 10 ? "ddd MMM  d HH:mm:ss yyyy" : "ddd MMM d HH:mm:ss yyyy");
            return;
        }

        // As Apache's %t, whose offset has no colon.
        line.PutTime(start, "dd/MMM/yyyy:HH:mm:ss ");
        var minutes = Math.Abs((int)start.Offset.TotalMinutes);
        line.Put(start.Offset < TimeSpan.Zero ? "-"u8 : "+"u8);
        ReadOnlySpan<byte> digits = [Digit(minutes / 600), Digit(minutes / 60 % 10), Digit(minutes % 60 / 10), Digit(minutes % 10)];
        line.Put(digits);
    }

    private static byte Digit(int value) => (byte)('0' + value);

    private long Number(LogVariable kind, in RequestEntry entry)
    {
        var exchange = entry.Exchange;
        return kind switch
        {
            LogVariable.Time => entry.Start.ToUnixTimeSeconds(),
            LogVariable.TmSecs => entry.Start.ToUnixTimeMilliseconds(),
            LogVariable.TMicros => (entry.Start - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
            LogVariable.Epoch => entry.Time.GetUtcNow().ToUnixTimeSeconds(),
            LogVariable.Secs => entry.Elapsed.Ticks / TimeSpan.TicksPerSecond,
            LogVariable.MSecs => entry.Elapsed.Ticks / TimeSpan.TicksPerMillisecond,
            LogVariable.Micros => entry.Elapsed.Ticks / TimeSpan.TicksPerMicrosecond,
            LogVariable.Status => entry.Status,
            LogVariable.RSize => exchange.BytesOut,
            LogVariable.HSize => HeadBytes(exchange.Head),
            LogVariable.Size => exchange.BytesOut + HeadBytes(exchange.Head),
            LogVariable.Headers => exchange.Head.Count + (exchange.Head.ContentLength is null ? 0 : 1),
            LogVariable.Cl => exchange.ContentLength ?? 0,
            LogVariable.Pid => Environment.ProcessId,
            LogVariable.Wid => _worker,
            LogVariable.Core => exchange.Core,
            LogVariable.Switches => exchange.Switches,
            LogVariable.Vars => Fields(exchange).Length,
            LogVariable.PktSize => BlockBytes(Fields(exchange)),
            LogVariable.Vsz => _memory.Read(entry.Time).Virtual,
            LogVariable.VszM => _memory.Read(entry.Time).Virtual >> 20,
            LogVariable.Rss => _memory.Read(entry.Time).Resident,
            LogVariable.RssM => _memory.Read(entry.Time).Resident >> 20,
            LogVariable.WErr => exchange.WriteFailed ? 1 : 0,
            LogVariable.RErr => exchange.ReadFailed ? 1 : 0,
            LogVariable.IoErr => (exchange.WriteFailed ? 1 : 0) + (exchange.ReadFailed ? 1 : 0),
            _ => 0, // modifier1 and modifier2: other than 0 0 no request is taken
        };
    }

    private static ReadOnlySpan<HeaderField> Fields(GatewayExchange exchange) => exchange.Variables.IsEmpty ? exchange.Headers : exchange.Variables;

    /// <summary>As the fields are, or would be, in a uwsgi packet: two lengths of two bytes each.</summary>
    private static long BlockBytes(ReadOnlySpan<HeaderField> fields)
    {
        var bytes = 0L;
        foreach (ref readonly var field in fields) bytes += 4 + field.Name.Length + field.Value.Length;
        return bytes;
    }

    /// <summary>The head as HTTP/1.1 text, without what a front adds of its own (Date, Connection, Transfer-Encoding). 0 when the application gave none.</summary>
    private static long HeadBytes(ResponseHead head)
    {
        if (head.Status == 0) return 0;

        // "HTTP/1.1 200 " and a line end, and the line end after all headers.
        var reason = string.IsNullOrEmpty(head.Reason) ? ReasonPhrases.GetReasonPhrase(head.Status) : head.Reason;
        var bytes = 17L + reason.Length;
        foreach (ref readonly var field in head.Headers) bytes += 4 + field.Name.Length + field.Value.Length;
        if (head.ContentLength is { } length) bytes += "Content-Length: \r\n".Length + Digits(length);
        return bytes;
    }

    private static int Digits(long number)
    {
        var digits = 1;
        for (; number >= 10; number /= 10) digits++;
        return digits;
    }
}
