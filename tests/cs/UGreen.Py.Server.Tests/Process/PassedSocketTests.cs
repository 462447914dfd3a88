using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests.Process;

public sealed class PassedSocketTests
{
    [Theory]
    [InlineData("7", "2", "web:admin", "fd://3 (web), fd://4 (admin)")]
    [InlineData("7", "2", null, "fd://3, fd://4")]
    [InlineData("7", "2", "web", "fd://3 (web), fd://4")]
    [InlineData("7", "1", "unknown", "fd://3")]
    [InlineData("8", "2", "web:admin", "")]
    [InlineData("7", "0", null, "")]
    [InlineData("7", "-1", null, "")]
    [InlineData("7", "many", null, "")]
    [InlineData(null, "2", null, "")]
    public void Are_read_as_systemd_passes_them(string? pid, string count, string? names, string expected)
        => Assert.Equal(expected, string.Join(", ", Read(pid, count, names)));

    [Theory]
    [InlineData("fd://admin", "fd://4")]
    [InlineData("fd://web,cert.pem,key.pem", "fd://3,cert.pem,key.pem")]
    [InlineData("fd://3", "fd://3")]
    [InlineData("fd://other", "fd://other")]
    [InlineData("web", "web")]
    public void Names_become_numbers(string address, string expected) => Assert.Equal(expected, PassedSocket.Resolve(address, Read("7", "2", "web:admin")));

    private static IReadOnlyList<PassedSocket> Read(string? pid, string count, string? names)
        => PassedSocket.Read(name => name switch { "LISTEN_PID" => pid, "LISTEN_FDS" => count, "LISTEN_FDNAMES" => names, _ => null }, pid: 7);
}
