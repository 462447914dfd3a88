namespace UGreen.Py.Server.Options.Config;

/// <summary>Keys by which uWSGI makes other keys conditional or repeats them. Passing over them would apply what they guard.</summary>
internal static class ConfigLogic
{
    public static bool Is(string key)
        => key is "if" or "else" or "endif" or "for" or "endfor"
            || key.StartsWith("if-", StringComparison.Ordinal)
            || key.StartsWith("for-", StringComparison.Ordinal);
}
