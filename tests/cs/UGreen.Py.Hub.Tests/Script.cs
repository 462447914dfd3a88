using UGreen.Py.CPython;

namespace UGreen.Py.Hub.Tests;

/// <summary>A green thread of a test and how it ended.</summary>
internal sealed class Script(NewRef callable) : IGreenOccupant
{
    public bool HasEnded { get; private set; }

    /// <summary>What it returned, as text; null while it runs and after an exception.</summary>
    public string? Result { get; private set; }

    public PythonException? Error { get; private set; }

    /// <summary>The test looks at <see cref="Error"/> itself.</summary>
    public bool ErrorIsExpected { get; set; }

    /// <summary>How often the hub said that it left the CPU for the first time.</summary>
    public int TimesLeft { get; private set; }

    public GreenThread? Green { get; private set; }

    public long Switches { get; private set; }

    public void LeftCpu(GreenThread green)
    {
        TimesLeft++;
        Green = green;
    }

    public void Exited(GreenThread green, nint result)
    {
        HasEnded = true;
        Green = green;
        Switches = green.Switches;
        if (result == 0) Error = PythonException.Fetch();
        else Result = TestHub.Text(new BorrowedRef(result));
        new NewRef(result).Dispose();
        callable.Dispose();
    }
}
