// Kestrel alone, as `bench/limit kestrel` starts it:   kestrel-alone PORT
//
// What UGreen.Py's front would be without anything behind it: no Python, no hub, no middleware, no host. Kestrel's settings are the server's where they cost or save
// time (src/UGreen.Py.Front/KestrelSetup.cs). Running the application on the thread that found the socket readable (UnsafePreferInlineScheduling) made it no faster.

using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using UGreen.Py.Bench.Kestrel;
using UGreen.Py.Front;

if (args.Length != 1 || !ushort.TryParse(args[0], NumberStyles.None, CultureInfo.InvariantCulture, out var port))
{
    await Console.Error.WriteLineAsync("usage: kestrel-alone PORT").ConfigureAwait(false);
    return 2;
}

var ended = new TaskCompletionSource();
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);

var options = new KestrelServerOptions { AddServerHeader = false };
options.Limits.MinRequestBodyDataRate = null;
options.Limits.MinResponseDataRate = null;
options.Limits.MaxRequestBodySize = null;
options.Listen(IPAddress.Loopback, port);

var transport = new SocketTransportOptions();
var blocks = new BlockPool(TimeProvider.System);
_ = blocks.TryUse(transport);

using var server = new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(transport), NullLoggerFactory.Instance), NullLoggerFactory.Instance);
await server.StartAsync(new HelloApplication(), CancellationToken.None).ConfigureAwait(false);
await ended.Task.ConfigureAwait(false);
await server.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
blocks.Stop();
return 0;

void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    ended.TrySetResult();
}
