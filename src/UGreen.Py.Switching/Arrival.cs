namespace UGreen.Py.Switching;

/// <summary>Why a green thread came back to the main stack. The values are what the machine code returns.</summary>
public enum Arrival
{
    /// <summary>It did not: what it came with is being waited for.</summary>
    None = -1,

    /// <summary>It has finished.</summary>
    Finished = 0,

    /// <summary>By the trampoline: a hub call.</summary>
    HubCall = 1,

    /// <summary>By the second door: a call of the C library that would wait.</summary>
    NativeCall = X64WaitDoor.NativeCall,
}
