using System.Globalization;
using System.Text;
using System.Text.Json;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Master;

/// <summary>
/// All that a worker has to know: the command line as the master read it, so that a configuration file which changed meanwhile is not half in effect, and the descriptors that it
/// inherited.
/// </summary>
internal sealed record WorkerOrder
{
    /// <summary>The environment variable that holds two descriptors: of the <see cref="ControlChannel"/> and, behind a colon, of a file with the order.</summary>
    public const string Variable = "UGREEN_WORKER";

    /// <summary>Command line, with what configuration files and the environment put in front of it.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Keys of configuration files that are no options, for <c>uwsgi.opt</c>: a string, true, or a list of strings.</summary>
    public required IReadOnlyDictionary<string, object> Other { get; init; }

    /// <summary>Sockets that the master was started with.</summary>
    public required IReadOnlyList<PassedSocket> Passed { get; init; }

    /// <summary>Number of the worker, from 1.</summary>
    public required int Worker { get; init; }

    public required int MasterPid { get; init; }

    /// <summary>The workers have been replaced since the server was started.</summary>
    public bool IsReload { get; init; }

    /// <summary>Its row of the scoreboard.</summary>
    public required int Row { get; init; }

    /// <summary>Of the scoreboard.</summary>
    public required ScoreboardLayout Layout { get; init; }

    public required int ScoreboardFd { get; init; }

    public required int LockFd { get; init; }

    /// <summary>Listening sockets, in the order of the endpoints.</summary>
    public required IReadOnlyList<int> Listeners { get; init; }

    public string Write()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            WriteTexts(json, "arguments", Arguments);
            json.WriteStartObject("other");
            foreach (var (name, value) in Other)
            {
                if (value is IEnumerable<string> list) WriteTexts(json, name, list);
                else if (value is string text) json.WriteString(name, text);
                else json.WriteBoolean(name, true);
            }

            json.WriteEndObject();
            WriteTexts(json, "passed", Passed.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Descriptor}:{p.Name}")));
            json.WriteStartArray("listeners");
            foreach (var fd in Listeners) json.WriteNumberValue(fd);
            json.WriteEndArray();
            json.WriteNumber("worker", Worker);
            json.WriteNumber("master", MasterPid);
            json.WriteBoolean("reload", IsReload);
            json.WriteNumber("row", Row);
            json.WriteNumber("workers", Layout.Workers);
            json.WriteNumber("rows", Layout.Rows);
            json.WriteNumber("cores", Layout.Cores);
            json.WriteNumber("scoreboard", ScoreboardFd);
            json.WriteNumber("locks", LockFd);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <exception cref="JsonException">It is no order.</exception>
    public static WorkerOrder Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        var order = document.RootElement;
        int Number(string name) => order.GetProperty(name).GetInt32();
        return new WorkerOrder
        {
            Arguments = Texts(order.GetProperty("arguments")),
            Other = order.GetProperty("other").EnumerateObject().ToDictionary(
                p => p.Name, p => p.Value.ValueKind switch { JsonValueKind.Array => (object)Texts(p.Value), JsonValueKind.String => p.Value.GetString()!, _ => true }, StringComparer.Ordinal),
            Passed = [.. Texts(order.GetProperty("passed")).Select(OnePassed)],
            Listeners = [.. order.GetProperty("listeners").EnumerateArray().Select(e => e.GetInt32())],
            Worker = Number("worker"),
            MasterPid = Number("master"),
            IsReload = order.GetProperty("reload").GetBoolean(),
            Row = Number("row"),
            Layout = new ScoreboardLayout(Number("workers"), Number("rows"), Number("cores")),
            ScoreboardFd = Number("scoreboard"),
            LockFd = Number("locks"),
        };
    }

    private static PassedSocket OnePassed(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return new PassedSocket(int.Parse(text[..colon], CultureInfo.InvariantCulture), colon + 1 == text.Length ? null : text[(colon + 1)..]);
    }

    private static List<string> Texts(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetString()!)];

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
