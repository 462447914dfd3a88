using System.Runtime.InteropServices;

namespace UGreen.Py.Switching.Tests;

/// <summary>struct job of green.c: what a green thread of a test does, and what it found.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GreenJob
{
    public nint Run;
    public nint HubCall;
    public nint Managed;
    public nint Rounds;
    public nint Failures;
    public nint Seed;
}
