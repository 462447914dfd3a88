using System.Xml.Linq;

namespace UGreen.Py.House.Tests;

/// <summary>Who may see whom. The compiler keeps these edges once they are project references; this keeps the project references.</summary>
public sealed class ProjectTests
{
    private static readonly Dictionary<string, string[]> s_sees = new()
    {
        ["Native"] = [],
        ["Machine"] = ["Native"],
        ["Switching"] = ["Native", "Machine"],
        ["CPython"] = ["Native"],
        ["Hub"] = ["Switching", "CPython"],
        ["Gateway"] = [],
        ["Wsgi"] = ["Hub", "Gateway"],
        ["Front"] = ["Native", "Gateway"],
        ["Server"] = ["Native", "Machine", "Switching", "CPython", "Hub", "Gateway", "Wsgi", "Front"],
    };

    private static readonly string[] s_touchMemory = ["Native", "Machine", "Switching", "CPython"];

    /// <summary>Those that say which instructions; only the first makes bytes of them.</summary>
    private static readonly string[] s_emit = ["Machine", "Switching"];

    [Fact]
    public void References_are_exactly_the_ones_of_the_design()
    {
        var found = House.Projects("src").ToDictionary(ShortName, project => References(project).ToArray());
        House.Holds("Projects in src and what they reference; a new one is decided in an ADR and listed here.", [
            .. found.Keys.Except(s_sees.Keys).Select(name => $"{name} is not in the list"),
            .. s_sees.Keys.Except(found.Keys).Select(name => $"{name} is missing"),
            .. from name in s_sees.Keys.Intersect(found.Keys) from extra in found[name].Except(s_sees[name]) select $"{name} must not reference {extra}",
            .. from name in s_sees.Keys.Intersect(found.Keys) from lost in s_sees[name].Except(found[name]) select $"{name} no longer references {lost}",
        ]);
    }

    [Fact]
    public void Only_four_projects_may_be_unsafe()
    {
        var allowed = House.Projects("src").Where(project => Load(project).Descendants("AllowUnsafeBlocks").Any(value => bool.Parse(value.Value))).Select(ShortName);
        Assert.Equal(s_touchMemory.Order(), allowed.Order());
        Assert.Equal("false", Load("Directory.Build.props").Descendants("AllowUnsafeBlocks").Single().Value);
    }

    /// <summary>One room for all machine code: the assembler and the pages that may be executed are Machine's, and only Switching tells it what to emit.</summary>
    [Fact]
    public void Only_Machine_makes_machine_code()
    {
        var sources = House.Sources.Where(source => source.Path.StartsWith("src/", StringComparison.Ordinal)).ToArray();
        House.Holds("Machine code is made in UGreen.Py.Machine.", [
            .. from source in sources where source.Project != "UGreen.Py.Machine" && source.Code.Contains("Protection.Execute", StringComparison.Ordinal) select $"{source.Path} makes a page executable",
            .. from source in sources where !s_emit.Contains(source.Project.Replace("UGreen.Py.", "", StringComparison.Ordinal)) && source.Code.Contains("X64Emitter", StringComparison.Ordinal) select $"{source.Path} emits",
            .. from source in sources where source.Project != "UGreen.Py.Machine" && source.Code.Contains("class X64Emitter", StringComparison.Ordinal) select $"{source.Path} is an assembler",
        ]);
    }

    /// <summary>Every listing is one that a test compares.</summary>
    [Fact]
    public void Every_listing_is_compared()
    {
        var tests = string.Concat(House.Files.Where(file => file.StartsWith("tests/cs/UGreen.Py.Switching.Tests/", StringComparison.Ordinal) && Path.GetExtension(file) == ".cs").Select(House.Read));
        var listings = House.Files.Where(file => file.StartsWith("src/", StringComparison.Ordinal) && Path.GetExtension(file) == ".s").Select(Path.GetFileName);
        House.Holds("No test compares it with what is emitted.", listings.Where(name => !tests.Contains($"\"{name}\"", StringComparison.Ordinal)).Select(name => name!));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = House.Read("UGreen.Py.sln").Replace('\\', '/');
        House.Holds("Not in UGreen.Py.sln, so neither built nor tested by ./run-tests.", House.Projects("src").Concat(House.Projects("tests/cs")).Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)));
    }

    /// <summary>
    /// Benchmarks stand on the product, and nothing stands on them. They are not in the solution: what only they need (BenchmarkDotNet and what it needs: 40 MB) must not stand between
    /// a source and its tests. Each is built by a command of its own, which tests/py runs (test_bench_*.py), so that it does not rot.
    /// </summary>
    [Fact]
    public void Projects_of_benchmarks_are_apart()
    {
        var solution = House.Read("UGreen.Py.sln").Replace('\\', '/');
        var commands = string.Concat(House.Files.Where(file => House.IsOneOf(file, "bench") && Path.GetExtension(file) is "" or ".py").Select(House.Read));
        House.Holds("Projects below bench.", [
            .. from project in House.Projects("bench") where solution.Contains(Path.GetFileName(project), StringComparison.Ordinal) select $"{project} is in UGreen.Py.sln",
            .. from project in House.Projects("bench") where !commands.Contains($"\"{project}\"", StringComparison.Ordinal) select $"{project} is built by no command",
            .. from project in House.Projects("bench") where Load(project).Descendants("AllowUnsafeBlocks").Any() select $"{project} may be unsafe",
            .. from project in House.Projects("bench") from edge in References(project) where !s_sees.ContainsKey(edge) select $"{project} references {edge}",
            .. from project in House.Projects("tests") from edge in References(project) where edge.StartsWith("Bench", StringComparison.Ordinal) select $"{project} references {edge}",
        ]);
    }

    private static IEnumerable<string> References(string project) => Load(project).Descendants("ProjectReference").Select(edge => ShortName((string)edge.Attribute("Include")!));

    private static XDocument Load(string project) => XDocument.Parse(House.Read(project));

    // "../UGreen.Py.Hub/UGreen.Py.Hub.csproj" is called Hub here.
    private static string ShortName(string project) => Path.GetFileNameWithoutExtension(project.Replace('\\', '/')).Replace("UGreen.Py.", "", StringComparison.Ordinal);
}
