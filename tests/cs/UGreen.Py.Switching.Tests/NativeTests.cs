using System.Diagnostics;
using UGreen.Py.Native;
using UGreen.Py.Machine;
using Xunit;

namespace UGreen.Py.Switching.Tests;

/// <summary>The Linux layer as the hub uses it.</summary>
public class NativeTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void A_signal_from_another_thread_wakes_epoll()
    {
        using Epoll epoll = new();
        using EventFd wake = new();
        EpollEvent[] events = new EpollEvent[4];
        Assert.Equal(0, epoll.Add(wake.Fd, EpollEvents.In, 0xFEED_0000_0000_0001));
        Assert.Equal(Errno.EEXIST, epoll.Add(wake.Fd, EpollEvents.In, 1));
        Assert.Equal(0, epoll.Wait(events, 0));
        Thread sender = new(() =>
        {
            wake.Signal();
            wake.Signal();
        });
        sender.Start();
        Assert.Equal(1, epoll.Wait(events, -1));
        Assert.Equal(0xFEED_0000_0000_0001, events[0].Data);
        Assert.Equal(EpollEvents.In, events[0].Events);
        sender.Join();
        Assert.Equal(0, epoll.Delete(wake.Fd));
        Assert.Equal(Errno.ENOENT, epoll.Modify(wake.Fd, EpollEvents.In, 1));
    }

    /// <summary>What the hub and the I/O threads rely on: each signal is an edge, so the counter need never be read.</summary>
    [Fact]
    public void Watched_by_edges_each_signal_wakes_once_without_being_read()
    {
        using Epoll epoll = new();
        using EventFd wake = new();
        EpollEvent[] events = new EpollEvent[1];
        Assert.Equal(0, epoll.Add(wake.Fd, EpollEvents.In | EpollEvents.EdgeTriggered, 1));
        for (int i = 0; i < 3; i++)
        {
            wake.Signal();
            Assert.Equal(1, epoll.Wait(events, 0));
            Assert.Equal(0, epoll.Wait(events, 0));
        }
    }

    /// <summary>The number of a closed descriptor is at once another file's; a signal on its way to the old one must not arrive there.</summary>
    [Fact]
    public void A_signal_that_meets_the_end_reaches_no_other_descriptor()
    {
        EventFd? current = new();
        bool ends = false;
        Thread[] senders = [.. Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            while (!Volatile.Read(ref ends)) Volatile.Read(ref current)?.Signal();
        }))];
        foreach (Thread sender in senders) sender.Start();
        int strays = 0;
        long start = Stopwatch.GetTimestamp();
        while (strays == 0 && Stopwatch.GetElapsedTime(start).TotalSeconds < 2)
        {
            EventFd old = current;
            old.Dispose();
            Assert.Equal(-1, old.Fd);
            using (EventFd victim = new())
            {
                strays += FdWait.Poll(victim.Fd, PollFd.In, 0);
                for (int i = 0; i < 20; i++) old.Signal();
                strays += FdWait.Poll(victim.Fd, PollFd.In, 0);
            }

            Volatile.Write(ref current, new EventFd());
        }

        Volatile.Write(ref ends, true);
        foreach (Thread sender in senders) sender.Join();
        current.Dispose();
        Assert.Equal(0, strays);
    }

    [Fact]
    public void Signals_of_a_batch_are_given_at_its_end()
    {
        using Epoll epoll = new();
        using EventFd wake = new();
        EpollEvent[] events = new EpollEvent[1];
        Assert.Equal(0, epoll.Add(wake.Fd, EpollEvents.In | EpollEvents.EdgeTriggered, 1));
        SignalBatch.Open();
        wake.SignalSoon();
        Assert.Equal(0, epoll.Wait(events, 0));
        SignalBatch.Close();
        Assert.Equal(1, epoll.Wait(events, 0));

        // Without a batch, and with more than one holds, at once.
        wake.SignalSoon();
        Assert.Equal(1, epoll.Wait(events, 0));
        SignalBatch.Open();
        for (int i = 0; i < 5; i++) wake.SignalSoon();
        Assert.Equal(1, epoll.Wait(events, 0));
        SignalBatch.Close();
    }

    [Fact]
    public void A_one_shot_watch_is_armed_again_by_modify()
    {
        using Epoll epoll = new();
        using EventFd ready = new();
        EpollEvent[] events = new EpollEvent[1];
        ready.Signal();
        Assert.Equal(0, epoll.Add(ready.Fd, EpollEvents.In | EpollEvents.OneShot, 1));
        Assert.Equal(1, epoll.Wait(events, -1));
        Assert.Equal(0, epoll.Wait(events, 0));
        Assert.Equal(0, epoll.Modify(ready.Fd, EpollEvents.In | EpollEvents.OneShot, 2));
        Assert.Equal(1, epoll.Wait(events, -1));
        Assert.Equal(2ul, events[0].Data);
    }

    [Fact]
    public void A_regular_file_is_refused_with_EPERM()
    {
        using Epoll epoll = new();
        using FileStream file = File.OpenRead(typeof(NativeTests).Assembly.Location);
        Assert.Equal(Errno.EPERM, epoll.Add((int)file.SafeFileHandle.DangerousGetHandle(), EpollEvents.In, 0));
    }

    [Theory]
    [InlineData(300_000)]
    [InlineData(1_500_000)]
    public void A_wait_never_ends_before_its_time(long nanoseconds)
    {
        using Epoll epoll = new();
        EpollEvent[] events = new EpollEvent[1];
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(0, epoll.Wait(events, nanoseconds));
        Assert.True(Stopwatch.GetElapsedTime(start).TotalNanoseconds >= nanoseconds);
        start = Stopwatch.GetTimestamp();
        Assert.Equal(0, FdWait.Poll([], nanoseconds));
        Assert.True(Stopwatch.GetElapsedTime(start).TotalNanoseconds >= nanoseconds);
    }

    [Fact]
    public void Poll_tells_what_happened()
    {
        using EventFd ready = new();
        Assert.Equal(0, FdWait.Poll(ready.Fd, PollFd.In, 0));
        ready.Signal();
        Assert.Equal(PollFd.In, FdWait.Poll(ready.Fd, PollFd.In, Second));
        PollFd[] both = [new() { Fd = ready.Fd, Events = PollFd.In | PollFd.Out }, new() { Fd = -1, Events = PollFd.In }];
        Assert.Equal(1, FdWait.Poll(both, -1));
        Assert.Equal(PollFd.In | PollFd.Out, both[0].Returned);
    }

    [Fact]
    public void Failures_name_the_call_and_the_error()
    {
        LinuxException e = new("epoll_create1", Errno.EMFILE);
        Assert.Equal("epoll_create1: Too many open files (EMFILE 24)", e.Message);
        Assert.Equal((Errno.EMFILE, "epoll_create1"), (e.Errno, e.Call));
        DllNotFoundException missing = Assert.Throws<DllNotFoundException>(() => DynamicLibrary.OpenGlobal("no-such-library.so"));
        Assert.Contains("no-such-library", missing.Message, StringComparison.Ordinal);
        Assert.False(DynamicLibrary.TrySymbol(0, "no_such_symbol", out nint address));
        Assert.Equal(0, address);
        Assert.Throws<EntryPointNotFoundException>(() => DynamicLibrary.GlobalSymbol("no_such_symbol"));
    }

    [Fact]
    public unsafe void Code_is_executable_and_not_writable_and_its_data_the_opposite()
    {
        X64Emitter x = new();
        x.LoadData(X64Register.Rax, 8);
        x.Return();
        CodePage page = CodePage.Create(x.Finish().Bytes, 16);

        // SAFETY: the data page has room for these two words; the code has the signature intptr_t (void).
        ((nint*)page.Data)[1] = 4711;
        Assert.Equal(4711, ((delegate* unmanaged<nint>)page.Address)());
        string[] maps = File.ReadAllLines("/proc/self/maps");
        Assert.Contains(maps, line => line.StartsWith($"{page.Address:x}-", StringComparison.Ordinal) && line.Contains(" r-xp ", StringComparison.Ordinal));
        Assert.DoesNotContain(maps, line => line.StartsWith($"{page.Data:x}-", StringComparison.Ordinal) && line.Split(' ')[1].Contains('x'));
        Assert.Throws<ArgumentOutOfRangeException>(() => CodePage.Create(new byte[CodePage.DataOffset + 1], 1));
    }
}
