namespace UGreen.Py.Front.Uwsgi;

/// <summary>One event of the codec.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Refusal">Set exactly when the packet is refused.</param>
public readonly record struct UwsgiEvent(UwsgiEventKind Kind, UwsgiRefusal? Refusal = null);

/// <summary>What <see cref="UwsgiCodec.Read"/> made of the bytes.</summary>
public enum UwsgiEventKind
{
    /// <summary>The packet is not complete; nothing was consumed.</summary>
    NeedMore,

    /// <summary>A request: its variables are in the <see cref="UwsgiHead"/>, and what follows in the input is its body.</summary>
    Request,

    /// <summary>"Are you there?": answer <see cref="UwsgiCodec.Pong"/>.</summary>
    Ping,

    /// <summary>See <see cref="UwsgiEvent.Refusal"/>; nothing more can be read from this connection.</summary>
    Refused,
}
