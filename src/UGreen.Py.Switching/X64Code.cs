namespace UGreen.Py.Switching;

/// <summary>Finished machine code: the bytes and where its labels are.</summary>
/// <param name="Bytes">Position-independent; expects its data <see cref="Native.CodePage.DataOffset"/> bytes behind its first byte.</param>
/// <param name="Labels">Offset of each label.</param>
internal sealed record X64Code(byte[] Bytes, IReadOnlyDictionary<string, int> Labels);
