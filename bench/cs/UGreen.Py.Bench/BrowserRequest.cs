using System.Buffers.Binary;
using System.Text;
using UGreen.Py.Gateway;

namespace UGreen.Py.Bench;

/// <summary>A request as a browser sends it: over HTTP with ten headers, and as the thirty variables that nginx makes of it (uwsgi_params).</summary>
internal static class BrowserRequest
{
    public const string Target = "/shop/items%20on%20sale?page=2&sort=price";

    public static HeaderField[] Headers { get; } =
    [
        new("Host", "www.example.org"), new("Connection", "keep-alive"), new("Cache-Control", "max-age=0"), new("Upgrade-Insecure-Requests", "1"),
        new("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"),
        new("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"), new("Referer", "https://www.example.org/shop/"),
        new("Accept-Encoding", "gzip, deflate, br, zstd"), new("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"), new("Cookie", "sessionid=7f3d2a9c1b5e4f60a8d7; csrftoken=Qm9vZ2xlYm9vZ2xl; theme=dark"),
    ];

    public static HeaderField[] Variables { get; } =
    [
        new("QUERY_STRING", "page=2&sort=price"), new("REQUEST_METHOD", "GET"), new("CONTENT_TYPE", ""), new("CONTENT_LENGTH", ""), new("REQUEST_URI", Target),
        new("PATH_INFO", "/shop/items on sale"), new("DOCUMENT_ROOT", "/usr/share/nginx/html"), new("SERVER_PROTOCOL", "HTTP/1.1"), new("REQUEST_SCHEME", "https"), new("HTTPS", "on"),
        new("REMOTE_ADDR", "192.0.2.7"), new("REMOTE_PORT", "40123"), new("SERVER_PORT", "443"), new("SERVER_NAME", "www.example.org"),
        .. Headers.Select(header => new HeaderField("HTTP_" + header.Name.ToUpperInvariant().Replace('-', '_'), header.Value)),
        new("HTTP_SEC_FETCH_DEST", "document"), new("HTTP_SEC_FETCH_MODE", "navigate"), new("HTTP_SEC_FETCH_SITE", "same-origin"), new("HTTP_SEC_FETCH_USER", "?1"),
        new("HTTP_X_FORWARDED_FOR", "192.0.2.7"), new("HTTP_X_FORWARDED_PROTO", "https"),
    ];

    /// <summary>The variables as a packet of the uwsgi protocol.</summary>
    public static byte[] Packet()
    {
        var block = new List<byte>();
        foreach (var (name, value) in Variables.Select(variable => (variable.Name, variable.Value)))
        {
            Put(name);
            Put(value);
        }

        var packet = new byte[4 + block.Count];
        BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(1), checked((ushort)block.Count));
        block.CopyTo(packet, 4);
        return packet;

        void Put(string text)
        {
            block.Add((byte)text.Length);
            block.Add((byte)(text.Length >> 8));
            block.AddRange(Encoding.Latin1.GetBytes(text));
        }
    }
}
