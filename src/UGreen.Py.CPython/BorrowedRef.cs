namespace UGreen.Py.CPython;

/// <summary>
/// A reference to a Python object that somebody else owns. It costs nothing, may not be released, and is valid only as long as the owner holds on.
/// The same bits as a <c>PyObject*</c>, so it crosses P/Invoke as it is.
/// </summary>
public readonly struct BorrowedRef(nint address) : IEquatable<BorrowedRef>
{
    /// <summary>The <c>PyObject*</c>; 0 for NULL.</summary>
    public nint Address { get; } = address;

    public bool IsNull => Address == 0;

    public static BorrowedRef Null => default;

    public bool Equals(BorrowedRef other) => Address == other.Address;

    public override bool Equals(object? obj) => obj is BorrowedRef other && Equals(other);

    public override int GetHashCode() => Address.GetHashCode();

    public static bool operator ==(BorrowedRef left, BorrowedRef right) => left.Address == right.Address;

    public static bool operator !=(BorrowedRef left, BorrowedRef right) => left.Address != right.Address;
}
