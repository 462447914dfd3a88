using System.Runtime.CompilerServices;

// BorrowedRef, NewRef and PyStatus cross P/Invoke as plain bits.
[assembly: DisableRuntimeMarshalling]
[assembly: InternalsVisibleTo("UGreen.Py.CPython.Tests")]
