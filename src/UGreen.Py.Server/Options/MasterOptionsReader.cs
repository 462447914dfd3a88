using System.Globalization;

namespace UGreen.Py.Server.Options;

/// <summary>Checks the options that make <see cref="MasterOptions"/>.</summary>
internal sealed class MasterOptionsReader(ParsedArguments arguments, Surroundings surroundings, List<string> errors)
{
    private const long MegaByte = 1 << 20;

    public MasterOptions Read()
    {
        var workers = Workers();
        var cheaper = arguments.Cheaper is { } fewest ? (int)Whole("cheaper", fewest, 1, 1, OptionDefaults.MaxWorkers) : (int?)null;
        if (cheaper >= workers) errors.Add($"--cheaper: {cheaper} is not less than the {workers} of --processes");
        var initial = arguments.CheaperInitial is { } first ? (int)Whole("cheaper-initial", first, 1, 1, OptionDefaults.MaxWorkers) : cheaper ?? workers;
        if (cheaper is { } least && arguments.CheaperInitial is not null && (initial < least || initial > workers)) errors.Add($"--cheaper-initial: {initial} is out of range ({least} to {workers})");
        if (cheaper is null && (arguments.CheaperInitial ?? arguments.CheaperStep ?? arguments.CheaperOverload) is not null) errors.Add("--cheaper-initial, --cheaper-step and --cheaper-overload need --cheaper");
        var impliedBy = arguments.Master ? null : ImpliedBy(workers);
        return new MasterOptions
        {
            IsEnabled = arguments.Master || impliedBy is not null,
            ImpliedBy = impliedBy,
            Workers = workers,
            MaxRequests = Whole("max-requests", arguments.MaxRequests, 0, 0, long.MaxValue / 2),
            MaxRequestsDelta = Whole("max-requests-delta", arguments.MaxRequestsDelta, 0, 0, int.MaxValue),
            MinLifetime = Seconds("min-worker-lifetime", arguments.MinWorkerLifetime) ?? TimeSpan.FromSeconds(OptionDefaults.MinWorkerLifetimeSeconds),
            Lifetime = Seconds("worker-lifetime", arguments.WorkerLifetime) is { } lifetime && lifetime > TimeSpan.Zero ? lifetime : null,
            LifetimeDelta = Seconds("max-worker-lifetime-delta", arguments.MaxWorkerLifetimeDelta) ?? TimeSpan.Zero,
            ReloadOnRss = Whole("reload-on-rss", arguments.ReloadOnRss, 0, 0, int.MaxValue) is > 0 and var mega ? mega * MegaByte : null,
            Cheaper = cheaper,
            Initial = initial,
            CheaperStep = (int)Whole("cheaper-step", arguments.CheaperStep, 1, 1, OptionDefaults.MaxWorkers),
            CheaperOverload = Seconds("cheaper-overload", arguments.CheaperOverload) ?? TimeSpan.FromSeconds(OptionDefaults.CheaperOverloadSeconds),
            TouchReload = [.. arguments.TouchReload.Select(path => Path.GetFullPath(path, surroundings.Folder))],
            Autoreload = Seconds("py-autoreload", arguments.PyAutoreload) is { } pace && pace > TimeSpan.Zero ? pace : null,
            AutoreloadIgnore = [.. arguments.PyAutoreloadIgnore],
            Daemons = [.. arguments.AttachDaemon],
            Crons = [.. arguments.Cron.Select(text => CronEntry.Parse(text, errors)).OfType<CronEntry>()],
        };
    }

    private int Workers()
    {
        if (arguments.Processes == "auto") return Environment.ProcessorCount;
        if (arguments.Processes is not { } text) return 1;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= OptionDefaults.MaxWorkers) return count;
        errors.Add($"--processes: '{text}' is neither a number from 1 to {OptionDefaults.MaxWorkers} nor 'auto'");
        return 1;
    }

    /// <summary>Only a master can do these; who asks for one of them has asked for it.</summary>
    private string? ImpliedBy(int workers)
    {
        if (workers > 1) return "--processes";
        (string Name, bool IsGiven)[] needing =
        [
            ("--max-requests", arguments.MaxRequests is not null), ("--reload-on-rss", arguments.ReloadOnRss is not null), ("--worker-lifetime", arguments.WorkerLifetime is not null),
            ("--py-autoreload", arguments.PyAutoreload is not null), ("--touch-reload", arguments.TouchReload.Any()), ("--attach-daemon", arguments.AttachDaemon.Any()), ("--cron", arguments.Cron.Any()),
        ];
        return needing.FirstOrDefault(option => option.IsGiven).Name;
    }

    private long Whole(string option, string? text, long preset, long min, long max)
    {
        if (text is null) return preset;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) errors.Add($"--{option}: '{text}' is not a whole number");
        else if (number < min || number > max) errors.Add($"--{option}: {number} is out of range ({min} to {max})");
        else return number;
        return preset;
    }

    private TimeSpan? Seconds(string option, string? text)
    {
        if (text is null) return null;
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds) || double.IsNaN(seconds)) errors.Add($"--{option}: '{text}' is not a number of seconds");
        else if (seconds < 0 || seconds > OptionDefaults.MaxWorkerSeconds) errors.Add($"--{option}: {text} is out of range (0 to {OptionDefaults.MaxWorkerSeconds} s)");
        else return TimeSpan.FromSeconds(seconds);
        return null;
    }
}
