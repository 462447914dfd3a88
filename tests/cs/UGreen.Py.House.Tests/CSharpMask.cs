namespace UGreen.Py.House.Tests;

/// <summary>Blanks what is not code in C# text: comments, and what stands in string and character literals (the code in interpolation holes stays).</summary>
internal sealed class CSharpMask
{
    private readonly string _text;
    private readonly char[] _code;
    private int _at;

    private CSharpMask(string text)
    {
        _text = text;
        _code = text.ToCharArray();
    }

    public static string Blank(string text)
    {
        var mask = new CSharpMask(text);
        mask.Code(holeBraces: 0);
        return new string(mask._code);
    }

    // Reads code to the end of the text, or of the interpolation hole that closes with `holeBraces` braces.
    private void Code(int holeBraces)
    {
        for (var depth = 0; _at < _text.Length;)
        {
            var c = _text[_at];
            if (holeBraces > 0 && c == '}' && depth == 0) return;
            if (At("//")) BlankTo(LineEnd());
            else if (At("/*")) BlankTo(After("*/", _at + 2));
            else if (c == '\'') Quoted('\'', verbatim: false);
            else if (IsString(out var dollars, out var verbatim, out var quotes)) String(dollars, verbatim, quotes);
            else
            {
                depth += c == '{' ? 1 : c == '}' ? -1 : 0;
                _at++;
            }
        }
    }

    private bool IsString(out int dollars, out bool verbatim, out int quotes)
    {
        var i = _at;
        (dollars, verbatim, quotes) = (0, false, 0);
        for (; i < _text.Length && _text[i] is '$' or '@'; i++)
        {
            if (_text[i] == '$') dollars++;
            else verbatim = true;
        }

        while (i + quotes < _text.Length && _text[i + quotes] == '"') quotes++;
        return quotes > 0;
    }

    private void String(int dollars, bool verbatim, int quotes)
    {
        _at += dollars + (verbatim ? 1 : 0);
        if (quotes >= 3 && !verbatim) Raw(dollars, quotes);
        else if (dollars == 0) Quoted('"', verbatim);
        else Interpolated(verbatim);
    }

    private void Quoted(char quote, bool verbatim)
    {
        for (_at++; _at < _text.Length; _at++)
        {
            if (_text[_at] == quote && !(verbatim && Next() == quote)) break;
            if (_text[_at] == quote || (_text[_at] == '\\' && !verbatim)) BlankOne();
            BlankHere();
        }

        _at++;
    }

    private void Interpolated(bool verbatim)
    {
        for (_at++; _at < _text.Length && (_text[_at] != '"' || (verbatim && Next() == '"'));)
        {
            if (_text[_at] == '{' && Next() != '{') Hole(1);
            else
            {
                if (_text[_at] is '{' or '"' || (_text[_at] == '\\' && !verbatim)) BlankOne();
                BlankOne();
            }
        }

        _at++;
    }

    private void Raw(int dollars, int quotes)
    {
        var close = new string('"', quotes);
        var hole = new string('{', Math.Max(dollars, 1));
        for (_at += quotes; _at < _text.Length && !At(close);)
        {
            if (dollars > 0 && At(hole) && !At(hole + "{")) Hole(dollars);
            else BlankOne();
        }

        _at += quotes;
    }

    private void Hole(int braces)
    {
        for (var i = 0; i < braces; i++) BlankOne();
        Code(braces);
        for (var i = 0; i < braces && _at < _text.Length; i++) BlankOne();
    }

    private char Next() => _at + 1 < _text.Length ? _text[_at + 1] : '\0';

    private bool At(string what) => string.CompareOrdinal(_text, _at, what, 0, what.Length) == 0;

    private int LineEnd() => _text.IndexOf('\n', _at) is >= 0 and var end ? end : _text.Length;

    private int After(string what, int from) => _text.IndexOf(what, from, StringComparison.Ordinal) is >= 0 and var at ? at + what.Length : _text.Length;

    private void BlankTo(int end)
    {
        while (_at < end) BlankOne();
    }

    private void BlankOne()
    {
        BlankHere();
        _at++;
    }

    private void BlankHere()
    {
        if (_at < _code.Length && _code[_at] != '\n') _code[_at] = ' ';
    }
}
