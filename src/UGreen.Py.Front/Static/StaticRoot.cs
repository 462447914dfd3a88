using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using UGreen.Py.Native;

namespace UGreen.Py.Front.Static;

/// <summary>One directory, or one file, with the ASP.NET Core middleware that serves it. Any thread.</summary>
internal sealed class StaticRoot
{
    private readonly string _folder;
    private readonly string? _onlyFile;
    private readonly IReadOnlyList<string> _indexNames;
    private readonly StaticFileMiddleware _middleware;

    /// <param name="map">What it serves.</param>
    /// <param name="isExclusive">A method other than GET and HEAD is answered 405 rather than passed on.</param>
    /// <param name="indexNames">Files that stand for their directory.</param>
    public StaticRoot(StaticMap map, bool isExclusive, IReadOnlyList<string> indexNames)
    {
        Prefix = map.Prefix;
        IsExclusive = isExclusive;
        _indexNames = indexNames;
        _folder = map.IsDirectory ? map.Path : Path.GetDirectoryName(map.Path)!;
        _onlyFile = map.IsDirectory ? null : "/" + Path.GetFileName(map.Path);
#pragma warning disable CA2000 // Without a watch, which nobody asks for, it holds nothing; and it lives as long as the process.
        // A single file is named by the operator, so a dot at its beginning hides it from nobody.
        var files = new PhysicalFileProvider(_folder, map.IsDirectory ? ExclusionFilters.Sensitive : ExclusionFilters.None);
#pragma warning restore CA2000
        var options = new StaticFileOptions { FileProvider = new LinkedFileProvider(files), ServeUnknownFileTypes = true, DefaultContentType = "application/octet-stream" };
        // Its lines would be about what clients ask for (a range that a file does not have); the request log has those.
        _middleware = new StaticFileMiddleware(Decline, new NoHostEnvironment(), Options.Create(options), NullLoggerFactory.Instance);
    }

    public string Prefix { get; }

    public bool IsExclusive { get; }

    /// <summary>The file for what is left of the path behind the prefix.</summary>
    public StaticHit Find(string rest)
    {
        if (_onlyFile is not null) return rest.Length == 0 && FileKind.IsRegularFile(_folder + _onlyFile) ? new(this, _onlyFile) : default;
        if (!StaticPath.MayNameFile(rest)) return default;
        if (rest.Length > 0 && rest[^1] != '/' && FileKind.IsRegularFile(_folder + rest)) return IsInside(rest) ? new(this, rest) : default;
        return _indexNames.Count > 0 ? FindIndex(rest) : default;
    }

    /// <summary>Lets ASP.NET Core answer with <paramref name="file"/>; <see cref="StaticResponse.IsDeclined"/> says when it did not.</summary>
    public Task ServeAsync(HttpContext context, string file)
    {
        context.Request.Path = new PathString(file);
        return _middleware.Invoke(context);
    }

    private StaticHit FindIndex(string rest)
    {
        // An empty path below an empty prefix is the root with its slash left out, and has no name that could be written with one.
        if (rest.Length == 0 && Prefix.Length == 0) rest = "/";
        var isDirectoryPath = rest.EndsWith('/');
        foreach (var name in _indexNames)
        {
            var file = isDirectoryPath ? rest + name : rest + "/" + name;
            // Links in the page are relative to its directory, so the path must end in a slash before the page is shown.
            if (FileKind.IsRegularFile(_folder + file) && IsInside(file)) return new(this, isDirectoryPath ? file : null);
        }

        return default;
    }

    /// <summary>Whether the file still lies below the directory when links are followed. Looked at for each request: a deployment swaps links.</summary>
    private bool IsInside(string file)
    {
        var root = RealPath.Of(_folder);
        var real = RealPath.Of(_folder + file);
        return root is not null && real is not null && real.StartsWith(root.TrimEnd('/') + "/", StringComparison.Ordinal);
    }

    private static Task Decline(HttpContext context)
    {
        StaticResponse.Of(context).IsDeclined = true;
        return Task.CompletedTask;
    }
}
