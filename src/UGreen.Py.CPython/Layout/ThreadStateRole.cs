namespace UGreen.Py.CPython.Layout;

/// <summary>What a switch between green threads does with a field of <c>PyThreadState</c>.</summary>
public enum ThreadStateRole
{
    /// <summary>Belongs to the Python code on one stack: saved when it is switched away from, restored before it runs again.</summary>
    Swapped,

    /// <summary>Belongs to the hub thread as a whole, or is known to be the same at each switch; the answer says why.</summary>
    NotSwapped,

    /// <summary>Makes the thread state what it is (links, ownership, life time): nobody but CPython writes it.</summary>
    Structural,
}
