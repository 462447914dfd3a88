using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>Copies a <see cref="ResponseHead"/> into Kestrel's response feature. Runs on the hub thread (streaming) or on a front thread (whole).</summary>
internal static class ResponseHeadWriter
{
    /// <summary>All or nothing: when it throws, no header is left set.</summary>
    /// <exception cref="InvalidOperationException">The head cannot be sent; the message is one line.</exception>
    public static void Apply(ResponseHead head, long? length, IHttpResponseFeature response, ILogger logger)
    {
        if (!HttpStatus.IsFinal(head.Status)) throw new InvalidOperationException($"status {head.Status} is not a final status (200 to 999)");

        var headers = response.Headers;
        try
        {
            foreach (ref readonly var field in head.Headers)
            {
                if (IsFraming(field.Name))
                {
                    FrontLog.HopByHopDropped(logger, field.Name);
                    continue;
                }

                // Repeated names (Set-Cookie) stay separate lines.
                var present = headers[field.Name];
                headers[field.Name] = present.Count == 0 ? new StringValues(field.Value) : StringValues.Concat(present, field.Value);
            }

            headers.ContentLength = length;
            response.StatusCode = head.Status;
            response.ReasonPhrase = Reason(head);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            headers.Clear();
            throw e as InvalidOperationException ?? new InvalidOperationException(e.Message, e);
        }
    }

    /// <summary>
    /// A Transfer-Encoding of the application's own would make Kestrel send the body unframed, and the length has a field of its own in
    /// <see cref="ResponseHead"/>; PEP 3333 forbids the first and the second would be said twice.
    /// </summary>
    private static bool IsFraming(string name)
        => (name.Length == 17 && name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            || (name.Length == 14 && name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase));

    /// <summary>Null for the standard phrase: Kestrel has those as ready bytes and would encode any other one anew for each response.</summary>
    private static string? Reason(ResponseHead head)
    {
        if (string.IsNullOrEmpty(head.Reason) || head.Reason == ReasonPhrases.GetReasonPhrase(head.Status)) return null;
        // Kestrel checks header values but not the reason, so a line break in it would forge a header.
        if (head.Reason.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0) throw new InvalidOperationException("control character in the reason phrase");
        return head.Reason;
    }
}
