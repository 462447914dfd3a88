using System.Runtime.CompilerServices;
using UGreen.Py.CPython;

namespace UGreen.Py.Hub;

/// <summary>How many positional arguments a hub call takes, and whether it takes keywords.</summary>
public readonly struct Arity
{
    private readonly int _least;
    private readonly int _most;
    private readonly bool _keywords;

    private Arity(int least, int most, bool keywords) => (_least, _most, _keywords) = (least, most, keywords);

    /// <summary>No arguments.</summary>
    public static Arity None => new(0, 0, keywords: false);

    /// <summary>Whatever comes: the call looks at no argument, or checks each itself by <see cref="HubCallArguments.Count"/> and <see cref="HubCallArguments.Keyword"/>.</summary>
    public static Arity Any => new(0, int.MaxValue, keywords: true);

    /// <summary>So many.</summary>
    public static Arity Exactly(int count) => new(count, count, keywords: false);

    /// <summary>Those, or fewer where the last ones are optional.</summary>
    public static Arity Between(int least, int most) => new(least, most, keywords: false);

    /// <summary>Whether a call with these arguments may be served.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Accepts(in HubCallArguments args) => args.Count >= _least && args.Count <= _most && (_keywords || !args.HasKeywords);

    /// <summary>What is wrong with them, in Python's words.</summary>
    public string Complaint(string function, in HubCallArguments args)
    {
        if (!_keywords && args.HasKeywords) return $"{function}() takes no keyword arguments";
        var wanted = _least == _most ? $"{_least}" : $"{_least} to {_most}";
        return $"{function}() takes {wanted} argument{(_most == 1 ? "" : "s")} ({args.Count} given)";
    }
}
