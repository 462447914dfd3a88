namespace UGreen.Py.Gateway;

/// <summary>One header as it came from, or goes to, the wire. Characters are latin-1: each char is one byte (PEP 3333's "native string").</summary>
/// <param name="Name">The field name; case as sent.</param>
/// <param name="Value">The field value without surrounding white space.</param>
public readonly record struct HeaderField(string Name, string Value);
