using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class ConnectionBudgetTests
{
    [Fact]
    public async Task Beyond_the_limit_they_wait_in_their_order()
    {
        var budget = new ConnectionBudget(2, NullLogger.Instance, TimeProvider.System);
        Assert.True(budget.EnterAsync().IsCompletedSuccessfully);
        Assert.True(budget.EnterAsync().IsCompletedSuccessfully);
        var (third, fourth) = (budget.EnterAsync(), budget.EnterAsync());
        Assert.False(third.IsCompleted || fourth.IsCompleted);

        budget.Leave();
        await third.WaitAsync(TestFront.Patience);
        Assert.False(fourth.IsCompleted);
        budget.Leave();
        await fourth.WaitAsync(TestFront.Patience);

        budget.Leave();
        budget.Leave();
        Assert.True(budget.EnterAsync().IsCompletedSuccessfully);
        Assert.True(budget.EnterAsync().IsCompletedSuccessfully);
        Assert.False(budget.EnterAsync().IsCompleted);
    }
}
