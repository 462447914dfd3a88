using System.Text;
using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests.Config;

/// <summary>A folder of configuration files, and command lines that are parsed with it as the start folder.</summary>
internal sealed class ConfigFolder : IDisposable
{
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);

    public string Path { get; } = Directory.CreateTempSubdirectory("ugreen-config-").FullName;

    /// <summary>Writes a file; the name may have folders.</summary>
    public ConfigFolder With(string name, string text) => With(name, Encoding.UTF8.GetBytes(text));

    public ConfigFolder With(string name, byte[] content)
    {
        var path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return this;
    }

    public ConfigFolder Variable(string name, string value)
    {
        _environment[name] = value;
        return this;
    }

    public Surroundings Surroundings
        => new(_environment.GetValueOrDefault, path => path == "/there", path => path is "/there" or "/there/python") { Variables = () => _environment, Folder = Path };

    public CommandLineResult Parse(params string[] args) => ServerCommandLine.Parse(args, Surroundings);

    public ServerOptions Run(params string[] args)
    {
        var result = Parse(args);
        if (result is CommandLineResult.Refused refused) Assert.Fail(string.Join("\n", refused.Errors));
        return Assert.IsType<CommandLineResult.Run>(result).Options;
    }

    public IReadOnlyList<string> Errors(params string[] args) => Assert.IsType<CommandLineResult.Refused>(Parse(args)).Errors;

    public string Error(params string[] args) => Assert.Single(Errors(args));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
