using Xunit;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>A test that needs nginx (Debian: nginx-light); skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NginxTheoryAttribute : TheoryAttribute
{
    public NginxTheoryAttribute()
    {
        if (!File.Exists(Nginx.Program)) Skip = $"no {Nginx.Program}";
    }
}
