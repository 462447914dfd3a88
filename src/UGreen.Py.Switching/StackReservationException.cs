namespace UGreen.Py.Switching;

/// <summary>The cores and stack sizes asked for do not fit. The message is meant for the user: it names the options and the most that fits.</summary>
public sealed class StackReservationException(string message) : ArgumentException(message);
