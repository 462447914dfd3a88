using Microsoft.AspNetCore.Http.Features;

namespace UGreen.Py.Front;

/// <summary>An answer of the front itself: a status without a body, and without anything that an application had set before.</summary>
internal static class FrontResponse
{
    /// <param name="response">Kestrel's.</param>
    /// <param name="status">HTTP status code.</param>
    /// <param name="closes">False with HTTP/2: there each request is framed by itself, and Kestrel warns of a Connection header.</param>
    public static void Set(IHttpResponseFeature response, int status, bool closes = true)
    {
        response.Headers.Clear();
        response.StatusCode = status;
        response.ReasonPhrase = null;
        response.Headers.ContentLength = 0;
        // Whatever led here, the next request on this connection may be read from the wrong place.
        if (closes) response.Headers.Connection = "close";
    }
}
