using UGreen.Py.Server.Master;
using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>Small rules: how many workers, how long a pause, when a command is due, whether a file was touched.</summary>
public sealed class PolicyTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(5, 16)]
    [InlineData(6, 30)]
    [InlineData(1000, 30)]
    public void Pauses_double_up_to_half_a_minute(int failures, double seconds) => Assert.Equal(seconds, StartBackOff.After(failures).TotalSeconds);

    [Fact]
    public void Busy_for_long_enough_makes_more_up_to_the_most()
    {
        var policy = new CheaperPolicy(fewest: 1, most: 4, step: 2, patience: 3 * Second);

        Assert.Equal([1, 1, 3, 3, 3, 4, 4], Decisions(policy, 1, 8, 8, 8, 23, 24, 24, 40));
    }

    [Fact]
    public void A_pause_in_between_begins_the_time_anew()
    {
        var policy = new CheaperPolicy(fewest: 1, most: 4, step: 1, patience: 3 * Second);

        Assert.Equal([1, 1, 1, 1, 1, 2], Decisions(policy, 1, 8, 8, 7, 8, 8, 8));
    }

    [Fact]
    public void Idle_for_ten_times_as_long_makes_one_less_down_to_the_fewest()
    {
        var policy = new CheaperPolicy(fewest: 2, most: 4, step: 1, patience: Second);

        var wanted = Decisions(policy, 4, new int[40]);

        Assert.Equal([4, 3, 3, 2, 2], [wanted[8], wanted[9], wanted[18], wanted[19], wanted[39]]);
    }

    [Fact]
    public void Their_number_does_not_swing()
    {
        // What made a second one necessary does not make it superfluous.
        var policy = new CheaperPolicy(fewest: 1, most: 2, step: 1, patience: Second);

        Assert.All(Decisions(policy, 1, [.. Enumerable.Repeat(8, 100)]), wanted => Assert.Equal(2, wanted));
    }

    [Theory]
    [InlineData("0 3 -1 -1 -1 a", "2026-03-04 03:00", true)]
    [InlineData("0 3 -1 -1 -1 a", "2026-03-04 03:01", false)]
    [InlineData("* * * * * a", "2026-03-04 03:01", true)]
    [InlineData("-15 -1 -1 -1 -1 a", "2026-03-04 03:45", true)]
    [InlineData("-15 -1 -1 -1 -1 a", "2026-03-04 03:46", false)]
    [InlineData("0 -2 -1 -1 -1 a", "2026-03-04 03:00", false)]
    [InlineData("0 -2 -1 -1 -1 a", "2026-03-04 04:00", true)]
    [InlineData("0 0 1 -1 1 a", "2026-03-01 00:00", true)] // the first, a Sunday
    [InlineData("0 0 1 -1 1 a", "2026-03-02 00:00", true)] // a Monday
    [InlineData("0 0 1 -1 1 a", "2026-03-03 00:00", false)]
    [InlineData("0 0 1 3 -1 a", "2026-03-01 00:00", true)]
    [InlineData("0 0 1 4 -1 a", "2026-03-01 00:00", false)]
    [InlineData("0 0 -1 -1 0 a", "2026-03-01 00:00", true)]
    [InlineData("0 0 -1 -1 7 a", "2026-03-01 00:00", true)]
    [InlineData("0 0 -1 -1 7 a", "2026-03-07 00:00", false)]
    public void Is_due(string entry, string when, bool isDue)
    {
        var errors = new List<string>();
        var cron = CronEntry.Parse(entry, errors);
        Assert.Empty(errors);
        Assert.Equal(isDue, cron!.IsDue(DateTime.Parse(when, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void A_command_keeps_its_blanks()
        => Assert.Equal(new CronEntry(-15, 1, -1, -1, 7, "tools/sweep  'a  b'"), CronEntry.Parse("  -15 1\t-1 -1 7 tools/sweep  'a  b' ", []));

    [Theory]
    [InlineData("0 0 1 1 1", "expected five numbers and a command")]
    [InlineData("", "expected five numbers and a command")]
    [InlineData("60 0 1 1 1 a", "'60' is no minute: 0 to 59")]
    [InlineData("0 24 1 1 1 a", "'24' is no hour: 0 to 23")]
    [InlineData("0 0 0 1 1 a", "'0' is no day: 1 to 31")]
    [InlineData("0 0 1 13 1 a", "'13' is no month: 1 to 12")]
    [InlineData("0 0 1 1 8 a", "'8' is no weekday: 0 to 7")]
    [InlineData("-60 0 1 1 1 a", "'-60' is no minute")]
    [InlineData("*/5 0 1 1 1 a", "'*/5' is no minute")]
    public void What_is_wrong_with_an_entry_is_told(string entry, string message)
    {
        var errors = new List<string>();
        Assert.Null(CronEntry.Parse(entry, errors));
        Assert.StartsWith($"--cron: '{entry}': ", Assert.Single(errors), StringComparison.Ordinal);
        Assert.Contains(message, errors[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_touch_is_seen_once_and_a_file_may_come_and_go()
    {
        var folder = Directory.CreateTempSubdirectory("ugreen-test-");
        try
        {
            var (a, b) = (Path.Combine(folder.FullName, "a"), Path.Combine(folder.FullName, "b"));
            File.WriteAllText(a, "");
            var watch = new TouchWatch([a, b]);
            Assert.Null(watch.Changed());

            File.SetLastWriteTimeUtc(a, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
            Assert.Equal(a, watch.Changed());
            Assert.Null(watch.Changed());
            File.WriteAllText(b, "");
            Assert.Equal(b, watch.Changed());
            File.Delete(b);
            Assert.Null(watch.Changed());
            File.WriteAllText(b, "");
            Assert.Equal(b, watch.Changed());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<int> Decisions(CheaperPolicy policy, int wanted, params int[] busy)
        => [.. busy.Select(cores => wanted = policy.Decide(cores, cores: 10, wanted, Second))];
}
