namespace UGreen.Py.Server.Master;

/// <summary>
/// Replacing workers that are well: a reload of all, one after the other, and single ones that have reached a limit. The new process serves before the old one drains, so no
/// capacity is lost; one that does not come up leaves the old one as it is.
/// </summary>
internal sealed partial class Supervisor
{
    private readonly Queue<WorkerSlot> _reload = new();

    // The process that is to take the place of an old one; null: no reload is under way.
    private WorkerLife? _reloadStep;
    private string? _reloadAgain;
    private int _generation;

    /// <summary>All workers were replaced, or a reload is under way.</summary>
    public bool HasReloaded => _generation > 0;

    /// <summary>A reload is under way, and this process is one that it replaces.</summary>
    public bool IsToBeReloaded(int pid)
        => _reloadStep is not null && _lives.TryGetValue(pid, out var life) && (life.State == WorkerState.Draining || SlotOf(_reloadStep).Current == life || _reload.Contains(SlotOf(life)));

    /// <summary>Replaces all workers.</summary>
    public void Reload(string reason)
    {
        if (_isStopping || !_isServing) return;
        if (_reloadStep is not null)
        {
            // What starts just now may have read the old files.
            MasterLog.ReloadQueued(_logger, reason);
            _reloadAgain = reason;
            return;
        }

        _generation++;
        foreach (var slot in _slots)
        {
            if (!slot.IsWanted) continue;
            // One that waits to be tried again need not wait any more: something has changed.
            (slot.Failures, slot.RetryAt) = (0, slot.Current is null ? Now : null);
            _reload.Enqueue(slot);
        }

        MasterLog.Reloading(_logger, reason, _reload.Count);
        _listener.ReloadBegan();
        NextReloadStep();
    }

    /// <summary>The same for who may ask again and again: a reload that waits for its turn already is enough.</summary>
    public void ReloadOnce(string reason)
    {
        if (_reloadAgain is null) Reload(reason);
    }

    private void NextReloadStep()
    {
        _reloadStep = null;
        while (_reload.TryDequeue(out var slot))
        {
            // One that was started since the reload began is a new one already.
            if (!slot.IsWanted || slot.Current is null || slot.Current.Generation == _generation) continue;
            // A replacement that is starting for another reason may have read the old files.
            if (slot.Next is { } next) DrainOrKill(next, "reload");
            _reloadStep = slot.Next = Launch(slot);
            if (slot.Next is not null) return;
            ReloadFailed("the process could not be started");
            return;
        }

        MasterLog.Reloaded(_logger);
        EndReload(succeeded: true);
    }

    private void ReloadStepDone(WorkerLife life)
    {
        if (_reloadStep == life) NextReloadStep();
    }

    /// <returns>True: it was a step of a reload, which is given up.</returns>
    private bool ReloadStepFailed(WorkerSlot slot, WorkerLife life, string reason)
    {
        if (_reloadStep != life) return false;
        // Its old process died meanwhile, and the new one was to take its place: that one is needed all the same.
        if (slot.Current is null) TryLater(slot, reason);
        ReloadFailed($"worker {slot.Number}: {reason}");
        return true;
    }

    private void ReloadFailed(string reason)
    {
        _reloadStep = null;
        _reload.Clear();
        MasterLog.ReloadFailed(_logger, reason);
        EndReload(succeeded: false);
    }

    private void EndReload(bool succeeded)
    {
        _listener.ReloadEnded(succeeded);
        if (_reloadAgain is not { } reason) return;
        _reloadAgain = null;
        Reload(reason);
    }

    /// <summary>Begins to replace one worker that has reached a limit; one at a time, so that the machine needs room for one process more and not for twice as many.</summary>
    private void RecycleOne()
    {
        if (_isStopping || _reloadStep is not null || _slots.Any(s => s.Next is not null)) return;
        foreach (var slot in _slots)
        {
            if (slot.Current is not { State: WorkerState.Ready, RecycleReason: { } reason } life || Now < slot.RetryAt) continue;
            // Its age is a reason that the least age cannot overrule.
            var isOld = Now >= life.RetireAt;
            if (!isOld && Now - life.ReadyAt < _settings.MinLifetime) continue;
            MasterLog.Recycled(_logger, slot.Number, life.Process.Pid, reason);
            slot.RetryAt = null;
            slot.Next = Launch(slot);
            return;
        }
    }
}
