namespace UGreen.Py.Machine;

/// <summary>Conditions of a jump; the value is the low half of the opcode byte. The comparisons are unsigned.</summary>
internal enum X64Condition
{
    Below = 0x2,
    AboveOrEqual = 0x3,
    Equal = 0x4,
    NotEqual = 0x5,
    BelowOrEqual = 0x6,
    Above = 0x7,

    /// <summary>What was compared or tested is below 0.</summary>
    Negative = 0x8,
}
