using System.Text.RegularExpressions;
using UGreen.Py.Machine;
using Xunit;

namespace UGreen.Py.Switching.Tests;

/// <summary>The listings are what is emitted, and the pictures use the names of the code.</summary>
public partial class ListingTests
{
    [Fact]
    public void Direct() => Same("x64.s", X64Trampoline.Build(), typeof(TrampolineData));

    [Fact]
    public void Posix() => Same("x64-posix.s", X64PosixTrampoline.Build(), typeof(TrampolineData));

    [Fact]
    public void Overflow() => Same("x64-overflow.s", X64OverflowHandler.Build(), typeof(OverflowData));

    [Fact]
    public void Fork() => Same("x64-fork.s", X64ForkHandler.Build(), typeof(ForkData));

    [Fact]
    public void Relay() => Same("x64-relay.s", X64SignalRelay.Build(), typeof(RelayData));

    [Fact]
    public void The_contract_uses_the_names_of_the_code()
    {
        MatchCollection names = FieldName().Matches(GreenLibrary.Resource("SwitchContract.md"));
        Assert.True(names.Count > 20);
        Assert.All(names, match => Assert.NotNull(Listing.TryValue(match.Groups[1].Value)));
    }

    private static void Same(string listing, X64Code code, Type data) => Assert.Equal(Listing.Read(listing), Disassembly.Of(code, data));

    [GeneratedRegex(@"(?:GreenSp|HubSp|E) [-+] ([A-Z]\w+)")]
    private static partial Regex FieldName();
}
