namespace UGreen.Py.Front;

/// <summary>What HTTP says about single status codes.</summary>
internal static class HttpStatus
{
    public const int NoContent = 204;
    public const int ResetContent = 205;
    public const int NotModified = 304;
    public const int BadRequest = 400;
    public const int ContentTooLarge = 413;

    /// <summary>For logs only, nobody is told it: the client left before its request was answered. The number is nginx's.</summary>
    public const int ClientLeft = 499;
    public const int InternalServerError = 500;
    public const int NotImplemented = 501;

    /// <summary>Below 200 a response is interim, and the client would wait for another one for ever.</summary>
    public static bool IsFinal(int status) => status is >= 200 and <= 999;
}
