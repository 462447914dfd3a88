using System.Buffers.Binary;
using UGreen.Py.Native;

namespace UGreen.Py.Machine;

/// <summary>
/// A shared library, named in LD_PRELOAD of a program, that stands before the C library's functions that wait (adr/0040), and makes another program than this server's own run .NET. It is
/// made here, because nothing else of the house needs a C compiler.
/// <para>
/// Its <c>__libc_start_main</c>, which every program calls first, hands on another main function: that calls <c>hostfxr_main_startupinfo</c>, as .NET's own executables do
/// (dotnet/runtime, docs/design/features/host-components.md). Without a hostfxr it calls the program's own main. In C:
/// </para>
/// <code>
/// static int server_main(int argc, char **argv, char **envp) {
///     if (!*HOSTFXR) return own_main(argc, argv, envp);
///     void *hostfxr = dlopen(HOSTFXR, RTLD_NOW), *run = hostfxr ? dlsym(hostfxr, "hostfxr_main_startupinfo") : 0;
///     if (!run) errx(1, "%s", dlerror());
///     return run(argc - 1, argv + 1, HOST, DOTNET_ROOT, APPLICATION);
/// }
/// int __libc_start_main(main, argc, argv, init, fini, rtld_fini, stack_end) {
///     own_main = main;
///     return dlsym(RTLD_NEXT, "__libc_start_main")(server_main, argc, argv, init, fini, rtld_fini, stack_end);
/// }
/// </code>
/// <para>The functions that wait are found by <see cref="PreloadedStubs"/>. x86-64 only.</para>
/// </summary>
public static class PreloadLibrary
{
    /// <summary>Name under which the library exports the words of <see cref="PreloadData"/>.</summary>
    internal const string Words = "ugreen_waits";

    /// <summary>Name of the function that a forked child calls: nothing waits green there.</summary>
    internal const string Forked = "ugreen_forked";

    /// <summary>Room for the code; the data follows.</summary>
    private const int MostCode = 0x4000;

    /// <summary>Makes the library's bytes for a program that stays what it is.</summary>
    public static byte[] Build() => Build("", "", "", "");

    /// <summary>
    /// Makes the library's bytes for another program than this server. That is started with one argument more than the server shall see, behind its name; see <see cref="PreloadLibrary"/>.
    /// </summary>
    /// <param name="hostFxr">Path of libhostfxr.so.</param>
    /// <param name="host">Path of the .NET executable that the program stands for.</param>
    /// <param name="dotnetRoot">Folder of the .NET installation.</param>
    /// <param name="application">Path of the assembly whose Main shall run.</param>
    public static byte[] Build(string hostFxr, string host, string dotnetRoot, string application)
    {
        PreloadTexts texts = new(hostFxr, host, dotnetRoot, application);
        X64Code code = Emit(texts);
        ElfImage image = new();
        image.Import("dlopen", PreloadData.DlOpen);
        image.Import("dlsym", PreloadData.DlSym);
        image.Import("dlerror", PreloadData.DlError);
        image.Import("errx", PreloadData.Errx);
        image.Import("dlvsym", PreloadData.DlVSym);
        foreach (string function in PreloadData.Functions)
        {
            image.Address(PreloadData.Real(function), X64PreloadStart.ThunkOf(function));

            // An older C library has not all of them, and a program that asks whether it has one must hear the truth.
            if (!PreloadData.Helpers.Contains(function) && DynamicLibrary.TrySymbol(0, function, out _)) image.Export(function, function);
        }

        image.Export(Forked, Forked);
        image.ExportData(Words, 0, PreloadData.Texts);
        return image.Build(code, Data(texts));
    }

    /// <summary>All of its code.</summary>
    internal static X64Code Emit(PreloadTexts texts)
    {
        X64Emitter x = new(ElfImage.DataOffset(MostCode));
        X64PreloadStart.Emit(x, texts);
        X64Stubs.Emit(x);
        return x.Finish();
    }

    /// <summary>Tells this version's library from those of others: what the functions' numbers mean, and where the words are.</summary>
    internal static long Version { get; } = HashOfContents();

    private static long HashOfContents()
    {
        // FNV-1a
        ulong hash = 14695981039346656037;
        foreach (char letter in string.Join(' ', BlockingCall.All.Select(call => call.ToString())) + PreloadData.Texts) hash = (hash ^ letter) * 1099511628211;
        return (long)hash;
    }

    private static byte[] Data(PreloadTexts texts)
    {
        byte[] data = new byte[PreloadData.Texts + texts.Bytes.Count];
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(PreloadData.Version), Version);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(PreloadData.One), 1);
        for (int i = 0; i < texts.Bytes.Count; i++) data[PreloadData.Texts + i] = texts.Bytes[i];
        return data;
    }
}
