using UGreen.Py.Front.Sockets;

namespace UGreen.Py.Front;

/// <summary>Where the HTTP front listens: the value of one <c>--http</c> or <c>--https</c> option.</summary>
/// <param name="Address">The address.</param>
public sealed record HttpEndpoint(ListenAddress Address)
{
    /// <summary>The option without TLS; error messages name it.</summary>
    public const string OptionName = "--http";

    /// <summary>The option with TLS; error messages name it.</summary>
    public const string TlsOptionName = "--https";

    /// <summary>The value as the operator wrote it, without the files.</summary>
    public string Text => Address.Text;

    /// <summary>Certificate and key; null: no TLS.</summary>
    public TlsFiles? Tls { get; init; }

    /// <summary>"http" or "https".</summary>
    public string Scheme => Tls is null ? "http" : "https";

    /// <summary>Reads the value of <c>--http</c>.</summary>
    /// <exception cref="FrontException">It is not an address.</exception>
    public static HttpEndpoint Parse(string text) => new(ListenAddress.Parse(OptionName, text));

    /// <summary>Reads the value of <c>--https</c>: ADDR,CERT,KEY. The files are read at start.</summary>
    /// <exception cref="FrontException">It has another form.</exception>
    public static HttpEndpoint ParseTls(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length != 3 || parts[1].Length == 0 || parts[2].Length == 0)
            throw new FrontException($"{TlsOptionName} '{text}': expected ADDR,CERT,KEY: an address and two PEM files, for example :8443,/etc/ssl/site.pem,/etc/ssl/site.key");
        var address = ListenAddress.Parse(TlsOptionName, parts[0]);
        return new HttpEndpoint(address) { Tls = new TlsFiles(Path.GetFullPath(parts[1]), Path.GetFullPath(parts[2])) };
    }

    public override string ToString() => Text;
}
