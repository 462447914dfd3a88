using System.Globalization;
using System.Runtime.InteropServices;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;

namespace UGreen.Py.Server.Logging;

/// <summary>
/// A file that log lines are appended to by one or more descriptor numbers. The numbers stay while the file behind them changes, so nobody who writes need know of a
/// rotation, and no line is lost or torn by one.
/// </summary>
internal sealed class LogFile
{
    private const string Descriptors = "/proc/self/fd";

    private readonly string _option;
    private readonly string _path;
    private readonly int[] _numbers;
    private readonly bool _isInherited;

    // The runtime keeps copies of what standard output and error were at its start; in a worker that is the log already, and they would hold the old file.
    private int[] _copies = [];

    private LogFile(string option, string path, int[] numbers, bool isInherited)
    {
        _option = option;
        _path = path;
        _numbers = numbers;
        _isInherited = isInherited;
    }

    /// <summary>The server made it when it opened it the first time.</summary>
    public bool IsNew { get; private set; }

    /// <summary>The number to write to.</summary>
    public int Number => _numbers[^1];

    /// <summary>Opens a file of its own.</summary>
    /// <exception cref="StartupException">It cannot be opened.</exception>
    public static LogFile Open(string option, string path)
    {
        var number = OpenFile(option, path, out var isNew);
        return new(option, path, [number], isInherited: false) { IsNew = isNew };
    }

    /// <summary>Lets standard output and error be the file, for .NET, Python, C libraries and programs that the application starts.</summary>
    /// <param name="option">Names the file in messages.</param>
    /// <param name="path">The file.</param>
    /// <param name="wasMade">The process that starts this one in the background has just made it, for this one.</param>
    /// <exception cref="StartupException">It cannot be opened; nothing has changed then.</exception>
    public static LogFile TakeStandardStreams(string option, string path, bool wasMade = false)
    {
        var file = new LogFile(option, path, [OutputDescriptor.StandardOutput, OutputDescriptor.StandardError], isInherited: true);
        file.Reopen(out var isNew);
        file.IsNew = isNew || wasMade;
        file._copies = [.. Numbers().Where(number => number > OutputDescriptor.StandardError && file.IsSame(number))];
        return file;
    }

    /// <summary>Opens the file by its name again, after it was renamed.</summary>
    /// <exception cref="StartupException">It cannot be opened; the old one stays in use.</exception>
    public void Reopen() => Reopen(out _);

    private void Reopen(out bool isNew)
    {
        var fresh = OpenFile(_option, _path, out isNew);
        try
        {
            // Still copies, that is: a number that was closed may be another's by now.
            foreach (var number in _copies.Where(IsSame)) OutputDescriptor.Replace(fresh, number, isInherited: false);
            foreach (var number in _numbers) OutputDescriptor.Replace(fresh, number, _isInherited);
        }
        catch (LinuxException e)
        {
            throw new StartupException($"{_option} '{_path}': {e.Message}", inner: e);
        }
        finally
        {
            OutputDescriptor.Close(fresh);
        }
    }

    private static IEnumerable<int> Numbers()
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(Descriptors).Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private bool IsSame(int number) => FileBehind(number) is { } file && file == FileBehind(Number);

    private static string? FileBehind(int number)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"{Descriptors}/{number}")).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static int OpenFile(string option, string path, out bool isNew)
    {
        try
        {
            return OutputDescriptor.OpenForAppend(path, out isNew);
        }
        catch (LinuxException e)
        {
            throw new StartupException($"{option} '{path}' cannot be opened for writing: {Marshal.GetPInvokeErrorMessage(e.Errno)}", inner: e);
        }
    }
}
