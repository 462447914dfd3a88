using System.Globalization;

namespace UGreen.Py.Server.Options;

/// <summary>Reads <c>--py-autoreload</c>.</summary>
internal static class ReloadOptionReader
{
    // Each look is a call of the kernel for every loaded module.
    private const double MinSeconds = 0.1;
    private const double MaxSeconds = 24 * 3600;

    /// <returns>The time between two looks; null: none, also for 0.</returns>
    public static TimeSpan? Read(string? text, List<string> errors)
    {
        if (text is null) return null;
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)) errors.Add($"--py-autoreload: '{text}' is not a number of seconds");
        else if (seconds is >= MinSeconds and <= MaxSeconds) return TimeSpan.FromSeconds(seconds);
        else if (seconds != 0) errors.Add(string.Create(CultureInfo.InvariantCulture, $"--py-autoreload: {text} is out of range (0, or {MinSeconds} to {MaxSeconds} s)"));
        return null;
    }
}
