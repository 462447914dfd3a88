namespace UGreen.Py.Hub;

/// <summary>Who hears of fd events: a green thread's wait set.</summary>
public interface IFdWaiter
{
    /// <summary>The fd is ready (or closed under the waiter's feet; the next system call on it will say so). The registration is unlinked already.</summary>
    void FdReady(FdRegistration registration);
}
