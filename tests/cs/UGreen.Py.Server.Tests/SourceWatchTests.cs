using UGreen.Py.Server.Hosting;
using Xunit;

namespace UGreen.Py.Server.Tests;

public sealed class SourceWatchTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(5);

    private readonly string _folder = Directory.CreateTempSubdirectory("ugreen-watch-").FullName;
    private readonly CancellationTokenSource _stop = new();

    [Theory]
    [InlineData("written")]
    [InlineData("touched")]
    [InlineData("removed")]
    [InlineData("made")]
    public async Task Tells_the_file_that_has_changed(string how)
    {
        string[] files = [Path.Combine(_folder, "a.py"), Path.Combine(_folder, "b.py")];
        await File.WriteAllTextAsync(files[0], "a");
        if (how != "made") await File.WriteAllTextAsync(files[1], "b");
        var change = new SourceWatch(TimeProvider.System).WaitForChangeAsync(files, Often, _stop.Token);
        Assert.False(change.IsCompleted);
        switch (how)
        {
            case "written" or "made": await File.WriteAllTextAsync(files[1], "another size"); break;
            case "touched": File.SetLastWriteTimeUtc(files[1], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc)); break;
            default: File.Delete(files[1]); break;
        }

        Assert.Equal(files[1], await change.WaitAsync(Patience));
    }

    [Fact]
    public async Task Ends_when_it_is_cancelled()
    {
        var change = new SourceWatch(TimeProvider.System).WaitForChangeAsync([], Often, _stop.Token);
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => change.WaitAsync(Patience));
    }

    public void Dispose()
    {
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
