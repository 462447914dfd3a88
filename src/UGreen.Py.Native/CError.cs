namespace UGreen.Py.Native;

/// <summary>errno of the calling OS thread.</summary>
public static class CError
{
    /// <summary>Where it is.</summary>
    public static nint Address => Libc.__errno_location();
}
