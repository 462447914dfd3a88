namespace UGreen.Py.Hub;

/// <summary>Who an inbox message is for.</summary>
public interface IInboxReceiver
{
    /// <summary>Called on the hub thread, between green threads.</summary>
    /// <param name="payload">What the sender attached.</param>
    /// <param name="token">What the sender was told to send along: receivers compare it and drop stale messages.</param>
    void Receive(object? payload, long token);
}
