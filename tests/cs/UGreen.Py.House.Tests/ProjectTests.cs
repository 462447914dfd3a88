using System.Xml.Linq;

namespace UGreen.Py.House.Tests;

/// <summary>Who may see whom. The compiler keeps these edges once they are project references; this keeps the project references.</summary>
public sealed class ProjectTests
{
    private static readonly Dictionary<string, string[]> s_sees = new()
    {
        ["Native"] = [],
        ["Switching"] = ["Native"],
        ["CPython"] = ["Native"],
        ["Hub"] = ["Switching", "CPython"],
        ["Gateway"] = [],
        ["Wsgi"] = ["Hub", "Gateway"],
        ["Front"] = ["Gateway"],
        ["Server"] = ["Native", "Switching", "CPython", "Hub", "Gateway", "Wsgi", "Front"],
    };

    private static readonly string[] s_touchMemory = ["Native", "Switching", "CPython"];

    [Fact]
    public void References_are_exactly_the_ones_of_the_design()
    {
        var found = House.Projects("src").ToDictionary(ShortName, project => Load(project).Descendants("ProjectReference").Select(edge => ShortName((string)edge.Attribute("Include")!)).ToArray());
        House.Holds("Projects in src and what they reference; a new one is decided in an ADR and listed here.", [
            .. found.Keys.Except(s_sees.Keys).Select(name => $"{name} is not in the list"),
            .. s_sees.Keys.Except(found.Keys).Select(name => $"{name} is missing"),
            .. from name in s_sees.Keys.Intersect(found.Keys) from extra in found[name].Except(s_sees[name]) select $"{name} must not reference {extra}",
            .. from name in s_sees.Keys.Intersect(found.Keys) from lost in s_sees[name].Except(found[name]) select $"{name} no longer references {lost}",
        ]);
    }

    [Fact]
    public void Only_three_projects_may_be_unsafe()
    {
        var allowed = House.Projects("src").Where(project => Load(project).Descendants("AllowUnsafeBlocks").Any(value => bool.Parse(value.Value))).Select(ShortName);
        Assert.Equal(s_touchMemory.Order(), allowed.Order());
        Assert.Equal("false", Load("Directory.Build.props").Descendants("AllowUnsafeBlocks").Single().Value);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = House.Read("UGreen.Py.sln").Replace('\\', '/');
        House.Holds("Not in UGreen.Py.sln, so neither built nor tested by ./run-tests.", House.Projects("src").Concat(House.Projects("tests/cs")).Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)));
    }

    private static XDocument Load(string project) => XDocument.Parse(House.Read(project));

    // "../UGreen.Py.Hub/UGreen.Py.Hub.csproj" is called Hub here.
    private static string ShortName(string project) => Path.GetFileNameWithoutExtension(project.Replace('\\', '/')).Replace("UGreen.Py.", "", StringComparison.Ordinal);
}
