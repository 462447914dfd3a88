using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Front.Static;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Front.Tests;

/// <summary>Static files over HTTP; tests/py/test_apps_static.py has the long lists of paths.</summary>
public sealed class StaticFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ugreen-static-").FullName;

    public StaticFileTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "site", "docs"));
        File.WriteAllText(Path.Combine(_folder, "secret.txt"), "secret");
        File.WriteAllText(Path.Combine(_folder, "site", "a.css"), "body {}");
        File.WriteAllText(Path.Combine(_folder, "site", "docs", "index.html"), "index");
        File.CreateSymbolicLink(Path.Combine(_folder, "site", "leak.txt"), "../secret.txt");
        File.CreateSymbolicLink(Path.Combine(_folder, "site", "linked.css"), "a.css");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("GET /s/a.css", "HTTP/1.1 200 OK", "body {}")]
    [InlineData("GET /s/%61.css?v", "HTTP/1.1 200 OK", "body {}")]
    [InlineData("GET /s/linked.css", "HTTP/1.1 200 OK", "body {}")]
    [InlineData("HEAD /s/a.css", "HTTP/1.1 200 OK", "")]
    [InlineData("POST /s/a.css", "HTTP/1.1 405 Method Not Allowed", "Method Not Allowed\n")]
    [InlineData("GET /s/docs/", "HTTP/1.1 200 OK", "index")]
    [InlineData("GET /s/docs", "HTTP/1.1 301 Moved Permanently", "Moved Permanently\n")]
    [InlineData("GET /s/missing", "HTTP/1.1 200 OK", "application")]
    [InlineData("GET /s/leak.txt", "HTTP/1.1 200 OK", "application")]
    [InlineData("GET /s/../secret.txt", "HTTP/1.1 200 OK", "application")]
    [InlineData("GET /s/%2e%2e%2fsecret.txt", "HTTP/1.1 200 OK", "application")]
    [InlineData("GET /sa.css", "HTTP/1.1 200 OK", "application")]
    public async Task Over_http(string request, string status, string body)
    {
        await using var front = await TestFront.StartAsync(Server());
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync($"{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var answer = await client.ReadToEndAsync();

        Assert.StartsWith(status + "\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(body, answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
    }

    [Fact]
    public async Task A_file_that_becomes_shorter_breaks_the_response_off()
    {
        var path = Path.Combine(_folder, "site", "shrinking.bin");
        File.WriteAllBytes(path, new byte[20_000_000]);
        await using var front = await TestFront.StartAsync(Server());
        using var client = await RawClient.ConnectAsync(front, receiveBufferBytes: 4096);

        await client.SendAsync("GET /s/shrinking.bin HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\n");
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(1);

        await Assert.ThrowsAnyAsync<Exception>(client.ReadToEndAsync);
    }

    [Fact]
    public async Task Added_headers_are_in_every_response_of_a_connection_once()
    {
        HeaderField[] added = [new("X-A", "1"), new("X-A", "2")];
        await using var front = await TestFront.StartAsync(new HeaderAdder(added, Server()));
        using var client = await RawClient.ConnectAsync(front);

        foreach (var target in new[] { "/s/a.css", "/app", "/s/a.css", "/app" })
        {
            await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
            var head = await client.ReadUntilAsync("\r\n\r\n");
            Assert.Equal(["X-A: 1", "X-A: 2"], head.Split("\r\n").Where(line => line.StartsWith("X-A", StringComparison.Ordinal)));
            await client.ReadUntilAsync(target == "/app" ? "application" : "body {}");
        }
    }

    [Fact]
    public void A_real_path_has_no_links()
    {
        var real = RealPath.Of(_folder)!;
        File.CreateSymbolicLink(Path.Combine(_folder, "one"), "two");
        File.CreateSymbolicLink(Path.Combine(_folder, "two"), Path.Combine(_folder, "site"));
        File.CreateSymbolicLink(Path.Combine(_folder, "loop"), "loop");

        Assert.Equal(real + "/site/a.css", RealPath.Of(_folder + "/one/./docs/../linked.css"));
        Assert.Equal(real + "/secret.txt", RealPath.Of(_folder + "/site/leak.txt"));
        Assert.Equal(real + "/no/such", RealPath.Of(_folder + "/no/such"));
        Assert.Equal("/", RealPath.Of("/../.."));
        Assert.Null(RealPath.Of(_folder + "/loop/x"));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("/", true)]
    [InlineData("/a/b.c", true)]
    [InlineData("/a/", true)]
    [InlineData("/a..b", true)]
    [InlineData("a", false)]
    [InlineData("//a", false)]
    [InlineData("/a//b", false)]
    [InlineData("/..", false)]
    [InlineData("/a/../b", false)]
    [InlineData("/.git", false)]
    [InlineData("/a\\b", false)]
    [InlineData("/a\0", false)]
    [InlineData("/a\nb", false)]
    public void A_path_that_may_name_a_file(string rest, bool may) => Assert.Equal(may, StaticPath.MayNameFile(rest));

    private StaticFileServer Server()
    {
        var settings = new StaticFileSettings { Maps = [new StaticMap("/s", Path.Combine(_folder, "site"), IsDirectory: true)], IndexNames = ["index.html"] };
        return new StaticFileServer(settings, new FakeApplication(Answer, inline: true), NullLoggerFactory.Instance);
    }

    private static Task Answer(GatewayExchange exchange)
    {
        FakeApplication.Whole(exchange, "application");
        return Task.CompletedTask;
    }
}
