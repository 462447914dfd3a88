namespace UGreen.Py.Hub;

/// <summary>What a core is for. Each kind has cores of its own, so that functions which the application spawns never take one away from a request, or the other way round.</summary>
public enum CoreKind
{
    /// <summary>Runs requests.</summary>
    Request,

    /// <summary>Runs functions that the application has spawned.</summary>
    Spawn,
}
