using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>
/// Makes the built-in functions behind which the hub calls are: each is a PyCFunction whose C function is the trampoline and whose <c>self</c> is a small object that
/// carries the hub call's number right behind the object header. One trampoline serves them all, and finding the number costs one load.
/// </summary>
// SAFETY: method definitions and the type's spec live in native memory that is never freed, as CPython asks; numbers are written into memory that PyType_GenericAlloc
// made large enough (basicsize below).
public static unsafe class HubCallFunctions
{
    private const int MethFastCall = 0x80;
    private const int MethKeywords = 0x02;
    private const ulong FlagsDefault = 1 << 18; // Py_TPFLAGS_HAVE_VERSION_TAG
    private const ulong DisallowInstantiation = 1 << 7;
    private const int ObjectHeader = 2 * sizeof(long); // ob_refcnt, ob_type; _Py_HEAD without free threading

    /// <summary>Offset of the function's name, a C string, in the object that the trampoline gets as self: for code that runs where no C# may.</summary>
    public const int NameOffset = ObjectHeader + sizeof(long);

    private static NewRef s_selfType;

    [StructLayout(LayoutKind.Sequential)]
    private struct PyTypeSpec
    {
        public byte* Name;
        public int BasicSize;
        public int ItemSize;
        public uint Flags;
        public nint* Slots;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PyMethodDef
    {
        public byte* Name;
        public nint Function;
        public int Flags;
        public byte* Doc;
    }

    /// <summary>A new built-in function.</summary>
    /// <param name="name">Name as Python shows it.</param>
    /// <param name="doc">Docstring. A first line <c>name(args)\n--\n\n</c> gives <c>inspect.signature</c> what it shows.</param>
    /// <param name="number">What <see cref="NumberOf"/> will answer for it.</param>
    /// <param name="trampoline">Address of the C function (METH_FASTCALL | METH_KEYWORDS).</param>
    /// <param name="module">Name for <c>__module__</c>, a <c>str</c>.</param>
    public static NewRef Create(string name, string doc, int number, nint trampoline, BorrowedRef module)
    {
        using var self = CApi.PyType_GenericAlloc(SelfType(), 0).OrThrow();
        var def = (PyMethodDef*)NativeMemory.AllocZeroed((nuint)sizeof(PyMethodDef));
        def->Name = CString(name);
        *(long*)(self.Address + ObjectHeader) = number;
        *(byte**)(self.Address + NameOffset) = def->Name;
        def->Function = trampoline;
        def->Flags = MethFastCall | MethKeywords;
        def->Doc = CString(doc);
        return CApi.PyCFunction_NewEx(def, self.Borrow(), module).OrThrow();
    }

    /// <summary>The number of the hub call that the trampoline's <c>self</c> stands for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int NumberOf(nint self) => (int)*(long*)(self + ObjectHeader);

    private static BorrowedRef SelfType()
    {
        if (s_selfType.IsNull)
        {
            var slots = (nint*)NativeMemory.AllocZeroed(2, (nuint)sizeof(nint));
            var spec = (PyTypeSpec*)NativeMemory.AllocZeroed((nuint)sizeof(PyTypeSpec));
            spec->Name = CString("ugreen.HubCall");
            spec->BasicSize = NameOffset + sizeof(byte*);
            spec->Flags = (uint)(FlagsDefault | DisallowInstantiation);
            spec->Slots = slots;
            s_selfType = CApi.PyType_FromSpec(spec).OrThrow();
        }

        return s_selfType.Borrow();
    }

    private static byte* CString(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        var memory = (byte*)NativeMemory.AllocZeroed((nuint)length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(memory, length));
        return memory;
    }
}
