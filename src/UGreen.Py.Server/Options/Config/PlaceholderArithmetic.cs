using System.Globalization;

namespace UGreen.Py.Server.Options.Config;

/// <summary>
/// <c>%(a + 3)</c>: names and numbers, from left to right without precedence. Side by side they are one text; + - * / count in whole numbers of 64 bits, where a
/// division by 0 is 0; ++ and -- count what is left of them.
/// </summary>
internal static class PlaceholderArithmetic
{
    /// <param name="expression">Words with blanks between them.</param>
    /// <param name="named">The value of a placeholder, or null.</param>
    /// <returns>Null when a name is unknown.</returns>
    /// <exception cref="ConfigException">A text where a number is needed, or an operator at the end.</exception>
    public static string? Evaluate(string expression, Func<string, string?> named)
    {
        var result = "";
        string? pending = null;
        foreach (var token in expression.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (token is "++" or "--")
            {
                result = Text(unchecked(Number(result, expression) + (token == "++" ? 1 : -1)));
            }
            else if (token is "+" or "-" or "*" or "/")
            {
                pending = token;
            }
            else
            {
                var value = long.TryParse(token, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? token : named(token);
                if (value is null) return null;
                result = pending is null ? result + value : Text(Apply(pending, Number(result, expression), Number(value, expression)));
                pending = null;
            }
        }

        return pending is null ? result : throw new ConfigException($"%({ConfigWords.Shown(expression)}) ends with '{pending}'");
    }

    private static long Apply(string @operator, long left, long right) => unchecked(@operator switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        // The smallest number has no positive counterpart, and the processor refuses to divide it by -1.
        _ => right switch { 0 => 0, -1 => -left, _ => left / right },
    });

    private static long Number(string text, string expression)
        => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ConfigException($"%({ConfigWords.Shown(expression)}): '{ConfigWords.Shown(text)}' is not a whole number");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
