using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace UGreen.Py.Front;

/// <summary>The PEM files of one <c>--https</c> option.</summary>
/// <param name="CertificatePath">The server's certificate, then those between it and the root.</param>
/// <param name="KeyPath">Its private key, without a password.</param>
public sealed record TlsFiles(string CertificatePath, string KeyPath)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Reads both files.</summary>
    /// <returns>The certificate with its key, and all certificates of the file.</returns>
    /// <exception cref="FrontException">A file cannot be read or used; the message names it.</exception>
    public (X509Certificate2 Certificate, X509Certificate2Collection Chain) Load()
    {
        var certificates = Read("certificate", CertificatePath);
        var key = Read("key", KeyPath);
        if (key.Contains("ENCRYPTED", StringComparison.Ordinal)) throw Refuse("key", KeyPath, "it is protected by a password; give it one without");

        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(certificates);
        }
        catch (CryptographicException e)
        {
            throw Refuse("certificate", CertificatePath, "it holds something that is not a certificate", e);
        }

        if (chain.Count == 0) throw Refuse("certificate", CertificatePath, "it holds no certificate in PEM form");
        if (!IsForServers(chain[0])) throw Refuse("certificate", CertificatePath, "its extended key usage says that it is not for servers");
        try
        {
            return (X509Certificate2.CreateFromPem(certificates, key), chain);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Refuse("key", KeyPath, $"it holds no private key in PEM form that belongs to the certificate in {CertificatePath}", e);
        }
    }

    /// <summary>Kestrel would refuse it, too, but without the name of the file.</summary>
    private static bool IsForServers(X509Certificate2 certificate)
    {
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().SelectMany(e => e.EnhancedKeyUsages.Cast<Oid>()).ToList();
        return usages.Count == 0 || usages.Any(usage => usage.Value == ServerAuthentication);
    }

    private static string Read(string what, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Refuse(what, path, "there is no such file", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Refuse(what, path, Directory.Exists(path) ? "it is a directory" : "permission denied", e);
        }
        catch (IOException e)
        {
            throw Refuse(what, path, e.Message, e);
        }
    }

    private static FrontException Refuse(string what, string path, string reason, Exception? inner = null)
    {
        var message = $"{HttpEndpoint.TlsOptionName}: {what} file {path}: {reason}";
        return inner is null ? new FrontException(message) : new FrontException(message, inner);
    }
}
