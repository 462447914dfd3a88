using UGreen.Py.Native;

namespace UGreen.Py.Server.Options;

/// <summary>A user and a group by number.</summary>
/// <param name="User">Number; <see cref="Credentials.Unchanged"/>: the present one.</param>
/// <param name="Group">Number; <see cref="Credentials.Unchanged"/>: the present one.</param>
/// <param name="Name">The user's name, as messages show it and supplementary groups are looked up by; null: the number has none.</param>
internal sealed record Identity(uint User, uint Group, string? Name);
