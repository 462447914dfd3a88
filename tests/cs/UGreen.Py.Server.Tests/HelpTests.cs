using System.Reflection;
using CommandLine;
using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests;

public sealed class HelpTests
{
    /// <summary>help.txt is what a user sees; to change it: <c>ugreen-py --help &gt; tests/cs/UGreen.Py.Server.Tests/help.txt</c>, and read the difference.</summary>
    [Fact]
    public void Is_the_text_in_the_file()
    {
        using var stream = typeof(HelpTests).Assembly.GetManifestResourceStream("help.txt")!;
        using var reader = new StreamReader(stream);

        Assert.Equal(reader.ReadToEnd(), HelpText.Build());
    }

    [Fact]
    public void Every_option_of_the_parser_is_in_the_table_and_the_other_way_round()
    {
        var parsed = typeof(ParsedArguments).GetProperties()
            .Select(p => (Property: p, Option: p.GetCustomAttribute<OptionAttribute>()))
            .Where(p => p.Option is not null)
            .Select(p => (
                Name: p.Option!.LongName,
                TakesValue: p.Property.PropertyType != typeof(bool),
                Repeatable: p.Property.PropertyType == typeof(IEnumerable<string>)));
        var listed = OptionTable.All.Select(o => (o.Name, o.TakesValue, o.Repeatable));

        Assert.Equal(listed.Order(), parsed.Order());
    }

    [Fact]
    public void Every_name_is_in_the_help_and_no_name_twice()
    {
        var help = HelpText.Build();

        foreach (var name in OptionTable.LongNames) Assert.Contains($"--{name}", help, StringComparison.Ordinal);
        foreach (var option in OptionTable.All.Where(o => o.Short is not null)) Assert.Contains($"  -{option.Short}, --{option.Name}", help, StringComparison.Ordinal);
        Assert.Equal(OptionTable.All.Count(o => o.Short is not null), OptionTable.All.Select(o => o.Short).OfType<char>().Distinct().Count());
        Assert.All(help.Split('\n'), line => Assert.True(line.Length <= 120, line));
    }
}
