using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace UGreen.Py.Native;

/// <summary>Looks into executables: 64-bit, little-endian, x86-64 ELF files, by the System V ABI's "ELF-64 Object File Format".</summary>
public static class ElfSymbols
{
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int SectionHeaderBytes = 64;
    private const int SymbolBytes = 24;
    private const int MaximumTable = 64 << 20;
    private const ushort MachineX64 = 62;
    private const uint Interpreter = 3;
    private const uint DynamicSymbols = 11;

    /// <summary>
    /// A program that the dynamic loader starts, and that exports a symbol of its own to the libraries it loads. False also for what is no such file, cannot be read, or has lost the
    /// section headers.
    /// </summary>
    public static bool IsProgramThatExports(string path, string symbol)
    {
        try
        {
            using var file = File.OpenHandle(path);
            return Read(file, 0, HeaderBytes) is { } header && IsX64(header) && HasInterpreter(file, header) && Exports(file, header, System.Text.Encoding.ASCII.GetBytes(symbol + "\0"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OverflowException)
        {
            return false;
        }
    }

    private static bool IsX64(ReadOnlySpan<byte> header)
        => header.StartsWith("\u007fELF\u0002\u0001"u8) && BinaryPrimitives.ReadUInt16LittleEndian(header[18..]) == MachineX64;

    /// <summary>A shared library names no interpreter; a position-independent program does, and is else the same kind of file.</summary>
    private static bool HasInterpreter(SafeFileHandle file, ReadOnlySpan<byte> header)
    {
        var (at, count) = (Offset(header, 32), BinaryPrimitives.ReadUInt16LittleEndian(header[56..]));
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[54..]) != ProgramHeaderBytes || Read(file, at, count * ProgramHeaderBytes) is not { } table) return false;
        for (var i = 0; i < count; i++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(i * ProgramHeaderBytes)) == Interpreter) return true;
        }

        return false;
    }

    private static bool Exports(SafeFileHandle file, ReadOnlySpan<byte> header, ReadOnlySpan<byte> name)
    {
        var (at, count) = (Offset(header, 40), BinaryPrimitives.ReadUInt16LittleEndian(header[60..]));
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[58..]) != SectionHeaderBytes || Read(file, at, count * SectionHeaderBytes) is not { } sections) return false;
        for (var i = 0; i < count; i++)
        {
            var section = sections.AsSpan(i * SectionHeaderBytes, SectionHeaderBytes);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) != DynamicSymbols) continue;
            var link = BinaryPrimitives.ReadInt32LittleEndian(section[40..]);
            if (link < 0 || link >= count) return false;
            return Contents(file, section) is { } symbols && Contents(file, sections.AsSpan(link * SectionHeaderBytes, SectionHeaderBytes)) is { } names && Defines(symbols, names, name);
        }

        return false;
    }

    private static bool Defines(ReadOnlySpan<byte> symbols, ReadOnlySpan<byte> names, ReadOnlySpan<byte> name)
    {
        for (; symbols.Length >= SymbolBytes; symbols = symbols[SymbolBytes..])
        {
            var at = BinaryPrimitives.ReadUInt32LittleEndian(symbols);
            var isDefined = BinaryPrimitives.ReadUInt16LittleEndian(symbols[6..]) != 0;
            if (isDefined && at < names.Length && names[(int)at..].StartsWith(name)) return true;
        }

        return false;
    }

    private static byte[]? Contents(SafeFileHandle file, ReadOnlySpan<byte> section) => Read(file, Offset(section, 24), Offset(section, 32));

    private static long Offset(ReadOnlySpan<byte> from, int at) => checked((long)BinaryPrimitives.ReadUInt64LittleEndian(from[at..]));

    /// <summary>Null: the file does not hold that, or it is larger than any such table is.</summary>
    private static byte[]? Read(SafeFileHandle file, long at, long bytes)
    {
        if (at < 0 || bytes < 0 || bytes > MaximumTable || at > RandomAccess.GetLength(file) - bytes) return null;
        var buffer = new byte[bytes];
        return RandomAccess.Read(file, buffer, at) == bytes ? buffer : null;
    }
}
