namespace UGreen.Py.Front.Transport;

/// <summary>Whoever watches a descriptor on an <see cref="IoThread"/>.</summary>
internal interface IPolled
{
    /// <summary>On that thread.</summary>
    /// <param name="events">A set of <see cref="Native.EpollEvents"/>.</param>
    void OnEvents(uint events);

    /// <summary>On that thread: what it did there has failed. It may be in any state.</summary>
    void OnFault(Exception error);
}
