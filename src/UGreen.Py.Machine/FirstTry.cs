namespace UGreen.Py.Machine;

/// <summary>What a stub tries before it enters the hub: a call that has something to do must cost next to nothing.</summary>
public enum FirstTry
{
    /// <summary>Nothing: it waits as a rule, or the hub tries.</summary>
    None,

    /// <summary>The call itself with MSG_DONTWAIT in its fourth argument.</summary>
    Flags,

    /// <summary>The call itself with MSG_DONTWAIT in its third argument.</summary>
    ThirdFlags,

    /// <summary>As <see cref="Flags"/>; a part of the bytes is not enough.</summary>
    Send,

    /// <summary>The call itself with the third argument, its time-out, 0.</summary>
    Poll,

    /// <summary>The call itself with the fourth argument, its time-out, 0.</summary>
    EpollWait,

    /// <summary>poll() whether the descriptor, the first argument, is readable.</summary>
    Readable,

    /// <summary>What is known of the descriptor decides: a file is read, a pipe or a socket is read without waiting, anything else as <see cref="Readable"/>.</summary>
    Read,

    /// <summary>The same for writing. Standard output and error wait as ever; what is no pipe and no socket is asked by poll(), and only for what a pipe takes whole.</summary>
    Write,

    /// <summary>pthread_mutex_trylock(); goes on to the hub only where this OS thread has the lock.</summary>
    Mutex,

    /// <summary>Goes on to the hub only for the commands that wait for a lock: the second argument of fcntl().</summary>
    Command,

    /// <summary>Nothing, but Python's own code and the .NET runtime's wait as ever: their condition variables are what the hub stands on.</summary>
    Condition,

    /// <summary>Nothing, but the .NET runtime's own code yields as ever.</summary>
    Yield,

    /// <summary>The call itself with MSG_DONTWAIT in its third argument; a part of the message is not enough.</summary>
    SendMessage,
}
