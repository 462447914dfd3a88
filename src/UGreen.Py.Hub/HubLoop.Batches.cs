using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub;

/// <summary>Passes with thousands of green threads in them.</summary>
public sealed partial class HubLoop
{
    /// <summary>
    /// What thousands of green threads go on with lies in no near cache any more, and a resume would wait for some twenty lines one after the other. So it is asked for ahead:
    /// first what is found from the queue, then what those lines point to, then what these point to.
    /// </summary>
    private void RunLargeBatch(int batch)
    {
        const int FirstLook = 8, SecondLook = 5, ThirdLook = 2;
        for (; batch > 0; batch--)
        {
            if (batch > FirstLook)
            {
                Prefetch.Object(_ready[FirstLook]);
                var second = _ready[SecondLook];
                Prefetch.Object(second.Waits);
                GreenSwitch.PrefetchRecord(second.Core);
                _state.PrefetchState(second.Number);
                var third = _ready[ThirdLook];
                GreenSwitch.PrefetchStack(third.Core);
                _state.PrefetchFrame(third.Number);
            }

            Step(_ready.Dequeue());
        }
    }
}
