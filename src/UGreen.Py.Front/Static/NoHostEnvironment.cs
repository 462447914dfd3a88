using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;

namespace UGreen.Py.Front.Static;

/// <summary>The host that the middleware's constructor asks for. There is none, and with a file provider of its own it is not looked at.</summary>
internal sealed class NoHostEnvironment : IWebHostEnvironment
{
    public string WebRootPath { get; set; } = "";

    public IFileProvider WebRootFileProvider { get; set; } = new NullFileProvider();

    public string ApplicationName { get; set; } = "";

    public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();

    public string ContentRootPath { get; set; } = "";

    public string EnvironmentName { get; set; } = "";
}
