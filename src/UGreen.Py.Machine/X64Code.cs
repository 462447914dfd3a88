namespace UGreen.Py.Machine;

/// <summary>Finished machine code: the bytes and where its labels are.</summary>
/// <param name="Bytes">Position-independent; expects its data <paramref name="DataOffset"/> bytes behind its first byte.</param>
/// <param name="Labels">Offset of each label.</param>
/// <param name="DataOffset">Distance from the first byte of code to the first byte of its data.</param>
internal sealed record X64Code(byte[] Bytes, IReadOnlyDictionary<string, int> Labels, int DataOffset);
