using System.Buffers.Binary;
using System.Runtime.InteropServices;
using UGreen.Py.Native;
using static UGreen.Py.Switching.X64Register;

namespace UGreen.Py.Switching;

/// <summary>
/// An assembler of exactly the x86-64 instructions that the house needs. Registers are 64 bits wide unless the name says otherwise. Encodings are those of
/// the processor manuals: REX prefix, opcode, ModRM (mode, register, base), displacement.
/// </summary>
internal sealed class X64Emitter
{
    private const byte RexW = 0x48;
    private const byte RexR = 0x44;
    private const byte RexB = 0x41;
    private const int ModRegister = 0b11;

    private readonly List<byte> _bytes = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(int Position, string Label)> _jumps = [];
    private readonly List<(int Position, string Label)> _farJumps = [];

    /// <summary>Names the next instruction.</summary>
    public void Label(string name) => _labels.Add(name, _bytes.Count);

    /// <summary>Resolves the jumps and gives the code away.</summary>
    public X64Code Finish()
    {
        foreach ((int position, string label) in _jumps) _bytes[position] = (byte)checked((sbyte)(_labels[label] - (position + 1)));
        Span<byte> bytes = CollectionsMarshal.AsSpan(_bytes);
        foreach ((int position, string label) in _farJumps) BinaryPrimitives.WriteInt32LittleEndian(bytes[position..], _labels[label] - (position + sizeof(int)));
        return new X64Code([.. _bytes], _labels);
    }

    public void Push(X64Register register) => ShortForm(0x50, register);

    public void Pop(X64Register register) => ShortForm(0x58, register);

    /// <summary>mov to, from</summary>
    public void Move(X64Register to, X64Register from) => RegisterForm(0x89, from, to);

    /// <summary>mov to, [from + offset]</summary>
    public void Load(X64Register to, X64Register from, int offset) => MemoryForm(0x8B, to, from, offset);

    /// <summary>mov [to + offset], from</summary>
    public void Store(X64Register to, int offset, X64Register from) => MemoryForm(0x89, from, to, offset);

    /// <summary>sub from, [base + offset]</summary>
    public void Subtract(X64Register from, X64Register baseRegister, int offset) => MemoryForm(0x2B, from, baseRegister, offset);

    /// <summary>cmp left, [base + offset]</summary>
    public void Compare(X64Register left, X64Register baseRegister, int offset) => MemoryForm(0x3B, left, baseRegister, offset);

    /// <summary>mov to, [rip + data]</summary>
    public void LoadData(X64Register to, int data) => DataForm(RexW, 0x8B, (int)to, data);

    /// <summary>mov [rip + data], from</summary>
    public void StoreData(int data, X64Register from) => DataForm(RexW, 0x89, (int)from, data);

    /// <summary>lea to, [rip + data]</summary>
    public void AddressOfData(X64Register to, int data) => DataForm(RexW, 0x8D, (int)to, data);

    /// <summary>sub from, [rip + data]</summary>
    public void SubtractData(X64Register from, int data) => DataForm(RexW, 0x2B, (int)from, data);

    /// <summary>cmp left, [rip + data]</summary>
    public void CompareData(X64Register left, int data) => DataForm(RexW, 0x3B, (int)left, data);

    /// <summary>div qword ptr [rip + data]: rdx:rax / data, quotient to rax, remainder to rdx.</summary>
    public void DivideByData(int data) => DataForm(RexW, 0xF7, 6, data);

    /// <summary>call [rip + data]</summary>
    public void CallData(int data) => DataForm(0, 0xFF, 2, data);

    /// <summary>jmp [rip + data]</summary>
    public void JumpData(int data) => DataForm(0, 0xFF, 4, data);

    /// <summary>call target</summary>
    public void Call(X64Register target) => DigitForm(0, 0xFF, 2, target);

    /// <summary>jmp target</summary>
    public void Jump(X64Register target) => DigitForm(0, 0xFF, 4, target);

    /// <summary>div divisor</summary>
    public void Divide(X64Register divisor) => DigitForm(RexW, 0xF7, 6, divisor);

    /// <summary>dec register</summary>
    public void Decrement(X64Register register) => DigitForm(RexW, 0xFF, 1, register);

    /// <summary>add register, value</summary>
    public void Add(X64Register register, sbyte value) => ImmediateForm(0, register, value);

    /// <summary>add to, from</summary>
    public void Add(X64Register to, X64Register from) => RegisterForm(0x01, from, to);

    /// <summary>sub register, value</summary>
    public void Subtract(X64Register register, sbyte value) => ImmediateForm(5, register, value);

    /// <summary>test register, register</summary>
    public void Test(X64Register register) => RegisterForm(0x85, register, register);

    /// <summary>xor r32, r32, which clears the whole register.</summary>
    public void Zero(X64Register register)
    {
        RequireLow(register);
        Bytes(0x31, ModRm(ModRegister, (int)register, (int)register));
    }

    /// <summary>mov r32, value, which clears the upper half.</summary>
    public void Set(X64Register register, int value)
    {
        RequireLow(register);
        Bytes((byte)(0xB8 + (int)register));
        Int32(value);
    }

    /// <summary>mov byte ptr [to], low byte of from; without a REX prefix only al, cl, dl, bl can be named.</summary>
    public void StoreByte(X64Register to, X64Register from)
    {
        if (from > Rbx || to is not (Rdi or Rsi)) throw new NotSupportedException($"mov byte ptr [{to}], {from}");
        Bytes(0x88, ModRm(0, (int)from, (int)to));
    }

    /// <summary>cmp byte ptr [at], 0</summary>
    public void TestByte(X64Register at)
    {
        if (at is not (Rdi or Rsi)) throw new NotSupportedException($"cmp byte ptr [{at}], 0");
        Bytes(0x80, ModRm(0, 7, (int)at), 0);
    }

    /// <summary>stmxcsr [rsp + offset]</summary>
    public void StoreMxcsr(int offset) => StackForm(0x0F, 0xAE, 3, offset);

    /// <summary>ldmxcsr [rsp + offset]</summary>
    public void LoadMxcsr(int offset) => StackForm(0x0F, 0xAE, 2, offset);

    /// <summary>fnstcw [rsp + offset]</summary>
    public void StoreX87(int offset) => StackForm(null, 0xD9, 7, offset);

    /// <summary>fldcw [rsp + offset]</summary>
    public void LoadX87(int offset) => StackForm(null, 0xD9, 5, offset);

    /// <summary>Jumps to a label within 127 bytes when the condition holds.</summary>
    public void JumpIf(X64Condition condition, string label) => ShortJump((byte)(0x70 + (int)condition), label);

    /// <summary>The same to a label at any distance.</summary>
    public void JumpFarIf(X64Condition condition, string label)
    {
        Bytes(0x0F, (byte)(0x80 + (int)condition), 0, 0, 0, 0);
        _farJumps.Add((_bytes.Count - sizeof(int), label));
    }

    /// <summary>Jumps to a label within 127 bytes.</summary>
    public void JumpTo(string label) => ShortJump(0xEB, label);

    public void Return() => Bytes(0xC3);

    public void SystemCall() => Bytes(0x0F, 0x05);

    /// <summary>ud2: stops the process should control ever come here.</summary>
    public void Trap() => Bytes(0x0F, 0x0B);

    private static byte ModRm(int mode, int register, int memory) => (byte)((mode << 6) | ((register & 7) << 3) | (memory & 7));

    private static void RequireLow(X64Register register)
    {
        if (register >= R8) throw new NotSupportedException($"no short form for {register}");
    }

    private static byte Rex(byte rex, int register, int memory) =>
        (byte)(rex | (register >= (int)R8 ? RexR : 0) | (memory >= (int)R8 ? RexB : 0));

    private void Bytes(params ReadOnlySpan<byte> bytes) => _bytes.AddRange(bytes);

    private void Int32(int value)
    {
        Span<byte> four = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(four, value);
        Bytes(four);
    }

    private void ShortForm(int opcode, X64Register register)
    {
        if (register >= R8) Bytes(RexB);
        Bytes((byte)(opcode + ((int)register & 7)));
    }

    private void RegisterForm(byte opcode, X64Register register, X64Register memory) =>
        Bytes(Rex(RexW, (int)register, (int)memory), opcode, ModRm(ModRegister, (int)register, (int)memory));

    private void DigitForm(byte rex, byte opcode, int digit, X64Register memory)
    {
        byte prefix = Rex(rex, 0, (int)memory);
        if (prefix != 0) Bytes(prefix);
        Bytes(opcode, ModRm(ModRegister, digit, (int)memory));
    }

    private void ImmediateForm(int digit, X64Register register, sbyte value)
    {
        DigitForm(RexW, 0x83, digit, register);
        Bytes((byte)value);
    }

    private void MemoryForm(byte opcode, X64Register register, X64Register baseRegister, int offset)
    {
        // rsp and r12 as a base need another byte, rbp and r13 cannot go without a displacement: neither is a base of ours here.
        if (((int)baseRegister & 7) is (int)Rsp or (int)Rbp) throw new NotSupportedException($"[{baseRegister}] as a base");
        Bytes(Rex(RexW, (int)register, (int)baseRegister), opcode);
        Displacement((int)register, (int)baseRegister, offset);
    }

    private void Displacement(int register, int memory, int offset)
    {
        Bytes(ModRm(offset == 0 ? 0b00 : 0b01, register, memory));
        if (memory == (int)Rsp) Bytes(0x24);
        if (offset != 0) Bytes((byte)checked((sbyte)offset));
    }

    private void StackForm(byte? escape, byte opcode, int digit, int offset)
    {
        if (escape is byte first) Bytes(first);
        Bytes(opcode);
        Displacement(digit, (int)Rsp, offset);
    }

    private void DataForm(byte rex, byte opcode, int register, int data)
    {
        byte prefix = Rex(rex, register, 0);
        if (prefix != 0) Bytes(prefix);
        Bytes(opcode, ModRm(0, register, (int)Rbp));

        // The distance counts from the end of the instruction, which these four bytes are.
        Int32(CodePage.DataOffset + data - (_bytes.Count + sizeof(int)));
    }

    private void ShortJump(byte opcode, string label)
    {
        Bytes(opcode, 0);
        _jumps.Add((_bytes.Count - 1, label));
    }
}
