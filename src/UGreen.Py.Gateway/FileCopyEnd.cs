namespace UGreen.Py.Gateway;

/// <summary>How a copy of a file to a client ended.</summary>
public enum FileCopyEnd
{
    /// <summary>All that was asked for is out.</summary>
    Done,

    /// <summary>The client went away.</summary>
    ClientGone,

    /// <summary>The file ended before, or could not be read: it was made shorter meanwhile, or its disk fails.</summary>
    FileFailed,
}
