using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests;

/// <summary>The options in README.md are the server's: each with its names, its explanation and its default, in the order of the help.</summary>
public sealed class ReadmeOptionsTests
{
    [Fact]
    public void The_table_in_the_readme_is_the_table_of_the_help()
    {
        var readme = File.ReadAllLines(Path.Combine(Root(), "README.md"));
        var listed = readme
            .SkipWhile(line => !line.StartsWith("<!-- options", StringComparison.Ordinal))
            .TakeWhile(line => !line.StartsWith("<!-- end of options", StringComparison.Ordinal))
            .Where(line => line.StartsWith('|'))
            .Skip(2); // the heading and the line below it

        Assert.Equal(string.Join('\n', OptionTable.Groups.SelectMany(Rows)), string.Join('\n', listed));
    }

    private static IEnumerable<string> Rows(OptionGroup group) => group.Options.Select(Row).Prepend($"| **{group.Title}** | | |");

    private static string Row(OptionSpec option)
    {
        var names = (option.Short is { } letter ? $"`-{letter}`, " : "") + $"`--{option.Usage}`";
        var also = option.Aliases.Count == 0 ? "" : $" (also {string.Join(", ", option.Aliases.Select(alias => $"`--{alias}`"))})";
        var repeated = option.Repeatable ? "; may be repeated" : "";
        var preset = option.Default is null ? "" : $"`{option.Default}` ";
        return $"| {Cell(names)} | {Cell(option.Help + repeated + also)} | {preset}|";
    }

    // A bar would end the cell, also in code.
    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "UGreen.Py.sln"))) return folder;
        }

        throw new InvalidOperationException("no UGreen.Py.sln in any folder above the tests");
    }
}
