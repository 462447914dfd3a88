using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class BadRequestTests
{
    [Theory]
    [InlineData("/", false)]
    [InlineData("/a?b=\"<>[]{}|\\^`", false)]
    [InlineData("/%zz%00", false)]
    [InlineData("*", false)]
    [InlineData("/a#b", true)]
    [InlineData("/a\tb", true)]
    [InlineData("/a b", true)]
    [InlineData("/a\u007f", true)]
    [InlineData("/a?\u0001", true)]
    public void A_target_is_judged_by_its_characters(string target, bool isBroken) => Assert.Equal(isBroken, RequestTargetRule.IsBroken(target));

    [Theory]
    [InlineData("Invalid request line: ''", "Invalid request line")]
    [InlineData("Bad chunk size data.", "Bad chunk size data")]
    public void Reasons_are_shown_without_what_is_empty(string message, string shown) => Assert.Equal(shown, BadRequestLogger.Plain(message));
}
