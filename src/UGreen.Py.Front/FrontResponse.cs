using Microsoft.AspNetCore.Http.Features;

namespace UGreen.Py.Front;

/// <summary>An answer of the front itself: a status without a body, and without anything that an application had set before.</summary>
internal static class FrontResponse
{
    public static void Set(IHttpResponseFeature response, int status)
    {
        response.Headers.Clear();
        response.StatusCode = status;
        response.ReasonPhrase = null;
        response.Headers.ContentLength = 0;
        // Whatever led here, the next request on this connection may be read from the wrong place.
        response.Headers.Connection = "close";
    }
}
