using static UGreen.Py.CPython.Layout.ThreadStateRole;

namespace UGreen.Py.CPython.Layout;

/// <summary>
/// One answer for each field of <c>PyThreadState</c> in each known version: swapped, structural, or not swapped and why. Decided, not forgotten: a test compares this
/// list with the headers, so a field that a new version brings must be answered here before that version is served.
/// </summary>
/// <remarks>
/// The rule behind the answers. A field is swapped when its value describes the stack that Python code runs on: how deep it is, which frames, which exception it
/// handles, whose locals. It is not swapped when it is a setting of the OS thread, a sum to which every green thread adds and from which it takes away what it added, a
/// cache that is checked when used, or empty whenever a switch can happen.
/// </remarks>
public static class ThreadStateAnswers
{
    /// <summary>Every answer, by subject.</summary>
    public static IReadOnlyList<ThreadStateAnswer> All { get; } =
    [
        new("prev", Structural, "Link in the interpreter's list of thread states."),
        new("next", Structural, "Link in the interpreter's list of thread states."),
        new("interp", Structural, "The interpreter that the thread state belongs to; a worker has one."),
        new("_initialized", Structural, "CPython's own flag of the thread state's life."),
        new("_static", Structural, "CPython's own flag of the thread state's life."),

        new("_status", Structural, "CPython's own flags of the thread state's life."),
        new("_whence", Structural, "Who made the thread state."),
        new("state", Structural, "Whether the OS thread is attached to the interpreter; CPython's own."),
        new("holds_gil", Structural, "CPython's own: whether the OS thread has the GIL."),
        new("gil_requested", Structural, "CPython's own: whether the OS thread waits for the GIL."),
        new("refcount", Structural, "CPython's own: who still needs the thread state when the process ends."),
        new("qsbr", Structural, "Of free-threaded builds only."),
        new("mem_free_queue", Structural, "Of free-threaded builds only."),
        new("critical_section", Structural, "Of free-threaded builds only; else always zero."),
        new("eval_breaker", NotSwapped, "What the OS thread has to look at between two bytecodes: requests to it, whichever green thread runs."),

        // ---- Depth ------------------------------------------------------------------------------------------------------------------------------------------
        new("recursion_remaining", Swapped, "Calls left on this stack. What stays true over sys.setrecursionlimit() is the depth, limit - remaining."),
        new("py_recursion_remaining", Swapped, "See recursion_remaining; of calls from Python to Python."),
        new("c_recursion_remaining", Swapped, "Calls left on this C stack: each core has as many as its stack has room for."),
        new("c_stack_top", Swapped, "CPython compares the stack pointer with the limits, so they have to be those of the stack that runs. They never change, so they are put in and not taken out."),
        new("c_stack_soft_limit", Swapped, "See c_stack_top; below it is a RecursionError."),
        new("c_stack_hard_limit", Swapped, "See c_stack_top; below it the process ends."),
        new("c_stack_init_base", NotSwapped, "What the OS said about the thread's stack; the limits follow from it when a thread begins."),
        new("c_stack_init_top", NotSwapped, "See c_stack_init_base."),
        new("py_recursion_limit", NotSwapped, "See recursion_limit."),
        new("recursion_limit", NotSwapped, "One number for the whole interpreter: sys.setrecursionlimit() writes it into every thread state."),
        new("recursion_headroom", Swapped,
            "Above 0 while this stack reports an error. Left behind, it would take the RecursionError from all others: their overflow becomes \"Cannot recover from "
            + "stack overflow\", which ends the process."),

        // ---- Tracing ----------------------------------------------------------------------------------------------------------------------------------------
        new("tracing", NotSwapped,
            "Above 0 inside a trace or profile function, and those belong to the OS thread. One that waits leaves the others untraced until it returns, no more."),
        new("what_event", NotSwapped, "Valid only inside a callback of sys.monitoring; see tracing."),
        new("remote_debugger_support", NotSwapped, "A debugger addresses the OS thread; whichever green thread runs next does what it asks."),
        new("tracing_what", NotSwapped, "Valid only inside a trace function; see tracing."),
        new("c_profilefunc", NotSwapped, "sys.setprofile() is a setting of the OS thread: a profiler is to see all green threads."),
        new("c_tracefunc", NotSwapped, "sys.settrace() is a setting of the OS thread: a debugger is to see all green threads."),
        new("c_profileobj", NotSwapped, "Goes with c_profilefunc."),
        new("c_traceobj", NotSwapped, "Goes with c_tracefunc."),
        new("trace_info", NotSwapped, "A cache of line bounds; the code object in it is compared before each use."),

        // ---- Frames -----------------------------------------------------------------------------------------------------------------------------------------
        new("cframe", Swapped, "The innermost evaluation loop's record, on this C stack; the Python frames hang on it."),
        new("current_frame", Swapped, "The innermost Python frame of this stack."),
        new("base_frame", NotSwapped, "A pointer that never changes: to the frame at the bottom of every stack, which is never run."),
        new("impl.base_frame", Structural, "That frame."),
        new("last_profiled_frame", Swapped, "A frame of this stack, for a profiler in another process; CPython compares it with each frame that ends."),
        new("last_profiled_frame_seq", Swapped, "Goes with last_profiled_frame."),
        new("previous_executor", Swapped, "The JIT's code that this stack came from."),
        new("current_executor", Swapped, "The JIT's code that runs on this stack."),
        new("jit_exit", Swapped, "Where this stack left the JIT's code."),
        new("generator_return_kind", NotSwapped, "Says whether a generator yielded or returned; CPython runs no code between setting and reading it."),
        new("root_cframe", NotSwapped, "The bottom of the main stack's chain. A green stack brings a bottom record of its own."),
        new("datastack_chunk", Swapped, "Python frames are allocated here in stack order, and the order is only right within one stack."),
        new("datastack_top", Swapped, "Goes with datastack_chunk."),
        new("datastack_limit", Swapped, "Goes with datastack_chunk."),
        new("datastack_cached_chunk", NotSwapped, "A chunk that nobody uses, kept for the next who needs one, on whatever stack."),

        // ---- Exceptions -------------------------------------------------------------------------------------------------------------------------------------
        new("curexc_type", NotSwapped, "Null at every switch: a hub call is entered with no exception set, and its own is set after the switch back."),
        new("curexc_value", NotSwapped, "See curexc_type."),
        new("curexc_traceback", NotSwapped, "See curexc_type."),
        new("current_exception", NotSwapped, "See curexc_type."),
        new("exc_info", Swapped, "What sys.exc_info() and a bare raise see: the exceptions that this stack handles."),
        new("exc_state", Swapped, "The bottom entry of exc_info's stack; it lives inside the thread state, so its content moves, not a pointer."),
        new("async_exc", NotSwapped, "PyThreadState_SetAsyncExc() addresses the OS thread; whichever green thread runs next takes it."),

        // ---- Identity ---------------------------------------------------------------------------------------------------------------------------------------
        new("dict", Swapped, "Every threading.local, from 3.13 on what C code keeps for each thread. The core's, kept from one request to the next."),
        new("threading_local_key", Swapped, "What each threading.local knows the thread by; the core's, as dict."),
        new("threading_local_sentinel", Swapped, "Goes with threading_local_key."),
        new("context", Swapped, "The contextvars of the request."),
        new("context_ver", NotSwapped,
            "Raised by one whenever context is exchanged, never set back: a ContextVar that cached its value under an old number must not find that number again."),
        new("dict_global_version", NotSwapped, "A batch of numbers for dicts, each used once, by whoever needs the next."),
        new("lazy_imports", NotSwapped, "What is being imported lazily in the OS thread. A lazy import that waits in the middle can make the same one in another green thread fail."),
        new("ensure", NotSwapped, "A sum, as gilstate_counter."),
        new("id", Swapped,
            "Each core has one: _asyncio caches the running event loop under it, so with one id a green thread would find another's loop running."),
        new("thread_id", NotSwapped, "Green threads share the OS thread, and signals and locks that ask for it mean that."),
        new("native_thread_id", NotSwapped, "See thread_id."),
        new("gilstate_counter", NotSwapped, "A sum: each PyGILState_Ensure() is matched by its Release() on the same stack, and the hub's own keeps it above 0."),

        // ---- Deallocation -----------------------------------------------------------------------------------------------------------------------------------
        new("trash_delete_nesting", Swapped, "How deep this stack is in nested deallocations; a __del__ may wait in the middle of them."),
        new("delete_later", Swapped, "See trash_delete_later; from 3.14 on it is what waits for room on this C stack."),
        new("trash_delete_later", Swapped,
            "What waits for the end of those deallocations. Left behind, another green thread's next deallocation, at nesting 0, would run these finalizers with the "
            + "wrong thread-locals and context, and a deallocation on the main stack would run them where nothing can wait."),
        new("on_delete", Structural, "Called when the OS thread ends."),
        new("on_delete_data", Structural, "Goes with on_delete."),

        // ---- asyncio's settings -----------------------------------------------------------------------------------------------------------------------------
        new("coroutine_origin_tracking_depth", NotSwapped, "sys.set_coroutine_origin_tracking_depth() is a debugging setting of the OS thread."),
        new("asyncio_running_loop", Swapped, "The event loop that runs on this stack; another green thread may run its own."),
        new("asyncio_running_task", Swapped, "Goes with asyncio_running_loop."),
        new("asyncio_tasks_head", NotSwapped, "The list of the OS thread's tasks. asyncio.all_tasks() asks each for its loop, and a task takes itself out."),
        new("async_gen_firstiter", Swapped, "sys.set_asyncgen_hooks(): set while an event loop runs. Left behind, another green thread's loop would find the hooks of this one's."),
        new("async_gen_finalizer", Swapped, "See async_gen_firstiter."),
    ];

    /// <summary>The fields that stay, each with its reason.</summary>
    public static IEnumerable<ThreadStateAnswer> LeftInPlace => All.Where(answer => answer.Role == ThreadStateRole.NotSwapped);

    /// <summary>The answer for a field; null for a field that nobody decided about.</summary>
    public static ThreadStateAnswer? Find(string field)
    {
        foreach (var answer in All)
        {
            if (answer.Field == field) return answer;
        }

        return null;
    }
}
