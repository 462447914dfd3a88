using UGreen.Py.Server.Options;
using Xunit;

namespace UGreen.Py.Server.Tests;

/// <summary>Short ways to a parsed command line. Of the machine, the folder /there and the file /there/python exist.</summary>
internal static class CommandLineFacts
{
    public static Surroundings With(string? pythonVariable = null)
        => new(name => name == "UGREEN_PYTHON" ? pythonVariable : null, path => path == "/there", path => path is "/there" or "/there/python");

    public static CommandLineResult Parse(params string[] args) => ServerCommandLine.Parse(args, With());

    public static ServerOptions Run(params string[] args)
    {
        var result = Parse(args);
        if (result is CommandLineResult.Refused refused) Assert.Fail(string.Join("\n", refused.Errors));
        return Assert.IsType<CommandLineResult.Run>(result).Options;
    }

    public static IReadOnlyList<string> Errors(params string[] args) => Assert.IsType<CommandLineResult.Refused>(Parse(args)).Errors;
}
