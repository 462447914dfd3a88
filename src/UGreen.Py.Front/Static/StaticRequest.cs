using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Static;

/// <summary>Makes the HttpContext that ASP.NET Core wants out of an exchange, whichever front it came from.</summary>
internal static class StaticRequest
{
    public static HttpContext Context(GatewayExchange exchange, StaticResponse response)
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = exchange.Method,
            Protocol = exchange.Protocol,
            Scheme = exchange.Scheme,
            Headers = Headers(exchange),
        });
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(response);
        features.Set<IHttpRequestLifetimeFeature>(response);
        return new DefaultHttpContext(features);
    }

    private static HeaderDictionary Headers(GatewayExchange exchange)
    {
        var headers = new HeaderDictionary();
        foreach (ref readonly var field in exchange.Headers) headers.Append(field.Name, field.Value);
        // The uwsgi protocol's variables: HTTP_IF_NONE_MATCH was If-None-Match.
        foreach (ref readonly var field in exchange.Variables)
        {
            if (field.Name.StartsWith("HTTP_", StringComparison.Ordinal)) headers[field.Name[5..].Replace('_', '-')] = field.Value;
        }

        if (headers.TryGetValue("If-None-Match", out var tags)) headers["If-None-Match"] = EntityTags.WithoutWeakness(tags.ToString());

        // RFC 9110, section 14.2: a range in other units is none. The middleware would read the numbers as bytes.
        if (!headers["Range"].ToString().StartsWith("bytes=", StringComparison.OrdinalIgnoreCase)) headers.Remove("Range");
        return headers;
    }
}
