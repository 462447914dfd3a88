namespace UGreen.Py.Hub;

/// <summary>Monotonic time, passed in so that tests own it.</summary>
public interface IClock
{
    /// <summary>Now, in nanoseconds since some fixed moment; never goes back.</summary>
    long Now { get; }
}
