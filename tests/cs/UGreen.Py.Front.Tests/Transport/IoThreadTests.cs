using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Front.Transport;
using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.Front.Tests.Transport;

public sealed class IoThreadTests : IDisposable
{
    private readonly IoThread _io = new(0, NullLogger.Instance);

    public void Dispose() => _io.Dispose();

    [Fact]
    public async Task Scheduled_work_runs_at_once_on_the_thread_itself_and_posted_work_after_it()
    {
        var order = await OnThread(() =>
        {
            var seen = new List<string>();
            _io.Post(_ => seen.Add("posted"), null);
            _io.Schedule(_ => seen.Add("scheduled"), null);
            seen.Add("after");
            return seen;
        });
        await OnThread(() => 0);

        Assert.Equal(["scheduled", "after", "posted"], order);
    }

    [Fact]
    public async Task Work_of_one_poster_runs_in_its_order()
    {
        var seen = new List<int>();
        for (var i = 0; i < 10_000; i++) _io.Schedule(state => seen.Add((int)state!), i);
        await OnThread(() => 0);

        Assert.Equal(Enumerable.Range(0, 10_000), seen);
    }

    [Fact]
    public async Task No_work_is_left_while_the_thread_sleeps()
    {
        // One at a time: each finds the thread asleep, or about to be, or just awake.
        for (var i = 0; i < 5_000; i++) Assert.Equal(i, await OnThread(() => i));
    }

    [Fact]
    public async Task A_fault_of_one_work_item_does_not_end_the_thread()
    {
        _io.Schedule(static _ => throw new InvalidOperationException("a test's"), null);

        Assert.True(await OnThread(() => true));
    }

    /// <summary>A connection must not stay open with nobody who serves it.</summary>
    [Fact]
    public async Task A_watcher_that_fails_is_told_so_and_the_thread_goes_on()
    {
        using var pair = new Pair();
        var watcher = new Watcher { Fails = true };
        await OnThread(() => _io.Watch(pair.Fd, EpollEvents.In, watcher));
        pair.Peer.Send([1]);
        Assert.Equal("a test's", (await watcher.Fault.Task.WaitAsync(TestFront.Patience)).Message);

        var worker = new Watcher();
        _io.Post(static _ => throw new InvalidOperationException("its work"), worker);
        Assert.Equal("its work", (await worker.Fault.Task.WaitAsync(TestFront.Patience)).Message);
        Assert.True(await OnThread(() => true));
    }

    [Fact]
    public async Task An_event_that_was_on_its_way_does_not_reach_the_next_watcher_of_the_slot()
    {
        using var one = new Pair();
        using var two = new Pair();
        var first = new Watcher();
        var second = new Watcher();
        await OnThread(() =>
        {
            var (slot, error) = _io.Watch(one.Fd, EpollEvents.In, first);
            Assert.Equal(0, error);
            // Its end comes before its event is looked at; the slot goes to the other one at once.
            one.Peer.Send([1]);
            _io.Forget(slot);
            var (again, _) = _io.Watch(two.Fd, EpollEvents.In, second);
            Assert.Equal(slot, again);
            return 0;
        });
        for (var i = 0; i < 3; i++) await OnThread(() => 0);
        Assert.Equal((0, 0), (first.Events, second.Events));

        two.Peer.Send([1]);
        await second.Seen.Task.WaitAsync(TestFront.Patience);
        Assert.Equal(0, first.Events);
    }

    [Fact]
    public async Task A_descriptor_that_cannot_be_watched_is_told_and_leaves_no_slot()
    {
        using var pair = new Pair();
        var (bad, good) = await OnThread(() => (_io.Watch(-1, EpollEvents.In, new Watcher()), _io.Watch(pair.Fd, EpollEvents.In, new Watcher())));

        Assert.Equal(Errno.EBADF, bad.Error);
        Assert.Equal(bad.Slot, good.Slot);
        Assert.Equal(0, good.Error);
    }

    [Fact]
    public async Task Work_that_is_queued_at_the_end_is_run()
    {
        var ran = new TaskCompletionSource();
        _io.Post(
            _ =>
            {
                _io.Dispose();
                _io.Post(_ => ran.SetResult(), null);
            },
            null);

        await ran.Task.WaitAsync(TestFront.Patience);
    }

    private async Task<T> OnThread<T>(Func<T> action)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _io.Post(
            _ =>
            {
                try
                {
                    done.SetResult(action());
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    done.SetException(e);
                }
            },
            null);
        return await done.Task.WaitAsync(TestFront.Patience);
    }

    private sealed class Watcher : IPolled
    {
        public int Events { get; private set; }

        public TaskCompletionSource Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<Exception> Fault { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Fails { get; init; }

        public void OnEvents(uint events)
        {
            Events++;
            Seen.TrySetResult();
            if (Fails) throw new InvalidOperationException("a test's");
        }

        public void OnFault(Exception error)
        {
            Fault.TrySetResult(error);
            if (Fails) throw new InvalidOperationException("another one of a test's");
        }
    }

    /// <summary>Two connected sockets.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly Socket _mine;

        public Pair()
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            Peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            Peer.Connect(listener.LocalEndPoint!);
            _mine = listener.Accept();
        }

        public Socket Peer { get; }

        public int Fd => (int)_mine.Handle;

        public void Dispose()
        {
            Peer.Dispose();
            _mine.Dispose();
        }
    }
}
