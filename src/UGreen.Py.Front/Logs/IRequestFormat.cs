namespace UGreen.Py.Front.Logs;

/// <summary>Makes the line of a request. Any thread, several at once.</summary>
public interface IRequestFormat
{
    /// <returns>
    /// The line with its line break, the only one in it; made of printable ASCII apart from what the operator wrote into a format. Valid until this thread asks for the
    /// next line.
    /// </returns>
    ReadOnlySpan<byte> Format(scoped in RequestEntry entry);
}
