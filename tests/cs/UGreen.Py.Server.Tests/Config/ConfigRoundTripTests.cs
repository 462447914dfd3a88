using System.Globalization;
using System.Text;
using System.Text.Json;
using UGreen.Py.Server.Options;
using Xunit;
using Options_ = UGreen.Py.Server.Options.Config;

namespace UGreen.Py.Server.Tests.Config;

/// <summary>Whatever can be said on a command line can be said in each kind of file, with the same outcome.</summary>
public sealed class ConfigRoundTripTests
{
    private static readonly string[] Formats = ["ini", "yml", "json"];

    public static TheoryData<string> Names => [.. OptionTable.All.Where(o => Options_.ConfigMerger.Option(o.Name) is not null && !Options_.ConfigLoader.IsFile(o)).SelectMany(o => o.Aliases.Append(o.Name))];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_option(string name)
    {
        var option = OptionTable.Find(name)!;
        List<(string, string?)> options = option.TakesValue ? [(name, "a=7")] : [(name, null)];
        if (option.Repeatable) options.Add((name, "second value"));

        foreach (var format in Formats) Same(options, format);
        // Alone, as on the command line.
        if (option.OptionalValue is not null) Same([(name, null)], "ini");
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("Yes", true)]
    [InlineData("on", true)]
    [InlineData("1", true)]
    [InlineData("false", false)]
    [InlineData("no", false)]
    [InlineData("OFF", false)]
    [InlineData("0", false)]
    public void Every_flag_takes_words(string word, bool given)
    {
        foreach (var flag in OptionTable.All.Where(o => !o.TakesValue && Options_.ConfigMerger.Option(o.Name) is not null))
        {
            foreach (var text in Formats.Select(format => (format, Write([(flag.Name, word)], format))))
            {
                using var folder = new ConfigFolder().With($"f.{text.format}", text.Item2);
                Assert.Equal(given, Read(folder, $"f.{text.format}").Options.Any(o => o.Spec == flag && o.Value is null));
            }
        }
    }

    /// <summary>The seeds are fixed, so that a failure comes again.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_options(int seed)
    {
        var random = new Random(seed);
        var table = OptionTable.All.Where(o => Options_.ConfigMerger.Option(o.Name) is not null && !Options_.ConfigLoader.IsFile(o) && o.Name != "set").ToArray();
        for (var round = 0; round < 50; round++)
        {
            var options = new List<(string, string?)>();
            foreach (var option in random.GetItems(table, 8).Distinct())
            {
                var times = option.Repeatable ? random.Next(1, 4) : 1;
                // Never "true": alone and "true" are the same in a file where the value may be left out.
                for (var i = 0; i < times; i++) options.Add((option.Name, option.TakesValue ? "v" + Words(random) : null));
            }

            foreach (var format in Formats) Same(options, format);
        }
    }

    private static string Words(Random random)
    {
        const string letters = "ab=;#[]{}:,\"'\\/!&*?|<>%$() -+~`^żł\t0";
        var text = new char[random.Next(1, 30)];
        for (var i = 0; i < text.Length; i++) text[i] = letters[random.Next(letters.Length)];
        return new string(text).TrimEnd();
    }

    private static void Same(List<(string Name, string? Value)> options, string format)
    {
        var expected = ArgumentRewriter.Rewrite([.. options.Select(o => o.Value is null ? $"--{o.Name}" : $"--{o.Name}={o.Value}")]);
        using var folder = new ConfigFolder().With($"f.{format}", Write([.. options.Select(o => (o.Name, o.Value?.Replace("%", "%%", StringComparison.Ordinal)))], format));

        var found = Read(folder, $"f.{format}");

        Assert.Empty(found.Errors);
        Assert.Empty(expected.Errors);
        Assert.Equal(expected.Arguments.Order(StringComparer.Ordinal), ArgumentRewriter.Rewrite([.. found.Arguments]).Arguments.Order(StringComparer.Ordinal));
        Assert.Equal(Text(expected.Given), Text(ArgumentRewriter.Rewrite([.. found.Arguments]).Given));
    }

    private static Options_.Configuration Read(ConfigFolder folder, string file) => Options_.ConfigSources.Read(ArgumentRewriter.Rewrite([file]), folder.Surroundings);

    private static string Text(IReadOnlyDictionary<string, object> given)
        => string.Join('\n', given.OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key}: {(g.Value is List<string> list ? string.Join('|', list) : g.Value)}"));

    private static string Write(List<(string Name, string? Value)> options, string format)
    {
        var text = new StringBuilder();
        switch (format)
        {
            case "ini":
                text.Append("[uwsgi]\n");
                foreach (var (name, value) in options) text.Append(value is null ? $"{name}\n" : $"{name} = {value}\n");
                break;
            case "yml":
                text.Append("uwsgi:\n");
                foreach (var (name, value) in options) text.Append(CultureInfo.InvariantCulture, $"  {name}: {(value is null ? "" : $"'{value.Replace("'", "''", StringComparison.Ordinal)}'")}\n");
                break;
            default:
                text.Append("{\"uwsgi\": {");
                foreach (var (name, value) in options) text.Append(CultureInfo.InvariantCulture, $"\"{name}\": {(value is null ? "true" : JsonSerializer.Serialize(value))},\n");
                text.Append("}}");
                break;
        }

        return text.ToString();
    }
}
