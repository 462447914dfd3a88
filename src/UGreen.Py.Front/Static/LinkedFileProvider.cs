using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;
using Microsoft.Extensions.Primitives;

namespace UGreen.Py.Front.Static;

/// <summary>ASP.NET Core's files of a directory, but a symbolic link is the file that it leads to: .NET tells the length and the time of the link itself.</summary>
internal sealed class LinkedFileProvider(PhysicalFileProvider files) : IFileProvider
{
    public IFileInfo GetFileInfo(string subpath)
    {
        var found = files.GetFileInfo(subpath);
        if (!found.Exists || found.PhysicalPath is null) return found;
        try
        {
            return File.ResolveLinkTarget(found.PhysicalPath, returnFinalTarget: true) is FileInfo target ? new PhysicalFileInfo(target) : found;
        }
        catch (IOException)
        {
            // A loop of links.
            return new NotFoundFileInfo(found.Name);
        }
    }

    public IDirectoryContents GetDirectoryContents(string subpath) => files.GetDirectoryContents(subpath);

    public IChangeToken Watch(string filter) => NullChangeToken.Singleton;
}
