using UGreen.Py.Native;
using Xunit;
using static UGreen.Py.Hub.FdDirection;

namespace UGreen.Py.Hub.Tests;

/// <summary>Over a real epoll. Events are there when the system call that causes them has returned, so a poll without waiting sees them.</summary>
public sealed class FdTableTests : IDisposable
{
    private readonly Epoll _epoll = new();
    private readonly TestFds _fds = new();
    private readonly FdTable _table;
    private readonly EpollEvent[] _events = new EpollEvent[16];
    private readonly List<string> _woken = [];

    public FdTableTests() => _table = new FdTable(_epoll);

    public void Dispose()
    {
        _fds.Dispose();
        _epoll.Dispose();
    }

    [Fact]
    public void A_reader_is_woken_when_bytes_come()
    {
        var (read, write) = _fds.Pipe();
        Register("r", read, Read);
        Assert.Empty(Poll());
        TestFds.Write(write);
        Assert.Equal(["r"], Poll());
        Assert.Empty(Poll());
    }

    [Fact]
    public void A_writer_is_woken_when_there_is_room()
    {
        var (read, write) = _fds.Pipe();
        TestFds.Fill(write);
        Register("w", write, Write);
        Assert.Empty(Poll());
        TestFds.Empty(read);
        Assert.Equal(["w"], Poll());
    }

    [Fact]
    public void What_is_ready_already_is_reported_too()
    {
        var (read, write) = _fds.Pipe();
        TestFds.Write(write);
        Register("r", read, Read);
        Register("w", write, Write);
        Assert.Equal(["r", "w"], Poll().Order());
    }

    [Fact]
    public void Each_direction_of_one_fd_wakes_only_its_own()
    {
        var (a, b) = _fds.SocketPair();
        TestFds.Fill(a);
        Register("r", a, Read);
        Register("w", a, Write);
        Assert.Empty(Poll());

        TestFds.Write(b);
        Assert.Equal(["r"], Poll());

        // One-shot disarmed both; the other direction is armed again.
        TestFds.Empty(b);
        Assert.Equal(["w"], Poll());
    }

    [Fact]
    public void Both_directions_may_be_ready_at_once()
    {
        var (a, b) = _fds.SocketPair();
        TestFds.Write(b);
        Register("r", a, Read);
        Register("w", a, Write);
        Assert.Equal(["r", "w"], Poll().Order());
    }

    [Fact]
    public void All_waiters_of_a_direction_are_woken()
    {
        var (read, write) = _fds.Pipe();
        foreach (var name in (string[])["a", "b", "c"]) Register(name, read, Read);
        TestFds.Write(write);
        Assert.Equal(["a", "b", "c"], Poll().Order());
        Assert.Empty(Poll());
    }

    [Fact]
    public void A_registration_taken_back_is_not_woken()
    {
        var (read, write) = _fds.Pipe();
        var a = Register("a", read, Read);
        Register("b", read, Read);
        FdTable.Unregister(a);
        FdTable.Unregister(a);
        TestFds.Write(write);
        Assert.Equal(["b"], Poll());
        Assert.False(a.Fired);
    }

    [Fact]
    public void An_event_that_nobody_waits_for_any_more_is_dropped()
    {
        var (read, write) = _fds.Pipe();
        var a = Register("a", read, Read);
        FdTable.Unregister(a);
        TestFds.Write(write);
        Assert.Empty(Poll());

        // The fd was disarmed by that; the next wait arms it.
        Register("b", read, Read);
        Assert.Equal(["b"], Poll());
    }

    [Fact]
    public void When_one_direction_is_taken_back_its_event_costs_the_other_nothing()
    {
        var (a, b) = _fds.SocketPair();
        Register("r", a, Read);
        FdTable.Unregister(Register("w", a, Write));

        // Writable at once, and nobody waits for that.
        Assert.Empty(Poll());
        TestFds.Write(b);
        Assert.Equal(["r"], Poll());
    }

    [Fact]
    public void One_waiter_may_wait_for_several_fds_and_one_event_may_end_all_its_waits()
    {
        var (read1, write1) = _fds.Pipe();
        var (read2, write2) = _fds.Pipe();
        var waiter = new Waiter("w", _woken);
        var first = new FdRegistration(waiter);
        var second = new FdRegistration(waiter);
        waiter.OnReady = r => FdTable.Unregister(r == first ? second : first);
        Assert.Equal(0, _table.Register(first, read1, Read));
        Assert.Equal(0, _table.Register(second, read2, Read));
        TestFds.Write(write1);
        TestFds.Write(write2);
        Assert.Equal(["w"], Poll());
        Assert.True(first.Fired ^ second.Fired);
    }

    [Fact]
    public void A_callback_may_take_back_others_of_its_own_list()
    {
        var (read, write) = _fds.Pipe();
        var waiters = Enumerable.Range(0, 6).Select(i => new Waiter($"{i}", _woken)).ToArray();
        var all = waiters.Select(waiter => new FdRegistration(waiter)).ToArray();

        // Whoever is first takes back its neighbours on both sides, the next in the list among them.
        foreach (var waiter in waiters)
        {
            waiter.OnReady = r =>
            {
                var at = Array.IndexOf(all, r);
                if (at > 0) FdTable.Unregister(all[at - 1]);
                if (at + 1 < all.Length) FdTable.Unregister(all[at + 1]);
            };
        }

        foreach (var r in all) Assert.Equal(0, _table.Register(r, read, Read));
        TestFds.Write(write);
        var woken = Poll().Select(int.Parse).Order().ToArray();
        Assert.NotEmpty(woken);
        Assert.All(woken.Zip(woken.Skip(1)), pair => Assert.True(pair.Second - pair.First > 1, "a waiter was woken after its registration was taken back"));
        Assert.Empty(Poll());
    }

    [Fact]
    public void A_callback_may_take_back_the_other_direction()
    {
        var (a, b) = _fds.SocketPair();
        TestFds.Write(b);
        var waiter = new Waiter("rw", _woken);
        var (read, write) = (new FdRegistration(waiter), new FdRegistration(waiter));
        waiter.OnReady = r => FdTable.Unregister(r == read ? write : read);
        Assert.Equal(0, _table.Register(read, a, Read));
        Assert.Equal(0, _table.Register(write, a, Write));
        Assert.Equal(["rw"], Poll());
    }

    [Fact]
    public void A_regular_file_is_ready_at_once_and_without_a_callback()
    {
        var fd = _fds.Open("/proc/self/exe");
        var r = Register("r", fd, Read);
        Assert.True(r.Fired);
        Assert.Empty(_woken);
        Assert.Empty(Poll());

        // As often as one asks.
        Assert.True(Register("again", fd, Read).Fired);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(TestFds.High + 50)]
    [InlineData(int.MaxValue)]
    public void What_is_no_fd_is_refused(int fd)
    {
        var r = new FdRegistration(new Waiter("r", _woken));
        Assert.Equal(Errno.EBADF, _table.Register(r, fd, Read));
        Assert.False(r.Fired);

        // Nothing is left behind: the object serves for another wait.
        var (read, write) = _fds.Pipe();
        Assert.Equal(0, _table.Register(r, read, Read));
        TestFds.Write(write);
        Assert.Equal(["r"], Poll());
    }

    [Fact]
    public void A_high_number_makes_the_table_grow()
    {
        var (read, write) = _fds.Pipe();
        var high = _fds.Dup(read, TestFds.High + 200);
        Register("r", high, Read);
        TestFds.Write(write);
        Assert.Equal(["r"], Poll());
    }

    [Fact]
    public void A_registration_is_reused_for_wait_after_wait()
    {
        var (read, write) = _fds.Pipe();
        var r = new FdRegistration(new Waiter("r", _woken));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0, _table.Register(r, read, Read));
            Assert.False(r.Fired);
            TestFds.Write(write);
            Assert.Equal(["r"], Poll());
            Assert.True(r.Fired);
            TestFds.Read(read);
        }
    }

    [Fact]
    public void Hang_up_wakes_readers_and_writers()
    {
        var (a, b) = _fds.SocketPair();
        TestFds.Fill(a);
        Register("r", a, Read);
        Register("w", a, Write);
        Assert.Empty(Poll());
        _fds.Close(b);
        Assert.Equal(["r", "w"], Poll().Order());
    }

    [Fact]
    public void The_end_of_a_pipe_wakes_its_reader_and_a_broken_one_its_writer()
    {
        var (read1, write1) = _fds.Pipe();
        var (read2, write2) = _fds.Pipe();
        TestFds.Fill(write2);
        Register("r", read1, Read);
        Register("w", write2, Write);
        _fds.Close(write1);
        _fds.Close(read2);
        Assert.Equal(["r", "w"], Poll().Order());
    }

    [Fact]
    public void A_closed_and_reused_number_wakes_who_waited_for_the_old_file()
    {
        var number = Reusable(out _);
        Register("old", number, Read);
        var (read, write) = _fds.Pipe();
        _fds.Dup(read, number);

        Register("new", number, Read);
        Assert.Equal(["old"], _woken);
        _woken.Clear();
        Assert.Empty(Poll());
        TestFds.Write(write);
        Assert.Equal(["new"], Poll());
    }

    [Fact]
    public void A_reused_number_may_be_a_file_that_is_always_ready()
    {
        var number = Reusable(out _);
        Register("old", number, Read);
        _fds.Dup(_fds.Open("/proc/self/exe"), number);
        Assert.True(Register("new", number, Read).Fired);
        Assert.Equal(["old"], _woken);
    }

    [Fact]
    public void A_closed_number_is_refused_and_wakes_who_waited_for_it()
    {
        var number = Reusable(out _);
        Register("old", number, Read);
        _fds.Close(number);
        var r = new FdRegistration(new Waiter("new", _woken));
        Assert.Equal(Errno.EBADF, _table.Register(r, number, Write));

        // Without this it would wait for a file that nobody can make ready any more.
        Assert.Equal(["old"], _woken);
    }

    [Fact]
    public void An_event_of_the_file_that_was_closed_is_dropped()
    {
        // The second descriptor keeps the old file, and with it the epoll entry under the old number, alive.
        var number = Reusable(out var oldWrite, keep: true);
        Register("old", number, Read);
        var (read, write) = _fds.Pipe();
        _fds.Dup(read, number);
        Register("new", number, Read);
        _woken.Clear();

        TestFds.Write(oldWrite);
        Assert.Equal(1, _epoll.Wait(_events, 0));
        _table.Dispatch(_events[0]);
        Assert.Empty(_woken);
        TestFds.Write(write);
        Assert.Equal(["new"], Poll());
    }

    [Fact]
    public void A_duplicate_keeps_the_wait_alive_when_the_number_is_closed()
    {
        var number = Reusable(out var write, keep: true);
        Register("r", number, Read);
        _fds.Close(number);
        TestFds.Write(write);
        Assert.Equal(["r"], Poll());
    }

    [Fact]
    public void When_a_number_is_found_reused_while_its_other_direction_is_armed_again_nobody_waits_for_the_new_file()
    {
        // Both wait for the socket; its number then becomes a pipe, of which this table was never told.
        var (a, b) = _fds.SocketPair();
        TestFds.Fill(a);
        var number = _fds.Dup(a, TestFds.High);
        Register("r", number, Read);
        Register("w", number, Write);
        var (read, _) = _fds.Pipe();
        _fds.Dup(read, number);

        // The reader's event arrives, thanks to the first descriptor. The writer cannot be armed under the number any more: it must hear of it, and not wait for the pipe.
        TestFds.Write(b);
        Assert.Equal(["r", "w"], Poll().Order());
    }

    [Fact]
    public void The_first_file_may_come_back_to_its_number()
    {
        var number = Reusable(out var write, keep: true);
        var keeper = number + 1;
        Register("first", number, Read);
        _fds.Dup(_fds.Open("/proc/self/exe"), number);
        Register("file", number, Read);
        _fds.Dup(keeper, number);
        _woken.Clear();

        // The kernel still has the first registration: adding answers EEXIST.
        Register("back", number, Read);
        TestFds.Write(write);
        Assert.Equal(["back"], Poll());
    }

    // The reading end of a pipe under a number that can be reused with dup2; with keep, another descriptor (number + 1) holds the file open.
    private int Reusable(out int write, bool keep = false)
    {
        (var read, write) = _fds.Pipe();
        var number = _fds.Dup(read, TestFds.High);
        if (keep) _fds.Dup(read, number + 1);
        _fds.Close(read);
        return number;
    }

    private FdRegistration Register(string name, int fd, FdDirection direction)
    {
        var r = new FdRegistration(new Waiter(name, _woken));
        Assert.Equal(0, _table.Register(r, fd, direction));
        return r;
    }

    /// <summary>Dispatches until the kernel has nothing more to say; answers who was woken.</summary>
    private string[] Poll()
    {
        for (int count; (count = _epoll.Wait(_events, 0)) > 0;)
        {
            for (var i = 0; i < count; i++) _table.Dispatch(_events[i]);
        }

        var woken = _woken.ToArray();
        _woken.Clear();
        return woken;
    }

    private sealed class Waiter(string name, List<string> woken) : IFdWaiter
    {
        public Action<FdRegistration>? OnReady { get; set; }

        public void FdReady(FdRegistration registration)
        {
            Assert.True(registration.Fired);
            woken.Add(name);
            OnReady?.Invoke(registration);
        }
    }
}
