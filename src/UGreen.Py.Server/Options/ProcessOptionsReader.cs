using System.Globalization;
using UGreen.Py.Native;

namespace UGreen.Py.Server.Options;

/// <summary>Checks the options that make <see cref="ProcessOptions"/>.</summary>
internal sealed class ProcessOptionsReader(ParsedArguments arguments, Surroundings surroundings, List<string> errors)
{
    private const int MaxMask = 0x1ff; // 0777

    public ProcessOptions Read()
    {
        if (arguments.ProcName is not null && arguments.AutoProcName) errors.Add("--procname and --auto-procname: give one of them");
        return new ProcessOptions
        {
            PidFile = FullPath("pidfile", arguments.PidFile),
            Vacuum = arguments.Vacuum,
            Umask = Mask(),
            Identity = NewIdentity(),
            SocketOwner = Owner(),
            Daemonize = FullPath("daemonize", arguments.Daemonize),
            Name = arguments.ProcName,
            NamePrefix = arguments.ProcNamePrefixSpaced is { } spaced ? spaced + " " : arguments.ProcNamePrefix,
            AutoName = arguments.AutoProcName,
        };
    }

    private string? FullPath(string option, string? path)
    {
        if (path is null) return null;
        var full = Path.GetFullPath(path, surroundings.Folder);
        if (surroundings.IsDirectory(full)) errors.Add($"--{option} '{path}': it is a directory");
        else if (Path.GetDirectoryName(full) is { } folder && !surroundings.IsDirectory(folder)) errors.Add($"--{option} '{path}': the directory {folder} {surroundings.WhyMissing(folder)}");
        return full;
    }

    private int? Mask()
    {
        if (arguments.Umask is not { } text) return null;
        var mask = 0;
        foreach (var digit in text) mask = digit is >= '0' and <= '7' && mask <= MaxMask ? (mask * 8) + (digit - '0') : MaxMask + 1;
        if (mask <= MaxMask) return mask;
        errors.Add($"--umask: '{text}' is not an octal number from 0 to 777");
        return null;
    }

    /// <summary>Null when neither option is given, when they name who the process is already, and after an error.</summary>
    private Identity? NewIdentity()
    {
        if (arguments.Uid is null && arguments.Gid is null) return null;
        var before = errors.Count;
        var account = arguments.Uid is { } uid ? User("uid", uid) : null;
        var group = arguments.Gid is { } gid ? Group("gid", gid) : account?.Group;
        if (errors.Count > before) return null;
        // Root's group must not stay behind unseen.
        if (group == Credentials.Unchanged) errors.Add($"--uid {arguments.Uid}: no user has that number, so its group is not known; give --gid, too");
        var identity = new Identity(account?.User ?? Credentials.User, group ?? Credentials.Group, account?.Name);
        if (identity.User == Credentials.User && identity.Group == Credentials.Group) return null;
        if (Credentials.User == 0) return errors.Count == before ? identity : null;
        errors.Add($"{(arguments.Uid is null ? $"--gid {arguments.Gid}" : $"--uid {arguments.Uid}")}: only root may change the user or group of a process, and the server was started by user {Credentials.User}");
        return null;
    }

    private Identity? Owner()
    {
        if (arguments.ChownSocket is not { } text) return null;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (user, group) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        if (colon >= 0 && group.Length == 0)
        {
            errors.Add($"--chown-socket '{text}': expected USER or USER:GROUP");
            return null;
        }

        var account = user.Length > 0 ? User("chown-socket", user) : new Identity(Credentials.Unchanged, Credentials.Unchanged, null);
        var groupId = group.Length > 0 ? Group("chown-socket", group) : Credentials.Unchanged;
        return account is null || groupId is null ? null : new Identity(account.User, groupId.Value, account.Name);
    }

    private Identity? User(string option, string text)
    {
        try
        {
            if (Number(text) is { } id) return Accounts.User(id) is { } known ? new Identity(id, known.Group, known.Name) : new Identity(id, Credentials.Unchanged, null);
            if (Accounts.User(text) is { } account) return new Identity(account.User, account.Group, account.Name);
            errors.Add($"--{option}: there is no user '{text}'");
        }
        catch (LinuxException e)
        {
            errors.Add($"--{option}: user '{text}' cannot be looked up: {e.Message}");
        }

        return null;
    }

    private uint? Group(string option, string text)
    {
        try
        {
            if (Number(text) is { } id) return id;
            if (Accounts.Group(text) is { } group) return group;
            errors.Add($"--{option}: there is no group '{text}'");
        }
        catch (LinuxException e)
        {
            errors.Add($"--{option}: group '{text}' cannot be looked up: {e.Message}");
        }

        return null;
    }

    // The largest number means "unchanged" to the kernel.
    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id < Credentials.Unchanged ? id : null;
}
