namespace UGreen.Py.Hub;

/// <summary>What a green thread waits for on a file descriptor.</summary>
public enum FdDirection
{
    Read,
    Write,
}
