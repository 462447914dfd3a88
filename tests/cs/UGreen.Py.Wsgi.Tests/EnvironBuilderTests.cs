using UGreen.Py.CPython;
using UGreen.Py.Testing;
using UGreen.Py.Wsgi.Environ;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

[Collection(PythonCollection.Name)]
public sealed class EnvironBuilderTests(PythonThread python)
{
    [Fact]
    public void The_template_is_copied_and_never_changed() => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange("/a", headers: ("X-One", "1")), 0), "first");
        scope.Run("first['SCRIPT_NAME'] = '/changed'; first['mine'] = 1");
        Set(scope, builder.Build(new TestExchange("/b"), 1), "second");
        Assert.Equal("{'SCRIPT_NAME': '', 'wsgi.input': 'none'}", scope.Text("template"));
        Assert.Equal("True", scope.Text("type(second) is dict and second['SCRIPT_NAME'] == '' and 'mine' not in second and 'HTTP_X_ONE' not in second"));
    });

    [Fact]
    public void The_keys_of_the_request_are_those_of_the_PEP() => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange("/a%20b/?q=%20&r", headers: ("Host", "example.org")), 2));
        string[] expected =
        [
            "HTTP_HOST example.org", "PATH_INFO /a b/", "QUERY_STRING q=%20&r", "REMOTE_ADDR 192.0.2.7", "REMOTE_PORT 40123", "REQUEST_METHOD GET", "REQUEST_URI /a%20b/?q=%20&r",
            "SCRIPT_NAME ", "SERVER_NAME 192.0.2.1", "SERVER_PORT 8080", "SERVER_PROTOCOL HTTP/1.1", "uwsgi.core 2", "wsgi.input none", "wsgi.url_scheme http",
        ];
        Assert.Equal(string.Join("\n", expected), scope.Text("'\\n'.join(sorted(f'{key} {value}' for key, value in environ.items()))"));
        Assert.Equal("True", scope.Text("all(type(value) is str for key, value in environ.items() if key != 'uwsgi.core') and type(environ['uwsgi.core']) is int"));
    });

    [Fact]
    public void Values_that_change_between_requests_are_not_those_of_the_last() => Build((builder, scope) =>
    {
        _ = builder.Build(new TestExchange("/a?x", headers: ("Host", "one")), 0);
        Set(scope, builder.Build(new TestExchange("/b?y", headers: ("Host", "two")).From("2001:db8::1", 0, 8443, "https", "POST", "HTTP/2"), 3));
        Assert.Equal(
            "POST HTTP/2 https 2001:db8::1 0 8443 /b y /b?y two 3",
            scope.Text("' '.join(str(environ[key]) for key in 'REQUEST_METHOD SERVER_PROTOCOL wsgi.url_scheme REMOTE_ADDR REMOTE_PORT SERVER_PORT PATH_INFO QUERY_STRING REQUEST_URI HTTP_HOST uwsgi.core'.split())"));
    });

    [Fact]
    public void A_path_is_one_character_per_byte() => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange("/%E2%82%AC%ff"), 0));
        Assert.Equal("True", scope.Text("environ['PATH_INFO'].encode('latin-1') == b'/\\xe2\\x82\\xac\\xff'"));
    });

    [Theory]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(60_000)]
    public void A_path_of_any_length(int length) => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange("/" + new string('x', length - 4) + "%41"), 0));
        Assert.Equal($"{length - 2} True", scope.Text("f\"{len(environ['PATH_INFO'])} {environ['PATH_INFO'].endswith('xA')}\""));
    });

    [Theory]
    [InlineData("http://example.org/a?b", "/a b")]
    [InlineData("*", "* ")]
    [InlineData("http://example.org", "/ ")]
    public void Other_forms_of_the_target(string target, string pathAndQuery) => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange(target), 0));
        Assert.Equal(pathAndQuery, scope.Text("environ['PATH_INFO'] + ' ' + environ['QUERY_STRING']"));
        Assert.Equal(target, scope.Text("environ['REQUEST_URI']"));
    });

    [Fact]
    public void Repeated_headers_are_one_list_and_cookies_are_joined_as_cookies() => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange("/", headers: [("X-A", "1"), ("Cookie", "a=1"), ("x-a", "2"), ("cookie", "b=2"), ("X-a", "3"), ("COOKIE", "c=3")]), 0));
        Assert.Equal("1, 2, 3", scope.Text("environ['HTTP_X_A']"));
        Assert.Equal("a=1; b=2; c=3", scope.Text("environ['HTTP_COOKIE']"));
    });

    [Fact]
    public void Content_type_and_length_have_no_prefix() => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange("/", hasBody: true, ("Content-Type", "text/plain"), ("Content-Length", "5")), 0));
        Assert.Equal("text/plain 5", scope.Text("environ['CONTENT_TYPE'] + ' ' + environ['CONTENT_LENGTH']"));
        Assert.Equal("False", scope.Text("'HTTP_CONTENT_TYPE' in environ or 'HTTP_CONTENT_LENGTH' in environ"));
    });

    [Fact]
    public void With_a_body_the_driver_is_asked_for_its_reader() => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange(hasBody: true), 0));
        Assert.Equal("None", scope.Text("environ['wsgi.input']"));
    });

    [Fact]
    public void Header_values_are_one_character_per_byte() => Build((builder, scope) =>
    {
        Set(scope, builder.Build(new TestExchange("/", headers: [("X-A", "\u00e9\u00ff"), ("X-B", "")]), 0));
        Assert.Equal("True", scope.Text("environ['HTTP_X_A'] == '\\xe9\\xff' and environ['HTTP_X_B'] == ''"));
    });

    [Fact]
    public void More_names_than_are_remembered_still_arrive_again_and_again() => Build((builder, scope) =>
    {
        for (var round = 0; round < 3; round++)
        {
            for (var part = 0; part < 12; part++)
            {
                var from = part * 50;
                Set(scope, builder.Build(new TestExchange("/", headers: [.. Enumerable.Range(from, 50).Select(i => ($"X-{i}", $"{i + round}")), ("X-0", "again")]), 0));
                Assert.Equal("True", scope.Text($"all(environ['HTTP_X_%d' % i] == str(i + {round}) for i in range({Math.Max(1, from)}, {from + 50})) and environ['HTTP_X_0'].endswith('again')"));
            }
        }
    });

    [Fact]
    public void Building_leaks_no_reference() => Build((builder, scope) =>
    {
        // The environs' own strings die with them; what is cached is counted before.
        var exchange = new TestExchange("/a?b", hasBody: true, ("Host", "example.org"), ("X-A", "1"), ("X-A", "2"));
        builder.Build(exchange, 0).Dispose();
        scope.Run("import gc, sys\ngc.collect()");
        var before = long.Parse(scope.Text("sys.getallocatedblocks()"));
        for (var i = 0; i < 1000; i++) builder.Build(exchange, 0).Dispose();
        scope.Run("gc.collect()");
        Assert.InRange(long.Parse(scope.Text("sys.getallocatedblocks()")) - before, -100, 100);
    });

    private static void Set(InterpreterScope scope, NewRef environ, string name = "environ")
    {
        using (environ) scope.Set(name, environ.Borrow());
    }

    private void Build(Action<EnvironBuilder, InterpreterScope> test) => python.Run(() =>
    {
        using var scope = new InterpreterScope();
        scope.Run("template = {'SCRIPT_NAME': '', 'wsgi.input': 'none'}");
        test(new EnvironBuilder(scope.Evaluate("template"), 4), scope);
    });
}
