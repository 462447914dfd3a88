using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Machine;

/// <summary>
/// An assembler of exactly the x86-64 instructions that the house needs. Registers are 64 bits wide unless the name says otherwise. Encodings are those of
/// the processor manuals: REX prefix, opcode, ModRM (mode, register, base), displacement.
/// </summary>
/// <param name="dataOffset">Distance from the first byte of code to the first byte of its data.</param>
internal sealed partial class X64Emitter(int dataOffset = CodePage.DataOffset)
{
    private const byte RexW = 0x48;
    private const byte RexR = 0x44;
    private const byte RexB = 0x41;
    private const int ModRegister = 0b11;

    private readonly List<byte> _bytes = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<JumpPlace> _jumps = [];
    private readonly List<JumpPlace> _farJumps = [];

    /// <summary>Names the next instruction.</summary>
    public void Label(string name) => _labels.Add(name, _bytes.Count);

    /// <summary>Resolves the jumps and gives the code away.</summary>
    public X64Code Finish()
    {
        foreach ((int position, string label) in _jumps) _bytes[position] = (byte)checked((sbyte)(_labels[label] - (position + 1)));
        Span<byte> bytes = CollectionsMarshal.AsSpan(_bytes);
        foreach ((int position, string label) in _farJumps) BinaryPrimitives.WriteInt32LittleEndian(bytes[position..], _labels[label] - (position + sizeof(int)));
        return new X64Code([.. _bytes], _labels, dataOffset);
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

    /// <summary>mov [base + 8 * index], from</summary>
    public void StoreIndexed(X64Register baseRegister, X64Register index, X64Register from)
    {
        if (((int)baseRegister & 7) == (int)Rbp || index >= R8 || index == Rsp || baseRegister >= R8 || from >= R8) throw new NotSupportedException($"[{baseRegister} + 8 * {index}]");
        Bytes(RexW, 0x89, ModRm(0, (int)from, (int)Rsp), (byte)((3 << 6) | ((int)index << 3) | (int)baseRegister));
    }

    /// <summary>mov to, [rsp + offset]</summary>
    public void LoadStack(X64Register to, int offset) => RspForm(RexW, 0x8B, to, offset);

    /// <summary>mov [rsp + offset], from</summary>
    public void StoreStack(int offset, X64Register from) => RspForm(RexW, 0x89, from, offset);

    /// <summary>mov [rsp + offset], r32</summary>
    public void StoreStack32(int offset, X64Register from) => RspForm(0, 0x89, from, offset);

    /// <summary>cmp left, right</summary>
    public void Compare(X64Register left, X64Register right) => RegisterForm(0x39, right, left);

    /// <summary>cmp register, value</summary>
    public void CompareWith(X64Register register, sbyte value) => ImmediateForm(7, register, value);

    /// <summary>or register, value (sign-extended)</summary>
    public void Or(X64Register register, sbyte value) => ImmediateForm(1, register, value);

    /// <summary>or to, from</summary>
    public void Or(X64Register to, X64Register from) => RegisterForm(0x09, from, to);

    /// <summary>shr register, bits</summary>
    public void ShiftRight(X64Register register, byte bits) => Shift(5, register, bits);

    /// <summary>shl register, bits</summary>
    public void ShiftLeft(X64Register register, byte bits) => Shift(4, register, bits);

    /// <summary>and register, value (sign-extended)</summary>
    public void And(X64Register register, int value)
    {
        DigitForm(RexW, 0x81, 4, register);
        Int32(value);
    }

    /// <summary>cmp r32, value</summary>
    public void CompareWith32(X64Register register, sbyte value)
    {
        DigitForm(0, 0x83, 7, register);
        Bytes((byte)value);
    }

    /// <summary>cmp register, value (sign-extended), where it does not fit into a byte</summary>
    public void CompareWithFar(X64Register register, int value)
    {
        DigitForm(RexW, 0x81, 7, register);
        Int32(value);
    }

    /// <summary>test r32, r32</summary>
    public void Test32(X64Register register)
    {
        RequireLow(register);
        Bytes(0x85, ModRm(ModRegister, (int)register, (int)register));
    }

    /// <summary>test r32, bits</summary>
    public void TestBits32(X64Register register, int bits)
    {
        DigitForm(0, 0xF7, 0, register);
        Int32(bits);
    }

    /// <summary>lea r32, [base + offset], for sums that must leave the flags alone or go elsewhere.</summary>
    public void Lea32(X64Register to, X64Register from, int offset) => MemoryForm(0x8D, to, from, offset, wide: false);

    /// <summary>lea to, [base + offset]</summary>
    public void Lea(X64Register to, X64Register from, int offset) => MemoryForm(0x8D, to, from, offset);

    /// <summary>lea to, [rip + label]</summary>
    public void AddressOf(X64Register to, string label)
    {
        Bytes(Rex(RexW, (int)to, 0), 0x8D, ModRm(0, (int)to, (int)Rbp), 0, 0, 0, 0);
        _farJumps.Add(new JumpPlace(_bytes.Count - sizeof(int), label));
    }

    public void CallTo(string label)
    {
        Bytes(0xE8, 0, 0, 0, 0);
        _farJumps.Add(new JumpPlace(_bytes.Count - sizeof(int), label));
    }

    /// <summary>Jumps to a label at any distance.</summary>
    public void JumpFarTo(string label)
    {
        Bytes(0xE9, 0, 0, 0, 0);
        _farJumps.Add(new JumpPlace(_bytes.Count - sizeof(int), label));
    }

    public void Call(X64Register target) => DigitForm(0, 0xFF, 2, target);

    public void Jump(X64Register target) => DigitForm(0, 0xFF, 4, target);

    /// <summary>div divisor</summary>
    public void Divide(X64Register divisor) => DigitForm(RexW, 0xF7, 6, divisor);

    /// <summary>neg r32, which clears the upper half</summary>
    public void Negate32(X64Register register) => DigitForm(0, 0xF7, 3, register);

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
        _farJumps.Add(new JumpPlace(_bytes.Count - sizeof(int), label));
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
        (byte)(rex | (register >= (int)R8 ? RexR : 0) | (memory >= (int)R8 ? RexB : 0)); // 0: none is needed

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

    private void Shift(int digit, X64Register register, byte bits)
    {
        DigitForm(RexW, 0xC1, digit, register);
        Bytes(bits);
    }

    private void ImmediateForm(int digit, X64Register register, sbyte value)
    {
        DigitForm(RexW, 0x83, digit, register);
        Bytes((byte)value);
    }

    private void MemoryForm(byte opcode, X64Register register, X64Register baseRegister, int offset, bool wide = true)
    {
        // rsp and r12 as a base need another byte, rbp and r13 cannot go without a displacement: neither is a base of ours here.
        if (((int)baseRegister & 7) is (int)Rsp or (int)Rbp) throw new NotSupportedException($"[{baseRegister}] as a base");
        byte prefix = Rex(wide ? RexW : (byte)0, (int)register, (int)baseRegister);
        if (prefix != 0) Bytes(prefix);
        Bytes(opcode);
        Displacement((int)register, (int)baseRegister, offset);
    }

    private void AtForm(byte opcode, int digit, X64Register at, byte rex = 0)
    {
        if (((int)at & 7) is (int)Rsp or (int)Rbp) throw new NotSupportedException($"[{at}] as a base");
        byte prefix = Rex(rex, 0, (int)at);
        if (prefix != 0) Bytes(prefix);
        Bytes(opcode, ModRm(0, digit, (int)at));
    }

    private void RspForm(byte rex, byte opcode, X64Register register, int offset)
    {
        byte prefix = Rex(rex, (int)register, 0);
        if (prefix != 0) Bytes(prefix);
        Bytes(opcode);
        Displacement((int)register, (int)Rsp, offset);
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

    private void DataForm(byte? rex, byte opcode, int register, int data, int behind = 0)
    {
        byte prefix = rex is byte given ? Rex(given, register, 0) : (byte)0;
        if (prefix != 0) Bytes(prefix);
        Bytes(opcode, ModRm(0, register, (int)Rbp));

        // The distance counts from the end of the instruction, which these four bytes are unless an immediate stands behind them.
        Int32(dataOffset + data - (_bytes.Count + sizeof(int) + behind));
    }

    private void ShortJump(byte opcode, string label)
    {
        Bytes(opcode, 0);
        _jumps.Add(new JumpPlace(_bytes.Count - 1, label));
    }

    /// <summary>Where the distance to a label is still to be written. No tuple, as in <see cref="ElfImage"/>.</summary>
    private readonly record struct JumpPlace(int Position, string Label);
}
