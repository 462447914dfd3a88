using System.Text;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.Wsgi;

/// <summary>The applications of this worker, by number, and how much each has served. Written by the hub thread; any thread may read, and sees each figure whole.</summary>
internal sealed class ApplicationTable
{
    private Entry[] _entries = [];

    /// <summary>Which they are. Before the first request.</summary>
    /// <param name="list">A Python list of (mountpoint, seconds that loading took, address of the callable).</param>
    public void Read(BorrowedRef list)
    {
        var entries = new Entry[CApi.PyList_Size(list)];
        for (var i = 0; i < entries.Length; i++)
        {
            var item = CApi.PyList_GetItem(list, i);
            entries[i] = new Entry(
                Encoding.Latin1.GetBytes(PyText.ToLatin1(CApi.PyTuple_GetItem(item, 0)) ?? ""),
                CApi.PyLong_AsLongLongAndOverflow(CApi.PyTuple_GetItem(item, 1), out _),
                CApi.PyLong_AsLongLongAndOverflow(CApi.PyTuple_GetItem(item, 2), out _));
        }

        Volatile.Write(ref _entries, entries);
    }

    public IReadOnlyList<Entry> Entries => Volatile.Read(ref _entries);

    /// <summary>Where it is mounted, for the log; empty when there is no other, and for a number that is none.</summary>
    public string PlaceOf(int number) => _entries.Length > 1 && (uint)number < (uint)_entries.Length ? $" at '{(_entries[number].Mountpoint is [] ? "/" : Encoding.UTF8.GetString(_entries[number].Mountpoint))}'" : "";

    /// <summary>A request has ended. Hub thread.</summary>
    /// <param name="number">Of the application; any other number is nobody's.</param>
    /// <param name="failed">The application raised.</param>
    public void Count(int number, bool failed)
    {
        if ((uint)number >= (uint)_entries.Length) return;
        var entry = _entries[number];
        Volatile.Write(ref entry.Requests, entry.Requests + 1);
        if (failed) Volatile.Write(ref entry.Exceptions, entry.Exceptions + 1);
    }

    /// <summary>One application.</summary>
    /// <param name="mountpoint">As the bytes of a path; empty for the root.</param>
    /// <param name="startupSeconds">What loading it took.</param>
    /// <param name="callable">Address of the callable, in this process.</param>
    internal sealed class Entry(byte[] mountpoint, long startupSeconds, long callable)
    {
        public byte[] Mountpoint => mountpoint;

        public long StartupSeconds => startupSeconds;

        public long Callable => callable;

        /// <summary>Requests that have ended.</summary>
        public long Requests;

        /// <summary>Of them, those in which it raised.</summary>
        public long Exceptions;
    }
}
