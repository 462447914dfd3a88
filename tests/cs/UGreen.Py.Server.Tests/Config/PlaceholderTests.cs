using System.Globalization;
using UGreen.Py.Server.Options.Config;
using Xunit;

namespace UGreen.Py.Server.Tests.Config;

public sealed class PlaceholderTests
{
    [Theory]
    [InlineData("%o", "conf/site.x.ini")]
    [InlineData("%p", "/srv/my site/conf/site.x.ini")]
    [InlineData("%d", "/srv/my site/conf/")]
    [InlineData("%s|%n|%e|%c|%x", "site.x.ini|site.x|ini|conf|prod")]
    [InlineData("%0,%1,%2,%3", "srv,my site,conf,%3")]
    [InlineData("%v", "/srv/my site")]
    [InlineData("%D%S", "/etc/first.ini")]
    [InlineData("%%d 100% %(name) %z", "%%d 100% %(name) %z")]
    public void Of_one_letter(string value, string expected)
        => Assert.Equal(expected, new FilePlaceholders("conf/site.x.ini", "prod", "/srv/my site", new FilePlaceholders("/etc/first.ini", "uwsgi", "/", null)).Replace(value));

    [Fact]
    public void A_percent_sign_in_a_folder_is_no_placeholder()
        => Assert.Equal("/50%(a)/", Expand(new FilePlaceholders("/50%(a)/x.ini", "uwsgi", "/", null).Replace("%d"), ("a", "b")));

    [Fact]
    public void Of_the_process()
    {
        var file = new FilePlaceholders("x.ini", "uwsgi", "/", null);

        Assert.Equal(Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture), file.Replace("%k"));
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/hostname").Trim(), file.Replace("%h"));
        Assert.Equal(Environment.UserName, file.Replace("%U"));
        Assert.Matches(@"^\d+ \d+ \S+ \d{10} \d{16} \d+\.\d+\.\d+", file.Replace("%u %g %G %t %T %V"));
    }

    [Theory]
    [InlineData("%(base)/app", "/srv/app")]
    [InlineData("%(nested)", "/srv/x/y")]
    [InlineData("%%(base) 100%", "%(base) 100%")]
    [InlineData("%(unknown) $(UNKNOWN) %(", "%(unknown) $(UNKNOWN) %(")]
    [InlineData("$(HOME):$(EMPTY):$(EMPTY-a):$(EMPTY:-b):$(NONE-c):$(NONE:-%(base))", "/root:::b:c:/srv")]
    [InlineData("$(not a name-x) $(a=b:-c) $(:-x)", "$(not a name-x) $(a=b:-c) $(:-x)")]
    [InlineData("%(n + 3) %(n - 3) %(n * 3) %(n / 3) %(n / 0) %(n ++) %(n --)", "13 7 30 3 0 11 9")]
    [InlineData("%(n + 3 * 2) %(base n) %(2 2 + 1)", "26 /srv10 23")]
    [InlineData("%(n + what)", "%(n + what)")]
    [InlineData("%(pythonpath) %(pp)", "/lib /lib")]
    [InlineData("%(literal)", "%(base)")]
    [InlineData("a(b)%(base)(c) ) (", "a(b)/srv(c) ) (")]
    public void With_names(string value, string expected)
        => Assert.Equal(expected, Expand(value, ("base", "/srv"), ("base", "/later"), ("nested", "%(base)/x%(more)"), ("more", "/y"), ("n", "10"), ("python-path", "/lib")));

    [Fact]
    public void A_files_content_is_taken_as_it_is()
    {
        using var folder = new ConfigFolder().With("d/secret", "a %(base)\n\n");

        Assert.Equal("<a %(base)>", Expand(folder, "<@(%(where)/secret)>", ("where", "d"), ("base", "b")));
        Assert.Equal("f.ini:1: key 'key': @(none) no such file", Assert.Throws<ConfigException>(() => Expand(folder, "@(none)")).Message);
    }

    [Theory]
    [InlineData("%(a)", "f.ini:1: key 'key': placeholders in a circle: %(a) → %(b) → %(a)")]
    [InlineData("%(doubles)", "f.ini:1: key 'key': with its placeholders replaced, the value is longer than 65536 characters")]
    [InlineData("%(x + 1)", "f.ini:1: key 'key': %(x + 1): 'text' is not a whole number")]
    [InlineData("%(1 +)", "f.ini:1: key 'key': %(1 +) ends with '+'")]
    [InlineData("%(-9223372036854775808 / -1 + doubles)", "f.ini:1: key 'key': with its placeholders replaced, the value is longer than 65536 characters")]
    public void What_does_not_work_out(string value, string message)
    {
        List<(string, string)> values = [("a", "%(b)"), ("b", "%(a)"), ("x", "text"), ("d0", new string('x', 10))];
        for (var i = 1; i < 30; i++) values.Add(($"d{i}", $"%(d{i - 1})%(d{i - 1})"));
        values.Add(("doubles", "%(d29)"));

        Assert.Equal(message, Assert.Throws<ConfigException>(() => Expand(value, [.. values])).Message);
    }

    [Fact]
    public void Deep_and_wide_ones_end_soon()
    {
        var deep = string.Concat(Enumerable.Repeat("$(NONE-", 8000)) + new string(')', 8000);

        Assert.EndsWith("more than 32 placeholders within each other", Assert.Throws<ConfigException>(() => Expand(deep)).Message, StringComparison.Ordinal);
        Assert.EndsWith("is longer than 65536 characters", Assert.Throws<ConfigException>(() => Expand(new string('%', 65_537))).Message, StringComparison.Ordinal);
        var wide = string.Concat(Enumerable.Repeat("%(", 30_000));
        Assert.Equal(wide, Expand(wide));
    }

    private static string Expand(string value, params (string Key, string Value)[] values)
    {
        using var folder = new ConfigFolder();
        return Expand(folder, value, values);
    }

    private static string Expand(ConfigFolder folder, string value, params (string Key, string Value)[] values)
    {
        folder.Variable("HOME", "/root").Variable("EMPTY", "");
        var source = new ConfigSource("f.ini", 1);
        var known = new PlaceholderValues(new Dictionary<string, object> { ["literal"] = "%(base)" });
        foreach (var (key, text) in values) known.Add(new ConfigEntry(key, text, source));
        return new PlaceholderExpander(known, folder.Surroundings).Expand(new ConfigEntry("key", value, source));
    }
}
