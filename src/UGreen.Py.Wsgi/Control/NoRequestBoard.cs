namespace UGreen.Py.Wsgi.Control;

/// <summary>Nobody looks.</summary>
public sealed class NoRequestBoard : IRequestBoard
{
    public static NoRequestBoard Instance { get; } = new();

    public void Begin(int core, string method, string target, long now)
    {
    }

    public void SetKillTime(int core, long killTime)
    {
    }

    public void Harakiri(int core)
    {
    }

    public void End(int core, long now, long bytes, bool failed)
    {
    }
}
