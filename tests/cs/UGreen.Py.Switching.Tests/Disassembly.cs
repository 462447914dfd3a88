using System.Reflection;
using Iced.Intel;
using UGreen.Py.Machine;

namespace UGreen.Py.Switching.Tests;

/// <summary>Emitted code as the lines of a listing; addresses are replaced by the names of labels and of words on the data page.</summary>
internal sealed class Disassembly : ISymbolResolver
{
    private readonly Dictionary<ulong, string> _names = [];
    private readonly X64Code _code;

    private Disassembly(X64Code code, IEnumerable<KeyValuePair<string, int>> data)
    {
        _code = code;
        foreach ((string name, int offset) in code.Labels) _names.Add((ulong)offset, name);
        foreach ((string name, int offset) in data) _names.TryAdd((ulong)(code.DataOffset + offset), name);
    }

    /// <summary>Label and instruction lines in order.</summary>
    public static List<string> Of(X64Code code, Type data) => Of(code, Constants(data).Where(word => word.Key != "Bytes"));

    /// <summary>Label and instruction lines in order; the words of the data have these names.</summary>
    public static List<string> Of(X64Code code, IEnumerable<KeyValuePair<string, int>> data) => new Disassembly(code, data).Lines();

    /// <summary>The constants of a layout.</summary>
    public static IEnumerable<KeyValuePair<string, int>> Constants(Type layout)
        => from field in layout.GetFields(BindingFlags.Static | BindingFlags.Public) where field.FieldType == typeof(int) select new KeyValuePair<string, int>(field.Name, (int)field.GetRawConstantValue()!);

    public bool TryGetSymbol(in Instruction instruction, int operand, int instructionOperand, ulong address, int addressSize, out SymbolResult symbol)
    {
        bool found = _names.TryGetValue(address, out string? name) && instructionOperand >= 0 && instruction.GetOpKind(instructionOperand) is (OpKind.Memory or OpKind.NearBranch64)
            && (instruction.IsIPRelativeMemoryOperand || instruction.IsJccShortOrNear || instruction.IsJmpShortOrNear || instruction.IsCallNear);
        symbol = found ? new SymbolResult(address, name!) : default;
        return found;
    }

    private List<string> Lines()
    {
        IntelFormatter formatter = new(this);
        formatter.Options.NumberBase = NumberBase.Decimal;
        formatter.Options.SignedImmediateOperands = true;
        formatter.Options.ShowBranchSize = false;
        formatter.Options.RipRelativeAddresses = true;
        formatter.Options.MemorySizeOptions = MemorySizeOptions.Never;
        List<string> lines = [];
        StringOutput text = new();
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(_code.Bytes));
        while (decoder.IP < (ulong)_code.Bytes.Length)
        {
            if (_names.TryGetValue(decoder.IP, out string? label)) lines.Add(label + ":");
            Instruction instruction = decoder.Decode();
            formatter.Format(instruction, text);
            lines.Add(Listing.Normalise(text.ToStringAndReset()));
        }

        return lines;
    }
}
