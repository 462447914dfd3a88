namespace UGreen.Py.Front.Logs;

/// <summary>One piece of a compiled format.</summary>
/// <param name="Kind">What it stands for.</param>
/// <param name="Bytes">The literal text, or the name of a variable that the application sets.</param>
/// <param name="Variable">For <see cref="LogVariable.Var"/>.</param>
internal readonly record struct LogPiece(LogVariable Kind, byte[] Bytes, RequestVariable? Variable);
