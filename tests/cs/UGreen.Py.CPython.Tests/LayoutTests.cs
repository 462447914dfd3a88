using System.Reflection;
using UGreen.Py.CPython.Layout;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>The committed tables against the C headers that are installed, and every field of PyThreadState against the decisions about it.</summary>
public sealed class LayoutTests
{
    private static readonly Lazy<LayoutFromHeaders> s_headers = new(LayoutFromHeaders.Read);

    public static TheoryData<string> KnownVersions => [.. ThreadStateLayouts.Known.Select(layout => layout.MinorVersion)];

    [Fact]
    public void Every_offset_is_what_the_headers_say()
    {
        var headers = s_headers.Value;
        var table = Table(headers.MinorVersion).ForSize(headers.Numbers["ThreadStateSize"]);
        var named = Numbers(table);
        Assert.Equal(headers.Numbers.Keys.Order(), named.Keys.Order());
        var differing = headers.Numbers.Where(number => named[number.Key] != number.Value).Select(number => $"{number.Key}: table {named[number.Key]}, headers {number.Value}");
        Assert.True(!differing.Any(), string.Join("\n", differing));
        Assert.Equal(headers.Fields, table.Fields);
    }

    [Fact]
    public void The_committed_table_is_the_generators_output()
    {
        var written = LayoutFromHeaders.Generate("--print");
        var version = s_headers.Value.MinorVersion.Replace(".", "", StringComparison.Ordinal);
        var committed = File.ReadAllText(Path.Combine(LayoutFromHeaders.Root, "src", "UGreen.Py.CPython", "Layout", $"ThreadStateLayout{version}.g.cs"));

        // The patch version of the headers may be newer than the table's: that changes the words, not the numbers.
        // Those of a library with members more or less at the end move what lies behind it; the other test compares each.
        if (s_headers.Value.Numbers["ThreadStateSize"] == Table(s_headers.Value.MinorVersion).ThreadStateSize) Assert.Equal(WithoutPatchVersion(written), WithoutPatchVersion(committed));
    }

    [Theory]
    [MemberData(nameof(KnownVersions))]
    public void Every_field_is_answered(string version)
    {
        var open = Table(version).Fields.Select(field => field.Name).Where(field => ThreadStateAnswers.Find(field) is null);
        Assert.True(!open.Any(), $"CPython {version}: decide in ThreadStateAnswers what a switch does with {string.Join(", ", open)}");
    }

    [Fact]
    public void Every_answer_is_about_a_field_and_says_why()
    {
        var fields = ThreadStateLayouts.Known.SelectMany(layout => layout.Fields).Select(field => field.Name).ToHashSet();
        Assert.All(ThreadStateAnswers.All, answer => Assert.Contains(answer.Field, fields));
        Assert.All(ThreadStateAnswers.All, answer => Assert.True(answer.Reason.Length > 0 && answer.Reason.EndsWith('.'), answer.Field));
        Assert.Equal(ThreadStateAnswers.All.Count, ThreadStateAnswers.All.Select(answer => answer.Field).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(KnownVersions))]
    public void Every_swapped_field_has_a_named_offset_that_the_swap_uses(string version)
    {
        var table = Table(version);
        var swap = File.ReadAllText(Path.Combine(LayoutFromHeaders.Root, "src", "UGreen.Py.CPython", "ThreadStateSwap.cs"));
        foreach (var field in table.SwapSet)
        {
            // delete_later was called trash_delete_later before.
            var property = Numbers(table).Single(number => Plain(number.Key) == Plain(field.Name) || Plain(number.Key) == "TRASH" + Plain(field.Name));
            Assert.Equal(field.Offset, property.Value);
            Assert.Matches($@"Layout\.{property.Key}\b", swap);
        }
    }

    [Theory]
    [MemberData(nameof(KnownVersions))]
    public void Fields_lie_one_after_the_other_inside_the_thread_state(string version)
    {
        var table = Table(version);
        var end = 0;
        foreach (var field in table.Fields)
        {
            Assert.True(field.Offset >= end, field.Name);
            end = field.Offset + field.Size;
        }

        Assert.InRange(end, 1, Math.Max(table.ThreadStateSize, table.ImplSize));
    }

    [Theory]
    [InlineData("3.11.2 (main, Sep 14 2024, 03:00:30) [GCC 12.2.0]")]
    [InlineData("3.11.9+ (heads/3.11:1, Jan 1 2025) [GCC 12.2.0]")]
    [InlineData("3.11.0rc2 (main) [GCC 12.2.0]")]
    [InlineData("3.13.5 (main, Jun 25 2025, 18:55:22) [GCC 14.2.0]")]
    [InlineData("3.15.0 (main) [GCC 15.2.0]")]
    public void Each_release_of_a_known_version_has_its_table(string version) => Assert.StartsWith(ThreadStateLayouts.For(version).MinorVersion + ".", version, StringComparison.Ordinal);

    [Theory]
    [InlineData("3.99.1 (main, Oct 1 2049) [GCC 30]", "3.99.1")]
    [InlineData("3.1.1 (main) [GCC 4]", "3.1.1")]
    [InlineData("3.11.0a7 (main) [GCC 12.2.0]", "pre-release")]
    [InlineData("3.11.2 free-threading build (main) [GCC 12.2.0]", "free-threaded")]
    [InlineData("PyPy", "PyPy")]
    [InlineData("", "version text")]
    public void Any_other_python_is_refused_with_what_is_known(string version, string says)
    {
        var error = Assert.Throws<UnsupportedPythonException>(() => ThreadStateLayouts.For(version));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Contains("Known versions (64 bit): 3.11, 3.13, 3.14, 3.15", error.Message, StringComparison.Ordinal);
    }

    private static ThreadStateLayout Table(string minorVersion) => ThreadStateLayouts.Known.Single(layout => layout.MinorVersion == minorVersion);

    private static Dictionary<string, int> Numbers(ThreadStateLayout layout)
        => typeof(ThreadStateLayout).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.PropertyType == typeof(int))
            .ToDictionary(property => property.Name, property => (int)property.GetValue(layout)!);

    // datastack_top and DataStackTop.
    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();

    private static string WithoutPatchVersion(string table) => System.Text.RegularExpressions.Regex.Replace(table, @"(\d+\.\d+)\.\d+\+?", "$1");
}
