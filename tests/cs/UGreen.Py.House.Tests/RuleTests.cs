namespace UGreen.Py.House.Tests;

/// <summary>The rules find what they are there to find, and let pass what they should: a rule that is always green keeps nothing.</summary>
public sealed class RuleTests
{
    [Theory]
    [InlineData("a // {", "a     ")]
    [InlineData("a /* { */ b", "a         b")]
    [InlineData("x = \"{ \\\" }\"; {", "x = \"      \"; {")]
    [InlineData("x = @\"{ \"\" \\\"; {", "x = @\"      \"; {")]
    [InlineData("x = '{'; y = '\\''; {", "x = ' '; y = '  '; {")]
    [InlineData("$\"a {f(\"}\")} b {{ \" + {", "$\"   f(\" \")       \" + {")]
    [InlineData("\"\"\" { \" } \"\"\" + {", "\"\"\"       \"\"\" + {")]
    [InlineData("$$\"\"\" {x} {{y}} \"\"\" + {", "$$\"\"\"       y   \"\"\" + {")]
    public void Literals_and_comments_are_not_code(string text, string code) => Assert.Equal(code, CSharpMask.Blank(text));

    [Fact]
    public void Unsafe_without_a_reason_is_found()
    {
        Assert.Single(Unsafe("class A\n{\n\n\n\n\n\n    unsafe void F() { }\n}"));
        Assert.Single(Unsafe("unsafe class A\n{\n}"));
        Assert.Empty(Unsafe("class A\n{\n    // SAFETY: reads nothing.\n    [Attribute]\n    unsafe void F() { }\n}"));
        Assert.Empty(Unsafe("// SAFETY: declarations.\nclass A\n{\n\n\n\n\n\n    unsafe void F() { }\n}"));
        Assert.Empty(Unsafe("class A\n{\n    // unsafe in a comment\n}"));
    }

    [Fact]
    public void In_an_unsafe_type_each_member_that_touches_memory_speaks()
    {
        const string Loud = "    void F()\n    {\n        // SAFETY: ours.\n        p->x = 1;\n    }\n\n";
        const string Silent = "    void G()\n    {\n        p->x = 1;\n    }\n";
        const string Harmless = "    void H()\n    {\n        x = 1;\n    }\n\n\n\n";
        Assert.Empty(Unsafe($"unsafe class A\n{{\n{Loud}{Harmless}}}"));
        Assert.Equal(["src/P/A.cs:18: p->x = 1;"], Unsafe($"unsafe class A\n{{\n{Loud}{Harmless}{Silent}}}"));
    }

    [Theory]
    [InlineData("[UnmanagedCallersOnly]", "x = 1;", false)]
    [InlineData("[UnmanagedCallersOnly, RunsOn(StackKinds.Main | StackKinds.HiddenGreen)]", "x = 1;", true)]
    [InlineData("[UnmanagedCallersOnly, RunsOn(StackKinds.Main | StackKinds.Green)]", "x = 1;", false)]
    [InlineData("[UnmanagedCallersOnly, RunsOn(StackKinds.Green)]", "using var hidden = HiddenCore.Begin(s_cell);", true)]
    [InlineData("[Other]", "p = Marshal.GetFunctionPointerForDelegate(d);", false)]
    public void What_C_calls_says_where_it_runs(string attribute, string first, bool holds)
        => Assert.Equal(holds, !NativeEntryRule.Violations([Source("src/P/A.cs", $"class A\n{{\n    {attribute}\n    static int F()\n    {{\n        {first}\n    }}\n}}")]).Any());

    [Fact]
    public void The_parts_of_a_partial_type_share_their_reason()
    {
        var parts = new[] { Source("src/P/A.cs", "// SAFETY: mirrors C.\nunsafe partial class A { }"), Source("src/P/A.More.cs", "unsafe partial class A { }"), Source("src/Q/A.cs", "unsafe partial class A { }") };
        Assert.Equal(["src/Q/A.cs:1: unsafe partial class A { }"], SafetyRule.Violations(parts));
    }

    [Fact]
    public void Long_functions_are_found_and_long_data_is_not()
    {
        var body = string.Concat(Enumerable.Repeat("        x++; if (x > 0) { x--; }\n", SizeRule.FunctionLines));
        Assert.Equal(["F"], LongFunctions($"class A\n{{\n    int F<T>(int x = 1)\n    {{\n{body}    }}\n}}"));
        Assert.NotEmpty(LongFunctions($"class A\n{{\n    int P\n    {{\n        get\n        {{\n{body}        }}\n    }}\n}}"));
        Assert.Equal(["F"], LongFunctions($"class A\n{{\n    void F(R* record)\n    {{\n{body}    }}\n}}"));
        Assert.Equal(["A"], LongFunctions($"class A : B\n{{\n    A() : base(1)\n    {{\n{body}    }}\n}}"));
        Assert.NotEmpty(LongFunctions($"class A\n{{\n    int F(int x) => x switch\n    {{\n{string.Concat(Enumerable.Repeat("        1 => 2,\n", SizeRule.FunctionLines))}    }};\n}}"));
        Assert.Empty(LongFunctions($"class A\n{{\n    static readonly A s_a = new()\n    {{\n{string.Concat(Enumerable.Repeat("        P = 1,\n", SizeRule.FunctionLines))}    }};\n}}"));
        Assert.Empty(LongFunctions($"class A\n{{\n{string.Concat(Enumerable.Repeat("    void F() { }\n", SizeRule.FunctionLines))}}}"));
    }

    [Fact]
    public void A_large_file_may_be_listed_and_must_leave_the_list()
    {
        var reasons = new Dictionary<string, string> { ["a.cs"] = "reason" };
        Assert.Empty(SizeRule.Files([("a.cs", SizeRule.FileLines + 1)], reasons));
        Assert.Single(SizeRule.Files([("a.cs", SizeRule.FileLines)], reasons));
        Assert.Single(SizeRule.Files([("b.cs", SizeRule.FileLines + 1)], new Dictionary<string, string>()));
    }

    [Theory]
    [InlineData("src/P/A.cs", "public readonly record struct A(int B);", true)]
    [InlineData("src/P/A.Part.cs", "public partial class A<T> where T : class { }", true)]
    [InlineData("src/P/AssemblyInfo.cs", "[assembly: X]", true)]
    [InlineData("src/P/A.cs", "public enum B { A }", false)]
    public void Files_are_named_after_their_first_type(string path, string text, bool holds) => Assert.Equal(holds, SourceTests.NameViolation(Source(path, text)) is null);

    [Fact]
    public void Event_ids_are_read_in_each_spelling()
    {
        const string Text = "[LoggerMessage(1, LogLevel.Debug, \"a\")] [LoggerMessage(EventId = 2, Level = X)] [LoggerMessage(Level = X, EventId = 3)] LoggerMessage.Define(X, new EventId(4, \"n\"), \"m\")";
        Assert.Equal(["1", "2", "3", "4"], SourceTests.EventIds([Source("src/P/A.cs", Text)]).Select(use => use.Id).Order());
    }

    [Fact]
    public void Words_are_found()
    {
        Assert.Matches(SourceTests.LeftForLater(), "// TO" + "DO: later");
        Assert.Matches(SourceTests.OwnTime(), "var now = DateTime.UtcNow;");
        Assert.DoesNotMatch(SourceTests.OwnTime(), "var now = clock.Now;");
        Assert.Matches(SourceTests.OtherLicence(), "under the G" + "PL");
    }

    [Fact]
    public void Dead_links_and_machine_paths_are_found()
    {
        Assert.Equal(["no-such-file.md#x"], TextTests.DeadLinks("README.md", "[a](no-such-file.md#x) [b](https://example.org/x) [c](#here) `[d](e)` [f](src)"));
        Assert.Equal(2, TextTests.MachineTraces("in /wo" + "rk/main and https://api.nu" + "get.org/v3").Count());
        Assert.Empty(TextTests.MachineTraces("~/network/x, {root}/root/x, https://example.org/work/x"));
    }

    private static CSharpSource Source(string path, string text) => new(path, text);

    private static IEnumerable<string> Unsafe(string text) => SafetyRule.Violations([Source("src/P/A.cs", text)]);

    private static IEnumerable<string> LongFunctions(string text)
        => Source("src/P/A.cs", text).Functions().Where(function => function.Length > SizeRule.FunctionLines).Select(function => function.Name);
}
