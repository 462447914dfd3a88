namespace UGreen.Py.Hub;

/// <summary>A green thread's wait for a lock, in a call of the C library.</summary>
/// <param name="Address">Of the semaphore or mutex.</param>
/// <param name="IsMutex">It is a mutex, and the hub's OS thread has it: so some green thread.</param>
/// <param name="IsShared">Other processes have it, too.</param>
/// <param name="IsTimed">It ends by itself.</param>
/// <param name="Number">Of all such waits, the later ones have higher numbers.</param>
/// <param name="Owner">Of a recursive mutex: the identity of the core that has it, 0 where that is not known.</param>
/// <param name="HeldBefore">Of a mutex: who holds it has a lower <see cref="GreenThread.Id"/>, since it was not released since.</param>
public readonly record struct LockWait(nint Address, bool IsMutex, bool IsShared, bool IsTimed, long Number, nint Owner, long HeldBefore);
