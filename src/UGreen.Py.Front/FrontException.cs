namespace UGreen.Py.Front;

/// <summary>An error that the operator can repair (an address in use, a malformed option). Its message is one whole line; print it without a stack trace.</summary>
public sealed class FrontException : Exception
{
    public FrontException(string message) : base(message)
    {
    }

    public FrontException(string message, Exception inner) : base(message, inner)
    {
    }
}
