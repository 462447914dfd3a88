using UGreen.Py.Gateway;

namespace UGreen.Py.Server.Hosting;

/// <summary>The application side as the process sees it: something to start, to watch and to stop.</summary>
internal interface IWorker : IGatewayApplication
{
    /// <summary>Loads Python and the application. Submit is not called before this has finished.</summary>
    /// <exception cref="StartupException">It cannot be loaded.</exception>
    Task StartAsync();

    /// <summary>Tells the application that the worker is about to end; it goes on with taking requests.</summary>
    void BeginDrain();

    /// <summary>Waits for running requests up to <paramref name="grace"/>, then runs Python's atexit functions.</summary>
    Task StopAsync(TimeSpan grace);

    /// <summary>Faults when the hub dies, and ends when it was stopped.</summary>
    Task Completion { get; }

    /// <summary>Ends with true when the worker has taken note of the question; one that hangs does not.</summary>
    Task<bool> RespondsAsync();

    /// <summary>For the start block, as "3.11.2"; known after the start.</summary>
    string PythonVersion { get; }
}
