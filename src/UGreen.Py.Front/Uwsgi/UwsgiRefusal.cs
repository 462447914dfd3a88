namespace UGreen.Py.Front.Uwsgi;

/// <summary>Why a packet is refused, and what its sender is told.</summary>
/// <param name="Status">HTTP status to answer with; 0: close without an answer, because the other side does not expect HTTP text.</param>
/// <param name="Reason">One line of printable ASCII, for the log and for the answer. It never holds a value from the wire.</param>
public sealed record UwsgiRefusal(int Status, string Reason)
{
    internal static readonly UwsgiRefusal PingModifier = new(0, "modifier1 100 (ping) with a modifier2 other than 0");
    internal static readonly UwsgiRefusal EmptyName = new(400, "a variable without a name");
    internal static readonly UwsgiRefusal NamePastBlock = new(400, "a variable name runs past the end of the block");
    internal static readonly UwsgiRefusal ValuePastBlock = new(400, "a variable value runs past the end of the block");
    internal static readonly UwsgiRefusal BadName = new(400, "a variable name with a space, a control character or a byte beyond ASCII");
    internal static readonly UwsgiRefusal BadLength = new(400, "CONTENT_LENGTH is not a decimal number of at most 63 bits");
    internal static readonly UwsgiRefusal TwoLengths = new(400, "two different values of CONTENT_LENGTH");
    internal static readonly UwsgiRefusal NoLength = new(411, "HTTP_TRANSFER_ENCODING without CONTENT_LENGTH: the body has no end");
    internal static readonly UwsgiRefusal NoMethod = new(400, "no REQUEST_METHOD (is uwsgi_params included?)");
    internal static readonly UwsgiRefusal BadMethod = new(400, "REQUEST_METHOD is not a token");

    internal static UwsgiRefusal Modifier(byte modifier1)
        => new(0, char.IsAsciiLetter((char)modifier1)
            ? $"modifier1 {modifier1} is not served; it is the letter '{(char)modifier1}', so this may be HTTP on a uwsgi socket"
            : modifier1 == 0x16 ? "modifier1 22 is not served; this may be TLS on a uwsgi socket" : $"modifier1 {modifier1} is not served");

    internal static UwsgiRefusal BlockTooLarge(int bytes, int limit) => new(431, $"a variable block of {bytes} bytes, more than --buffer-size {limit}");

    internal static UwsgiRefusal TooManyVariables(int limit) => new(431, $"more than {limit} variables");

    internal static UwsgiRefusal NameTooLong(int limit) => new(431, $"a variable name of more than {limit} bytes");

    internal static UwsgiRefusal BadValue(string name) => new(400, $"a control character in the variable {name}");
}
