namespace UGreen.Py.CPython.Layout;

/// <summary>The decision about one field of <c>PyThreadState</c>: see <see cref="ThreadStateAnswers"/>.</summary>
/// <param name="Field">The C name.</param>
/// <param name="Role">What a switch does with it.</param>
/// <param name="Reason">Why, in a sentence.</param>
public readonly record struct ThreadStateAnswer(string Field, ThreadStateRole Role, string Reason);
