using System.Runtime.InteropServices;
using UGreen.Py.CPython.Api;
using UGreen.Py.Native;

namespace UGreen.Py.CPython;

/// <summary>
/// Which lock of Python's somebody waits for, and who is inside a <c>with</c> of it, for reports. CPython tells neither, so this looks at stacks, where nothing says what is a reference and
/// what is left over. So all that is found there is read by way of the kernel, and believed only when it is what it must be: an unknown CPython gives no answers, not wrong ones.
/// <para>Hub thread or any that holds the GIL.</para>
/// </summary>
// SAFETY: what is read directly is an object that a reference is held to; all else goes through OwnMemory.
public static unsafe class PyLocks
{
    // PyObject: count, type. struct lockobject and rlockobject go on with the address of the lock (in 3.10 to 3.12), that of RLock with its owner.
    private const int LockWord = 2;
    private const int OwnerWord = 3;

    // PyCFunctionObject: m_ml, m_self. PyMethodObject: im_func, im_self.
    private const int DefinitionWord = 2;
    private const int SelfWord = 3;

    // PyFrameObject: f_back, f_frame. _PyInterpreterFrame of 3.11: nine words before its variables.
    private const int FrameWord = 3;
    private const int VariablesWord = 9;

    // What the collector knows begins at a multiple of 16.
    private const int ObjectMask = 15;

    // Smaller numbers are no addresses, and larger ones the kernel's.
    private const long LowestAddress = 0x10000;
    private const long HighestAddress = 0x7FFF_FFFF_FFFF;

    private static readonly nint s_lock = TypeOf("_thread", "LockType");
    private static readonly nint s_rlock = TypeOf("_thread", "RLock");
    private static readonly nint s_function = TypeOf("types", "BuiltinFunctionType");
    private static readonly nint s_method = TypeOf("types", "MethodType");
    private static readonly nint s_frame = TypeOf("types", "FrameType");

    /// <summary>The Lock or RLock whose semaphore this is; NULL: not found. A new reference.</summary>
    /// <param name="semaphore">Its address.</param>
    /// <param name="words">What the thread that waits for it has last pushed on its C stack: a reference to the lock is in the first few hundred bytes.</param>
    public static NewRef Find(nint semaphore, ReadOnlySpan<nint> words)
    {
        Span<nint> seen = stackalloc nint[LockWord + 1];
        foreach (var word in words)
        {
            if (IsAddress(word) && (word & ObjectMask) == 0 && OwnMemory.TryRead(word, seen) && (seen[1] == s_lock || seen[1] == s_rlock) && seen[LockWord] == semaphore) return Counted(word);
        }

        return default;
    }

    /// <summary>One more reference to what <see cref="Find"/> has found, while the same wait goes on.</summary>
    public static NewRef Again(nint found) => Counted(found);

    /// <summary>Whom an RLock belongs to, as <c>get_ident()</c> names threads; 0: nobody, or it is no RLock.</summary>
    public static nint OwnerOf(BorrowedRef found) => ((nint*)found.Address)[1] == s_rlock ? ((nint*)found.Address)[OwnerWord] : 0;

    /// <summary>
    /// The object whose <c>__exit__</c> a <c>with</c> has put at a place of a frame's stack: a Lock, an RLock, or an object with a method of Python's. NULL: it is not that. A new reference.
    /// </summary>
    /// <param name="frame">Anything; only a frame has it.</param>
    /// <param name="place">Counted from the frame's first variable.</param>
    public static NewRef WithItem(BorrowedRef frame, int place)
    {
        Span<nint> one = stackalloc nint[1];
        Span<nint> seen = stackalloc nint[SelfWord + 1];
        if (Interpreter.Layout is not { Major: 3, Minor: 11 } || place < 0 || ((nint*)frame.Address)[1] != s_frame) return default;
        if (!OwnMemory.TryRead(frame.Address + (FrameWord * sizeof(nint)), one) || !IsAddress(one[0])) return default;
        if (!OwnMemory.TryRead(one[0] + ((VariablesWord + place) * sizeof(nint)), one) || !IsAddress(one[0]) || !OwnMemory.TryRead(one[0], seen)) return default;
        var self = seen[SelfWord];
        if (!IsAddress(self)) return default;
        if (seen[1] == s_method) return Counted(self);
        if (seen[1] != s_function || !OwnMemory.TryRead(self, seen[..2]) || (seen[1] != s_lock && seen[1] != s_rlock)) return default;
        return IsExit(seen[DefinitionWord]) ? Counted(self) : default;
    }

    private static bool IsExit(nint definition)
    {
        Span<nint> name = stackalloc nint[1];
        return OwnMemory.TryRead(definition, name) && Marshal.PtrToStringUTF8(name[0]) == "__exit__";
    }

    private static bool IsAddress(nint word) => (long)word is > LowestAddress and < HighestAddress && (word & (sizeof(nint) - 1)) == 0;

    private static NewRef Counted(nint address)
    {
        ++*(nint*)address;
        return new NewRef(address);
    }

    private static nint TypeOf(string module, string name)
    {
        using var found = CApi.PyImport_ImportModule(module).OrThrow();
        using var type = CApi.PyObject_GetAttrString(found.Borrow(), name).OrThrow();
        return type.Address;
    }
}
