using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace UGreen.Py.Bench.Kestrel;

/// <summary>
/// The least that an application of Kestrel can do: two header fields and 13 bytes, which leave with the head in one write. Its context is Kestrel's own object for the
/// connection, so nothing is made for a request.
/// </summary>
internal sealed class HelloApplication : IHttpApplication<IFeatureCollection>
{
    private static readonly ReadOnlyMemory<byte> s_body = "Hello, world!"u8.ToArray();

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public Task ProcessRequestAsync(IFeatureCollection context)
    {
        var headers = context.GetRequiredFeature<IHttpResponseFeature>().Headers;
        headers.ContentType = "text/plain";
        headers.ContentLength = s_body.Length;
        var written = context.GetRequiredFeature<IHttpResponseBodyFeature>().Writer.WriteAsync(s_body);
        if (!written.IsCompletedSuccessfully) return written.AsTask();
        // A value task is to be looked at once, also where its result says nothing.
        _ = written.Result;
        return Task.CompletedTask;
    }

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }
}
