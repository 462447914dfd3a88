namespace UGreen.Py.Gateway;

/// <summary>What HTTP says about the body of a response by its status and its request's method; the fronts and the application side go by the same rule.</summary>
public static class ResponseRules
{
    private const int NoContent = 204;
    private const int ResetContent = 205;
    private const int NotModified = 304;

    /// <summary>No body follows the head, whatever the application gives (RFC 9110, sections 6.4.1, 9.3.2 and 15.3.6).</summary>
    /// <param name="method">Of the request.</param>
    /// <param name="status">Of the response.</param>
    public static bool HasNoBody(string method, int status) => method == "HEAD" || HasNoBody(status);

    /// <summary>As <see cref="HasNoBody(string, int)"/>, of any method but HEAD.</summary>
    public static bool HasNoBody(int status) => status is NoContent or ResetContent or NotModified or (>= 100 and < 200);

    /// <summary>The head says nothing of the length that a body would have: none with 204 (RFC 9110, section 8.6), and 205 has none to speak of.</summary>
    /// <param name="status">Of the response.</param>
    public static bool ForbidsLength(int status) => status is NoContent or ResetContent;
}
