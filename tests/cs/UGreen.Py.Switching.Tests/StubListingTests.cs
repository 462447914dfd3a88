using UGreen.Py.Machine;
using Xunit;

namespace UGreen.Py.Switching.Tests;

/// <summary>The preloaded library and the second door are what their listings say, to the last byte.</summary>
public class StubListingTests
{
    private static readonly PreloadTexts s_texts = new("/libhostfxr.so", "/host", "/root", "/application.dll");

    [Fact]
    public void Door() => Assert.Equal(Read("x64-waits.s"), Disassembly.Of(X64WaitDoor.Build(), DoorWords()));

    [Fact]
    public void Preloaded()
    {
        List<string> expected = Read("x64-preload.s");
        expected.AddRange(PreloadData.Functions.SelectMany(name => Read("x64-find.s", name)));
        expected.AddRange(Read("x64-resolve.s"));
        for (int number = 0; number < BlockingCall.All.Count; number++) expected.AddRange(Stub(number));
        expected.AddRange(Read("x64-tries.s"));
        Assert.Equal(expected, Disassembly.Of(PreloadLibrary.Emit(s_texts), PreloadWords()));
    }

    [Fact]
    public void Functions_have_their_names_once() => Assert.Equal(PreloadData.Functions.Count, PreloadData.Functions.Distinct().Count());

    private static IEnumerable<string> Stub(int number)
    {
        BlockingCall call = BlockingCall.All[number];
        string first = X64Stubs.LabelOf(call.Try);
        return Read("x64-stub.s", call.Name).Select(line => line.Replace("NUMBER", $"{number}", StringComparison.Ordinal).Replace("FIRST", first, StringComparison.Ordinal));
    }

    private static List<string> Read(string resource, string name = "") => [.. Listing.Read(resource).Select(line => line.Replace("NAME", name, StringComparison.Ordinal))];

    private static IEnumerable<KeyValuePair<string, int>> PreloadWords()
    {
        string[] none = ["Version", "RingBits", "RingSlots", "RoundShift", "Reals", "KnownFds"];
        return Disassembly.Constants(typeof(PreloadData)).Where(word => !none.Contains(word.Key))
            .Concat(PreloadData.Functions.Select(name => new KeyValuePair<string, int>("real_" + name, PreloadData.Real(name))))
            .Concat(PreloadData.Functions.Select(name => new KeyValuePair<string, int>("text_" + name, s_texts.NameOf(name))))
            .Concat([
                new("text_hostfxr", s_texts.HostFxr), new("text_host", s_texts.Host), new("text_root", s_texts.Root), new("text_application", s_texts.Application),
                new("text_run", s_texts.Entry), new("text_format", s_texts.Format), new("text_version", s_texts.Version),
            ]);
    }

    private static IEnumerable<KeyValuePair<string, int>> DoorWords()
        => Disassembly.Constants(typeof(WaitDoorData)).Where(word => word.Key is not ("Bytes" or "Methods" or "OwnMethods"))
            .Concat(Enumerable.Range(0, WaitDoorData.Methods).Select(i => new KeyValuePair<string, int>($"OwnMethods{i}", WaitDoorData.OwnMethods + (i * 8))));
}
