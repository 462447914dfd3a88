using System.Text;

namespace UGreen.Py.Server.Options.Config;

/// <summary>Reads a configuration file's text.</summary>
internal static class ConfigText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="path">"-" is standard input.</param>
    /// <exception cref="ConfigException">The message says what is wrong with the file and does not name it.</exception>
    public static string Read(string path)
    {
        try
        {
            if (path != "-" && Directory.Exists(path)) throw new ConfigException("is a directory");
            using var stream = path == "-" ? Console.OpenStandardInput() : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            // One byte more than may be, instead of asking for the length: pipes and /proc have none.
            var bytes = new byte[ConfigLimits.FileBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > ConfigLimits.FileBytes) throw new ConfigException($"is longer than {ConfigLimits.FileBytes / 1024} KiB");
            return Decode(bytes.AsSpan(0, length));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigException("no such file");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or System.Security.SecurityException)
        {
            throw new ConfigException("may not be read (permission denied)");
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            throw new ConfigException($"cannot be read ({ConfigWords.Shown(e.Message)})");
        }
    }

    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        var zero = bytes.IndexOf((byte)0);
        if (zero >= 0) throw new ConfigException($"is not text (a zero byte in line {bytes[..zero].Count((byte)'\n') + 1})");
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new ConfigException("is not UTF-8");
        }
    }
}
