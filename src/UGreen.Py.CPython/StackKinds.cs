namespace UGreen.Py.CPython;

/// <summary>Stacks on which C calls C#.</summary>
[Flags]
public enum StackKinds
{
    /// <summary>The hub thread's own, between two resumes.</summary>
    Main = 1,

    /// <summary>That of an OS thread other than the hub's.</summary>
    Foreign = 2,

    /// <summary>That of a green thread, whose core is hidden already: see <see cref="HiddenCore"/>.</summary>
    HiddenGreen = 4,

    /// <summary>That of a green thread. The method itself hides the core before it does anything else.</summary>
    Green = 8,
}
