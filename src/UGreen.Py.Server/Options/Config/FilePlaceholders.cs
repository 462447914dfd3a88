using System.Text;

namespace UGreen.Py.Server.Options.Config;

/// <summary>
/// The placeholders of one letter. They are replaced when a key is read, because they speak of its file; <c>%%</c> stays, and stands for one percent sign once
/// <see cref="PlaceholderExpander"/> has replaced the rest.
/// </summary>
internal sealed class FilePlaceholders
{
    private readonly string _given;
    private readonly string _path;
    private readonly string _section;
    private readonly string _folder;
    private readonly FilePlaceholders _first;

    /// <param name="given">The file as the user named it.</param>
    /// <param name="section">The section that is read.</param>
    /// <param name="folder">Where the server was started.</param>
    /// <param name="first">Those of the file that the user gave, when this one is included; null: this is it.</param>
    public FilePlaceholders(string given, string section, string folder, FilePlaceholders? first)
    {
        _given = given;
        _path = Path.GetFullPath(given, folder);
        _section = section;
        _folder = folder;
        _first = first ?? this;
    }

    /// <summary>All letters that stand for something somewhere.</summary>
    public const string Letters = "opsdencxOPSDENCX0123456789vhkuUgGtTV";

    /// <summary>Those of a file as an option names it, with the section behind a colon.</summary>
    public static FilePlaceholders OfFile(string given, string folder)
    {
        // A name with a colon may be a file's own.
        var colon = File.Exists(Path.GetFullPath(given, folder)) ? -1 : given.LastIndexOf(':');
        return colon <= 0 ? new FilePlaceholders(given, "uwsgi", folder, null) : new FilePlaceholders(given[..colon], given[(colon + 1)..], folder, null);
    }

    public string Replace(string value)
    {
        if (!value.Contains('%', StringComparison.Ordinal)) return value;

        var text = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '%' || i + 1 == value.Length)
            {
                text.Append(value[i]);
                continue;
            }

            var letter = value[++i];
            // A percent sign in a file's name is no placeholder.
            if (Of(letter) is { } found) text.Append(found.Replace("%", "%%", StringComparison.Ordinal));
            else text.Append('%').Append(letter);
        }

        return text.ToString();
    }

    /// <summary>What this one letter stands for; null: nothing.</summary>
    public string? Of(char letter)
        => "OPSDENCX".Contains(letter, StringComparison.Ordinal) ? _first.Own(char.ToLowerInvariant(letter)) : Own(letter) ?? ProcessFacts.Of(letter, _folder);

    private string? Own(char letter) => letter switch
    {
        'o' => _given,
        'p' => _path,
        's' => Path.GetFileName(_path),
        'd' => Folder().EndsWith('/') ? Folder() : Folder() + "/",
        'e' => Path.GetExtension(_path).TrimStart('.'),
        'n' => Path.GetFileNameWithoutExtension(_path),
        'c' => Path.GetFileName(Folder()),
        'x' => _section,
        >= '0' and <= '9' => Component(letter - '0'),
        _ => null,
    };

    private string Folder() => Path.GetDirectoryName(_path) ?? "/";

    private string? Component(int index)
    {
        var parts = Folder().Split('/', StringSplitOptions.RemoveEmptyEntries);
        return index < parts.Length ? parts[index] : null;
    }
}
