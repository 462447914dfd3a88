namespace UGreen.Py.Switching;

/// <summary>Offsets in bytes of the words on the data page behind the second door.</summary>
internal static class WaitDoorData
{
    /// <summary>Address of the trampoline's cell. Constant, but in a forked child.</summary>
    public const int CellAt = 0;

    /// <summary>Address of errno of the hub's OS thread. Constant.</summary>
    public const int ErrnoAt = 8;

    /// <summary>The hub's OS thread, as pthread_self() names it. Constant.</summary>
    public const int OsThread = 16;

    /// <summary>What stands for <see cref="OsThread"/> while a green thread looks at a lock that the main stack has. Constant.</summary>
    public const int MainStack = 24;

    /// <summary>Address of PyLong_FromUnsignedLong. Constant.</summary>
    public const int MakeNumber = 32;

    /// <summary>CPython's own get_ident. Constant.</summary>
    public const int OwnIdent = 40;

    /// <summary>The core that forks, or 0; in the child this stands for the cell.</summary>
    public const int Forking = 48;

    /// <summary>CPython's own methods of RLock, in the order of their wrappers. Constant.</summary>
    public const int OwnMethods = 64;

    /// <summary>Most methods of RLock.</summary>
    public const int Methods = 8;

    public const int Bytes = OwnMethods + (Methods * 8);
}
