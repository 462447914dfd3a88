namespace UGreen.Py.Machine;

/// <summary>Instructions on memory that several threads share, and on what a register points to.</summary>
internal sealed partial class X64Emitter
{
    /// <summary>cmp qword ptr [rip + data], value</summary>
    public void CompareDataWith(int data, sbyte value)
    {
        DataForm(RexW, 0x83, 7, data, sizeof(byte));
        Bytes((byte)value);
    }

    /// <summary>xchg [rip + data], register, which is atomic and a full barrier.</summary>
    public void ExchangeData(int data, X64Register register) => DataForm(RexW, 0x87, (int)register, data);

    /// <summary>lock xadd [rip + data], register: adds it and gives what was there.</summary>
    public void FetchAndAddData(int data, X64Register register)
    {
        Bytes(0xF0, Rex(RexW, (int)register, 0), 0x0F);
        DataForm(null, 0xC1, (int)register, data);
    }

    /// <summary>bt [rip + data], r32: carry is the bit of that number, however far it lies.</summary>
    public void TestBitOfData(int data, X64Register bit)
    {
        Bytes(0x0F);
        DataForm(null, 0xA3, (int)bit, data);
    }

    /// <summary>lock btr [rip + data], r32: the same, and clears it.</summary>
    public void TakeBitOfData(int data, X64Register bit)
    {
        Bytes(0xF0, 0x0F);
        DataForm(null, 0xB3, (int)bit, data);
    }

    /// <summary>call [at]</summary>
    public void CallAt(X64Register at) => AtForm(0xFF, 2, at);

    /// <summary>jmp [at]</summary>
    public void JumpAt(X64Register at) => AtForm(0xFF, 4, at);

    /// <summary>mov r32, [at + offset], which clears the upper half.</summary>
    public void Load32(X64Register to, X64Register from, int offset) => MemoryForm(0x8B, to, from, offset, wide: false);

    /// <summary>mov [at + offset], r32</summary>
    public void Store32(X64Register to, int offset, X64Register from) => MemoryForm(0x89, from, to, offset, wide: false);

    /// <summary>cmp dword ptr [at], value</summary>
    public void CompareAt32(X64Register at, sbyte value)
    {
        AtForm(0x83, 7, at);
        Bytes((byte)value);
    }

    /// <summary>cmp qword ptr [at], value</summary>
    public void CompareAt(X64Register at, sbyte value)
    {
        AtForm(0x83, 7, at, RexW);
        Bytes((byte)value);
    }

    /// <summary>mov byte ptr [at], value</summary>
    public void StoreByteAt(X64Register at, sbyte value)
    {
        AtForm(0xC6, 0, at);
        Bytes((byte)value);
    }

    /// <summary>rep stosq: rcx times rax to where rdi points.</summary>
    public void FillQuadWords() => Bytes(0xF3, RexW, 0xAB);

    /// <summary>cmp byte ptr [at], value</summary>
    public void CompareByteAt(X64Register at, sbyte value)
    {
        AtForm(0x80, 7, at);
        Bytes((byte)value);
    }
}
