using System.Globalization;

namespace UGreen.Py.Server.Options;

/// <summary>Default values and ranges, each written once: the validator and the help both take them from here.</summary>
internal static class OptionDefaults
{
    public const string Callable = "application";
    public const string Http = "127.0.0.1:8000";
    /// <summary>What uWSGI takes when --chmod-socket has no value.</summary>
    public const string SocketMode = "666";
    /// <summary>As .NET's own; many times what arrives while a collection runs.</summary>
    public const int Backlog = 512;
    /// <summary>The kernel's counter has 16 bits on old kernels; more than that many clients are better told at once.</summary>
    public const int MaxBacklog = 65_535;
    public const int Cores = 100;
    /// <summary>A bound against typing errors only; how many stacks really fit depends on their size, and the worker says so when they do not.</summary>
    public const int MaxCores = 100_000;
    /// <summary>What GreenStacks.Choose chooses. It is address space; only touched pages cost memory.</summary>
    public const string StackPages = "256 to 1024, as many as fit";
    /// <summary>64 KiB: a smaller stack overflows in CPython's own start of a call.</summary>
    public const int MinStackPages = 16;
    public const int MaxStackPages = 65_536;
    public const string SpawnCores = "1000, or as many as fit";
    /// <summary>At 50 ms a request on 100 cores these wait half a second; a longer queue only turns an overload into time-outs.</summary>
    public const int Queue = 1000;
    public const int MaxQueue = 1_000_000;

    /// <summary>Container objects between two looks for cycles. Python's own 700 cost a page of Flask a tenth of its time (docs/performance.md); so many more are some 2 MiB of garbage at most.</summary>
    public const int GcThreshold = 10_000;

    public const int MaxGcThreshold = 1_000_000_000;

    /// <summary>Where Python's own ThreadPoolExecutor stops, too: these threads wait for others and not for a CPU, but each that wakes up wants the GIL.</summary>
    public const int Threads = 32;
    /// <summary>Each reserves a stack of 8 MiB; many more meet the kernel's limits.</summary>
    public const int MaxThreads = 4096;

    /// <summary>Locks are numbers; more of them than this is a mistake.</summary>
    public const int MaxLocks = 10_000;
    public const int ShutdownTimeoutSeconds = 10;
    public const int MaxShutdownTimeoutSeconds = 86_400;
    /// <summary>A bound against typing errors: each worker is a process with an interpreter.</summary>
    public const int MaxWorkers = 1024;
    /// <summary>As uWSGI: enough that an application which exceeds a limit at once does not become a storm of starts.</summary>
    public const int MinWorkerLifetimeSeconds = 10;
    /// <summary>As uWSGI: three looks, a second apart.</summary>
    public const int CheaperOverloadSeconds = 3;
    /// <summary>A bound against typing errors: a year.</summary>
    public const int MaxWorkerSeconds = 366 * 86_400;
    /// <summary>For the finally blocks of a request that is ended: a transaction to roll back, a connection to give back.</summary>
    public const int HarakiriGraceSeconds = 5;
    public const string LogLevel = "info";
    public const string Switch = "direct";

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
