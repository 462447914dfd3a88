namespace UGreen.Py.Native;

/// <summary>A user.</summary>
/// <param name="Name">Login name.</param>
/// <param name="User">Its number.</param>
/// <param name="Group">Number of its own group.</param>
public readonly record struct Account(string Name, uint User, uint Group);
