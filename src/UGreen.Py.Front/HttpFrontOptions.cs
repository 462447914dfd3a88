namespace UGreen.Py.Front;

/// <summary>What an <see cref="HttpFront"/> is started with.</summary>
/// <param name="Endpoints">Where to listen; at least one.</param>
public sealed record HttpFrontOptions(IReadOnlyList<HttpEndpoint> Endpoints);
