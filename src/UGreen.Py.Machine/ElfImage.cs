using System.Buffers.Binary;
using System.Text;

namespace UGreen.Py.Machine;

/// <summary>
/// Makes a shared library for x86-64 of code and data, by the System V ABI's "ELF-64 Object File Format": one segment to read and run (headers, symbols, hash table, relocations, names,
/// code), one to write (the data and, behind it, the dynamic section).
/// </summary>
internal sealed class ElfImage
{
    private const int Page = 0x1000;
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int ProgramHeaders = 4;
    private const int SymbolBytes = 24;
    private const int RelocationBytes = 24;
    private const int GlobalData = 6; // R_X86_64_GLOB_DAT: the address of a symbol
    private const int Relative = 8; // R_X86_64_RELATIVE: an address of the image itself

    // Not tuples: code for lists of those would have to be made at each start.
    private readonly List<Place> _imports = [];
    private readonly List<Place> _functions = [];
    private readonly List<Place> _objects = [];
    private readonly List<Place> _addresses = [];

    /// <summary>At <paramref name="data"/> the loader writes the address of a symbol of others.</summary>
    public void Import(string name, int data) => _imports.Add(new Place(name, Data: data));

    /// <summary>Others find the function at a label by its name.</summary>
    public void Export(string name, string label) => _functions.Add(new Place(name, label));

    /// <summary>Others find a piece of the data by its name.</summary>
    public void ExportData(string name, int data, int bytes) => _objects.Add(new Place(name, Data: data, Bytes: bytes));

    /// <summary>At <paramref name="data"/> the loader writes the address of a label.</summary>
    public void Address(int data, string label) => _addresses.Add(new Place(Label: label, Data: data));

    /// <summary>Distance from the code's first byte to the data's: code of that length at most is given to <see cref="Build"/>.</summary>
    public static int DataOffset(int codeBytes) => Aligned(codeBytes, Page);

    /// <summary>Makes the bytes.</summary>
    /// <param name="code">Its data offset is that of <see cref="DataOffset"/>.</param>
    /// <param name="data">What the data begins as.</param>
    public byte[] Build(X64Code code, ReadOnlySpan<byte> data)
    {
        var names = new List<byte> { 0 };
        int symbolCount = 1 + _imports.Count + _functions.Count + _objects.Count;
        int symbols = HeaderBytes + (ProgramHeaders * ProgramHeaderBytes);
        int hash = symbols + (symbolCount * SymbolBytes);
        int relocations = Aligned(hash + ((2 + symbolCount + symbolCount) * sizeof(int)), 8);
        int relocationBytes = (_imports.Count + _addresses.Count) * RelocationBytes;
        int nameTable = relocations + relocationBytes;
        int nameBytes = 1 + AllNames().Sum(name => Encoding.UTF8.GetByteCount(name) + 1);
        int codeStart = Aligned(nameTable + nameBytes, Page);
        int dataStart = codeStart + code.DataOffset;
        int dynamic = Aligned(dataStart + data.Length, 8);
        if (code.Bytes.Length > code.DataOffset) throw new InvalidOperationException("the code reaches into its data");

        (long Tag, long Value)[] entries =
            [(4, hash), (5, nameTable), (6, symbols), (7, relocations), (8, relocationBytes), (9, RelocationBytes), (10, nameBytes), (11, SymbolBytes), (0, 0)];
        byte[] image = new byte[dynamic + (entries.Length * 16)];
        WriteHeaders(image, codeStart + code.Bytes.Length, dataStart, dynamic);
        WriteSymbols(image.AsSpan(symbols), names, code, codeStart, dataStart);
        WriteHash(image.AsSpan(hash), symbolCount);
        WriteRelocations(image.AsSpan(relocations), code, codeStart, dataStart);
        names.CopyTo(image, nameTable);
        code.Bytes.CopyTo(image, codeStart);
        data.CopyTo(image.AsSpan(dataStart));
        for (int i = 0; i < entries.Length; i++) Put(image, dynamic + (i * 16), entries[i].Tag, entries[i].Value);
        return image;
    }

    private static int Aligned(int value, int to) => (value + to - 1) / to * to;

    private IEnumerable<string> AllNames() => [.. _imports.Select(i => i.Name), .. _functions.Select(f => f.Name), .. _objects.Select(o => o.Name)];

    private static void WriteHeaders(byte[] image, int textEnd, int data, int dynamic)
    {
        const int SharedObject = 3;
        const int X64 = 62;
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(image);
        Put(image, 16, SharedObject | (X64 << 16) | (1L << 32), 0, HeaderBytes, 0);
        Put(image, 48, (long)HeaderBytes << 32 | (long)ProgramHeaderBytes << 48, ProgramHeaders);

        // PT_LOAD, PT_LOAD, PT_DYNAMIC, PT_GNU_STACK (whose absence would make every stack executable); 4 reads, 2 writes, 1 runs.
        (int Type, int Flags, long At, long Bytes, long Alignment)[] segments =
            [(1, 4 | 1, 0, textEnd, Page), (1, 4 | 2, data, image.Length - data, Page), (2, 4 | 2, dynamic, image.Length - dynamic, 8), (0x6474e551, 4 | 2, 0, 0, 16)];
        for (int i = 0; i < segments.Length; i++)
        {
            (int type, int flags, long at, long bytes, long alignment) = segments[i];
            Put(image, HeaderBytes + (i * ProgramHeaderBytes), (long)(uint)type | ((long)flags << 32), at, at, at, bytes, bytes, alignment);
        }
    }

    private void WriteSymbols(Span<byte> table, List<byte> names, X64Code code, int codeStart, int dataStart)
    {
        const long GlobalFunction = 0x12L << 32;
        const long GlobalObject = 0x11L << 32;
        const long FirstSection = 1L << 48; // any but "undefined"; nothing reads which
        int at = SymbolBytes;
        foreach (Place import in _imports) Add(table, GlobalFunction, import.Name, 0, 0);
        foreach (Place function in _functions) Add(table, GlobalFunction | FirstSection, function.Name, codeStart + code.Labels[function.Label], 0);
        foreach (Place words in _objects) Add(table, GlobalObject | FirstSection, words.Name, dataStart + words.Data, words.Bytes);

        void Add(Span<byte> to, long kind, string name, long value, long bytes)
        {
            Put(to, at, (uint)names.Count | kind, value, bytes);
            at += SymbolBytes;
            names.AddRange(Encoding.UTF8.GetBytes(name));
            names.Add(0);
        }
    }

    /// <summary>As many buckets as symbols: the loader asks here for every symbol of every library, and nearly always for one that is not ours.</summary>
    private void WriteHash(Span<byte> table, int count)
    {
        int[] words = new int[2 + count + count];
        (words[0], words[1]) = (count, count);
        int symbol = 1;
        foreach (string name in AllNames())
        {
            int bucket = 2 + (int)(Hash(name) % (uint)count);
            words[2 + count + symbol] = words[bucket];
            words[bucket] = symbol++;
        }

        for (int i = 0; i < words.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(table[(i * sizeof(int))..], words[i]);
    }

    // The ABI's hash function.
    private static uint Hash(string name)
    {
        uint hash = 0;
        foreach (byte letter in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash << 4) + letter;
            uint high = hash & 0xF000_0000;
            hash ^= high >> 24;
            hash &= ~high;
        }

        return hash;
    }

    private void WriteRelocations(Span<byte> table, X64Code code, int codeStart, int dataStart)
    {
        int at = 0;
        for (int i = 0; i < _imports.Count; i++, at += RelocationBytes) Put(table, at, dataStart + _imports[i].Data, ((i + 1L) << 32) | GlobalData, 0);
        foreach (Place address in _addresses)
        {
            Put(table, at, dataStart + address.Data, Relative, codeStart + code.Labels[address.Label]);
            at += RelocationBytes;
        }
    }

    private static void Put(Span<byte> at, int offset, params ReadOnlySpan<long> words)
    {
        for (int i = 0; i < words.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(at[(offset + (i * sizeof(long)))..], words[i]);
    }

    /// <summary>What has a name, where it is in the code or in the data, or what of it is known.</summary>
    private readonly record struct Place(string Name = "", string Label = "", int Data = 0, int Bytes = 0);
}
