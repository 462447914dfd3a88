namespace UGreen.Py.CPython;

/// <summary>
/// Says on which stacks a method runs that C calls (<c>UnmanagedCallersOnly</c>). Each such method has one, and one that names <see cref="StackKinds.Green"/> begins a
/// <see cref="HiddenCore"/>; a test of the house reads both.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RunsOnAttribute(StackKinds stacks) : Attribute
{
    /// <summary>All stacks that it may be called on.</summary>
    public StackKinds Stacks { get; } = stacks;
}
