using System.Globalization;

namespace UGreen.Py.Server.Master;

/// <summary>A request as the scoreboard shows it.</summary>
/// <param name="Core">From 0.</param>
/// <param name="Method">As the client sent it.</param>
/// <param name="Target">Its beginning, when it is long.</param>
/// <param name="Age">Since when it has its core.</param>
/// <param name="Call">The call that it waits in, "" where it does not or not for long.</param>
internal sealed record RunningRequest(int Core, string Method, string Target, TimeSpan Age, string Call)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Method} {Target} (core {Core}, {Age.TotalSeconds:0.0} s{(Call.Length == 0 ? "" : ", in " + Call)})");
}
