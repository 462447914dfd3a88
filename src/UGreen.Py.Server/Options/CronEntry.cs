using System.Globalization;

namespace UGreen.Py.Server.Options;

/// <summary>A command and when it runs: the value of <c>--cron</c>. Numbers as uWSGI has them: -1 is any, -k each that k divides.</summary>
internal sealed record CronEntry(int Minute, int Hour, int Day, int Month, int Weekday, string Command)
{
    private const int Fields = 5;

    // For each field what it may be at most, and at least.
    private static readonly (string Name, int Min, int Max)[] Ranges = [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7)];

    /// <summary>Reads "MIN HOUR DAY MONTH WEEKDAY COMMAND".</summary>
    /// <param name="text">The value.</param>
    /// <param name="errors">Gets a line for what is wrong.</param>
    /// <returns>Null after an error.</returns>
    public static CronEntry? Parse(string text, List<string> errors)
    {
        var words = text.Split((char[]?)null, Fields + 1, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length <= Fields)
        {
            errors.Add($"--cron: '{text}': expected five numbers and a command: \"MIN HOUR DAY MONTH WEEKDAY COMMAND\", as in \"-15 -1 -1 -1 -1 tools/sweep\"");
            return null;
        }

        var numbers = new int[Fields];
        for (var i = 0; i < Fields; i++)
        {
            var (name, min, max) = Ranges[i];
            var isNumber = int.TryParse(words[i] == "*" ? "-1" : words[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out numbers[i]);
            if (isNumber && ((numbers[i] >= min && numbers[i] <= max) || (numbers[i] < 0 && numbers[i] >= -max))) continue;
            errors.Add($"--cron: '{text}': '{words[i]}' is no {name}: {min} to {max}, -1 for any, -2 to -{max} for each that the number divides");
            return null;
        }

        return new CronEntry(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], words[Fields].Trim());
    }

    /// <summary>It is due in this minute. With both a day and a weekday it is due on either, as cron has it.</summary>
    public bool IsDue(DateTime local)
    {
        if (!Meets(Minute, local.Minute) || !Meets(Hour, local.Hour) || !Meets(Month, local.Month)) return false;
        var weekday = (int)local.DayOfWeek;
        var onDay = Meets(Day, local.Day);
        var onWeekday = Meets(Weekday % 7 == 0 && Weekday > 0 ? 0 : Weekday, weekday);
        return Day != -1 && Weekday != -1 ? onDay || onWeekday : onDay && onWeekday;
    }

    private static bool Meets(int rule, int value) => rule == -1 || (rule < 0 ? value % -rule == 0 : value == rule);
}
