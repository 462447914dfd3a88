using System.Buffers.Binary;
using System.Text;

namespace UGreen.Py.Native;

/// <summary>
/// A shared library of one page of code that makes another program run .NET: named in LD_PRELOAD, its <c>__libc_start_main</c> comes before the C library's, which every program calls
/// first, and hands that one another main function. It is made here, because nothing else of the house needs a C compiler.
/// <para>What it does, in C:</para>
/// <code>
/// static int server_main(int argc, char **argv) {
///     void *hostfxr = dlopen(HOSTFXR, RTLD_NOW), *run = hostfxr ? dlsym(hostfxr, "hostfxr_main_startupinfo") : 0;
///     if (!run) errx(1, "%s", dlerror());
///     return run(argc - 1, argv + 1, HOST, DOTNET_ROOT, APPLICATION);
/// }
/// int __libc_start_main(main, argc, argv, init, fini, rtld_fini, stack_end) {
///     return dlsym(RTLD_NEXT, "__libc_start_main")(server_main, argc, argv, init, fini, rtld_fini, stack_end);
/// }
/// </code>
/// <para><c>hostfxr_main_startupinfo</c> is what .NET's own executables call (dotnet/runtime, docs/design/features/host-components.md). x86-64 only.</para>
/// </summary>
public static class PreloadLibrary
{
    private const int Page = 0x1000;
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int ProgramHeaders = 4;
    private const int SymbolBytes = 24;
    private const int RelocationBytes = 24;
    private const int Failed = 0;

    private static readonly string[] Imports = ["dlopen", "dlsym", "dlerror", "errx"];

    /// <summary>Makes the library's bytes. The program is started with one argument more than the server shall see, behind its name; see <see cref="PreloadLibrary"/>.</summary>
    /// <param name="hostFxr">Path of libhostfxr.so.</param>
    /// <param name="host">Path of the .NET executable that the program stands for.</param>
    /// <param name="dotnetRoot">Folder of the .NET installation.</param>
    /// <param name="application">Path of the assembly whose Main shall run.</param>
    public static byte[] Build(string hostFxr, string host, string dotnetRoot, string application)
    {
        const string Start = "__libc_start_main";
        var names = new Strings();
        var symbolNames = Imports.Append(Start).Select(names.Add).ToArray();
        var texts = new Strings();
        int fxrText = texts.Add(hostFxr), entryText = texts.Add("hostfxr_main_startupinfo"), hostText = texts.Add(host), rootText = texts.Add(dotnetRoot);
        int applicationText = texts.Add(application), formatText = texts.Add("%s"), startText = texts.Add(Start);

        // One segment to read and run: headers, symbols, hash, relocations, strings, code. One to write: the dynamic section and the addresses of the imports.
        var symbols = HeaderBytes + (ProgramHeaders * ProgramHeaderBytes);
        var hash = symbols + ((Imports.Length + 2) * SymbolBytes);
        var relocations = Aligned(hash + ((3 + Imports.Length + 2) * sizeof(int)), 8);
        var nameTable = relocations + (Imports.Length * RelocationBytes);
        var textTable = nameTable + names.Bytes.Count;
        var codeStart = Aligned(textTable + texts.Bytes.Count, 16);
        var data = Aligned(codeStart + 256, Page);
        var dynamic = data + (Imports.Length * sizeof(long));

        var code = new Code(codeStart);
        int dlopen = data, dlsym = data + 8, dlerror = data + 16, errx = data + 24;
        WriteFailure(code, dlerror, errx, textTable + formatText);
        var main = code.Here;
        WriteMain(code, dlopen, dlsym, textTable + fxrText, textTable + entryText, [textTable + hostText, textTable + rootText, textTable + applicationText]);
        var entry = code.Here;
        WriteStart(code, dlsym, textTable + startText, main);
        if (code.Here > data) throw new InvalidOperationException("the code does not fit");

        (long Tag, long Value)[] entries =
            [(4, hash), (5, nameTable), (6, symbols), (7, relocations), (8, Imports.Length * RelocationBytes), (9, RelocationBytes), (10, names.Bytes.Count), (11, SymbolBytes), (0, 0)];
        var image = new byte[dynamic + (entries.Length * 16)];
        WriteHeaders(image, code.Here, data, dynamic);
        WriteSymbols(image.AsSpan(symbols), symbolNames, entry);
        WriteHash(image.AsSpan(hash));
        for (var i = 0; i < Imports.Length; i++)
        {
            // R_X86_64_GLOB_DAT: the address of symbol i + 1.
            Put(image, relocations + (i * RelocationBytes), data + (i * sizeof(long)), ((i + 1L) << 32) | 6, 0);
        }

        names.Bytes.CopyTo(image, nameTable);
        texts.Bytes.CopyTo(image, textTable);
        code.Bytes.CopyTo(image, codeStart);
        for (var i = 0; i < entries.Length; i++) Put(image, dynamic + (i * 16), entries[i].Tag, entries[i].Value);
        return image;
    }

    // The stack is aligned here: it is jumped to from where it is.
    private static void WriteFailure(Code code, int dlerror, int errx, int format)
    {
        code.Call(dlerror);
        code.Add(0x48, 0x89, 0xC2); // mov rdx, rax
        code.Address([0x48, 0x8D, 0x35], format); // lea rsi, "%s"
        code.Add(0xBF, 1, 0, 0, 0); // mov edi, 1
        code.Add(0x31, 0xC0); // xor eax, eax: no floating-point arguments
        code.Call(errx);
        code.Add(0x0F, 0x0B); // ud2
    }

    private static void WriteMain(Code code, int dlopen, int dlsym, int hostFxr, int entryName, ReadOnlySpan<int> arguments)
    {
        code.Add(0x53, 0x55, 0x48, 0x83, 0xEC, 8); // push rbx, push rbp, sub rsp, 8
        code.Add(0x89, 0xFB, 0x48, 0x89, 0xF5); // mov ebx, edi (argc); mov rbp, rsi (argv)
        code.Address([0x48, 0x8D, 0x3D], hostFxr); // lea rdi
        code.Add(0xBE, 2, 0, 0, 0); // mov esi, RTLD_NOW
        code.Call(dlopen);
        code.Add(0x48, 0x85, 0xC0); // test rax, rax
        code.Address([0x0F, 0x84], code.Start + Failed); // jz
        code.Add(0x48, 0x89, 0xC7); // mov rdi, rax
        code.Address([0x48, 0x8D, 0x35], entryName); // lea rsi
        code.Call(dlsym);
        code.Add(0x48, 0x85, 0xC0);
        code.Address([0x0F, 0x84], code.Start + Failed);
        code.Add(0x8D, 0x7B, 0xFF, 0x48, 0x8D, 0x75, 8); // lea edi, [rbx - 1]; lea rsi, [rbp + 8]
        code.Address([0x48, 0x8D, 0x15], arguments[0]); // lea rdx
        code.Address([0x48, 0x8D, 0x0D], arguments[1]); // lea rcx
        code.Address([0x4C, 0x8D, 0x05], arguments[2]); // lea r8
        code.Add(0xFF, 0xD0); // call rax
        code.Add(0x48, 0x83, 0xC4, 8, 0x5D, 0x5B, 0xC3); // add rsp, 8; pop rbp; pop rbx; ret
    }

    private static void WriteStart(Code code, int dlsym, int name, int main)
    {
        code.Add(0x57, 0x56, 0x52, 0x51, 0x41, 0x50, 0x41, 0x51); // push rdi, rsi, rdx, rcx, r8, r9
        code.Add(0x48, 0x83, 0xEC, 8); // sub rsp, 8
        code.Add(0x48, 0xC7, 0xC7, 0xFF, 0xFF, 0xFF, 0xFF); // mov rdi, RTLD_NEXT
        code.Address([0x48, 0x8D, 0x35], name); // lea rsi
        code.Call(dlsym);
        code.Add(0x48, 0x83, 0xC4, 8); // add rsp, 8
        code.Add(0x41, 0x59, 0x41, 0x58, 0x59, 0x5A, 0x5E, 0x5F); // pop r9, r8, rcx, rdx, rsi, rdi
        code.Address([0x48, 0x8D, 0x3D], main); // lea rdi
        code.Add(0xFF, 0xE0); // jmp rax
    }

    private static void WriteHeaders(byte[] image, int textEnd, int data, int dynamic)
    {
        const int SharedObject = 3;
        const int X64 = 62;
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(image);
        Put(image, 16, SharedObject | (X64 << 16) | (1L << 32), 0, HeaderBytes, 0);
        Put(image, 48, (long)HeaderBytes << 32 | (long)ProgramHeaderBytes << 48, ProgramHeaders);

        // PT_LOAD, PT_LOAD, PT_DYNAMIC, PT_GNU_STACK (whose absence would make every stack executable); 4 reads, 2 writes, 1 runs.
        (int Type, int Flags, long At, long Bytes, long Alignment)[] segments =
            [(1, 4 | 1, 0, textEnd, Page), (1, 4 | 2, data, image.Length - data, Page), (2, 4 | 2, dynamic, image.Length - dynamic, 8), (0x6474e551, 4 | 2, 0, 0, 16)];
        for (var i = 0; i < segments.Length; i++)
        {
            var (type, flags, at, bytes, alignment) = segments[i];
            Put(image, HeaderBytes + (i * ProgramHeaderBytes), (long)(uint)type | ((long)flags << 32), at, at, at, bytes, bytes, alignment);
        }
    }

    private static void WriteSymbols(Span<byte> table, ReadOnlySpan<int> names, int entry)
    {
        const long GlobalFunction = 0x12L << 32;
        const long FirstSection = 1L << 48; // any but "undefined"; nothing reads which
        for (var i = 0; i < names.Length; i++)
        {
            var isOwn = i == names.Length - 1;
            Put(table, (i + 1) * SymbolBytes, (uint)names[i] | GlobalFunction | (isOwn ? FirstSection : 0), isOwn ? entry : 0, 0);
        }
    }

    /// <summary>One bucket that chains all symbols: there are five.</summary>
    private static void WriteHash(Span<byte> table)
    {
        var count = Imports.Length + 2;
        Span<int> words = [1, count, count - 1, .. Enumerable.Range(0, count).Select(i => Math.Max(0, i - 1))];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(table[(i * sizeof(int))..], words[i]);
    }

    private static void Put(Span<byte> at, int offset, params ReadOnlySpan<long> words)
    {
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(at[(offset + (i * sizeof(long)))..], words[i]);
    }

    private static int Aligned(int value, int to) => (value + to - 1) / to * to;

    /// <summary>Zero-ended strings, one behind the other; the first is empty.</summary>
    private sealed class Strings
    {
        public List<byte> Bytes { get; } = [0];

        public int Add(string text)
        {
            var at = Bytes.Count;
            Bytes.AddRange(Encoding.UTF8.GetBytes(text));
            Bytes.Add(0);
            return at;
        }
    }

    private sealed class Code(int start)
    {
        public int Start { get; } = start;

        public List<byte> Bytes { get; } = [];

        public int Here => Start + Bytes.Count;

        public void Add(params ReadOnlySpan<byte> bytes) => Bytes.AddRange(bytes);

        /// <summary>An instruction that ends in a distance from its own end.</summary>
        public void Address(ReadOnlySpan<byte> instruction, int target)
        {
            Bytes.AddRange(instruction);
            Span<byte> distance = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(distance, target - (Here + sizeof(int)));
            Bytes.AddRange(distance);
        }

        /// <summary>call [target]</summary>
        public void Call(int target) => Address([0xFF, 0x15], target);
    }
}
