using System.Text;
using UGreen.Py.Native;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Server.Master;

/// <summary>A worker's own row of the <see cref="Scoreboard"/>. Hub thread, which is the only writer of all that is written here.</summary>
internal sealed class WorkerBoard : IRequestBoard
{
    private readonly SharedMemory _memory;
    private readonly ScoreboardLayout _layout;
    private readonly int _row;
    private readonly int _figures;

    public WorkerBoard(SharedMemory memory, ScoreboardLayout layout, int row)
    {
        _memory = memory;
        _layout = layout;
        _row = row;
        _figures = layout.Row(row) + ScoreboardLayout.Figures;
    }

    /// <summary>Called once, when so many requests have ended; 0: never.</summary>
    public long Limit { get; init; }

    /// <summary>See <see cref="Limit"/>. On the hub thread: it must not wait.</summary>
    public Action? LimitReached { get; init; }

    public void Begin(int core, string method, string target, long now)
    {
        var at = _layout.Core(_row, core);
        var methodBytes = Narrow(method, at + ScoreboardLayout.Method, ScoreboardLayout.MethodBytes);
        var targetBytes = Narrow(target, at + ScoreboardLayout.Target, ScoreboardLayout.TargetBytes);
        _memory.Word(at + ScoreboardLayout.Lengths) = methodBytes | (targetBytes << 8);
        _memory.Word(at + ScoreboardLayout.Since) = now;
        _memory.Word(at + ScoreboardLayout.KillTime) = 0;
        _memory.Word(at + ScoreboardLayout.CallLength) = 0;
        Volatile.Write(ref _memory.Word(at + ScoreboardLayout.Busy), 1);
        Of(Figure.Busy)++;
    }

    public void SetKillTime(int core, long killTime)
    {
        Volatile.Write(ref _memory.Word(_layout.Core(_row, core) + ScoreboardLayout.KillTime), killTime);
        Volatile.Write(ref _memory.Word(_layout.Row(_row) + ScoreboardLayout.HasKillTimes), 1);
    }

    public bool ShowsCalls => true;

    public void SetCall(int core, string call)
    {
        var at = _layout.Core(_row, core);
        Volatile.Write(ref _memory.Word(at + ScoreboardLayout.CallLength), 0);
        var bytes = Narrow(call, at + ScoreboardLayout.Call, ScoreboardLayout.CallBytes);
        Volatile.Write(ref _memory.Word(at + ScoreboardLayout.CallLength), bytes);
    }

    public void Harakiri(int core) => Of(Figure.Harakiris)++;

    public void End(int core, long now, long bytes, bool failed)
    {
        var at = _layout.Core(_row, core);
        Volatile.Write(ref _memory.Word(at + ScoreboardLayout.KillTime), 0);
        Volatile.Write(ref _memory.Word(at + ScoreboardLayout.Busy), 0);
        Of(Figure.Busy)--;
        Of(Figure.SentBytes) += bytes;
        Of(Figure.RunningTime) += now - _memory.Word(at + ScoreboardLayout.Since);
        if (failed) Of(Figure.Exceptions)++;
        if (++Of(Figure.Requests) == Limit) LimitReached?.Invoke();
    }

    private ref long Of(Figure figure) => ref _memory.Word(_figures + ((int)figure * 8));

    private long Narrow(string text, int offset, int room)
    {
        // Targets are ASCII on the wire; what is not becomes a question mark.
        var shown = text.Length <= room ? text.AsSpan() : text.AsSpan(0, room);
        return Encoding.Latin1.GetBytes(shown, _memory.Span(offset, shown.Length));
    }
}
