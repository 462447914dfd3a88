using Microsoft.Extensions.Logging;
using UGreen.Py.Server.Options;
using UGreen.Py.Server.Process;
using UGreen.Py.Wsgi;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Server.Hosting;

/// <summary>The one place that knows which worker serves and what it is told.</summary>
internal static class WorkerFactory
{
    /// <param name="options">The checked command line.</param>
    /// <param name="shimPath">The directory python/uwsgi_shim.</param>
    /// <param name="loggers">For the worker's own categories.</param>
    /// <param name="control">The server that it is a part of.</param>
    /// <param name="board">Where its requests are shown.</param>
    /// <param name="overflowFd">A descriptor that gets the line about a stack that overflowed; -1: none.</param>
    public static IWorker Create(ServerOptions options, string shimPath, ILoggerFactory loggers, IServerControl control, IRequestBoard board, int overflowFd = -1)
    {
        var settings = new WsgiSettings
        {
            Applications = options.Applications,
            NeedApplication = options.NeedApplication,
            Imports = options.Imports,
            Arguments = options.PythonArguments,
            Cores = options.Cores,
            StackPages = options.StackPages,
            SpawnCores = options.Stacks.SpawnCores,
            SpawnPages = options.Stacks.SpawnPages,
            Switch = options.Switch,
            PythonPath = options.Python,
            VirtualEnv = options.VirtualEnv,
            PythonPaths = options.PythonPaths,
            Psycopg2 = options.Psycopg2,
            Chdir = options.Chdir,
            QueueLimit = options.QueueLimit,
            GcThreshold = options.GcThreshold,
            Threads = options.Threads,
            BlockingCalls = options.BlockingCalls,
            WhyNotPreloaded = PythonHost.WhyNothingIsPreloaded,
            ShimPath = shimPath,
            Opt = UwsgiFacts.Options(options.Given),
            Magic = UwsgiFacts.Magic(options.Given, Environment.CurrentDirectory),
            BufferSize = options.BufferSize ?? options.Limits.HeadBytes,
            WsgiStrict = options.WsgiStrict,
            LogPath = options.LogTo,
            Harakiri = options.Harakiri,
            HarakiriGrace = options.HarakiriGrace,
            Locks = options.Locks,
            Control = control,
            Board = board,
            OverflowFd = overflowFd,
            Autoreload = options.Master.Autoreload,
            AutoreloadIgnore = options.Master.AutoreloadIgnore,
        };
        return new WsgiWorkerAdapter(new WsgiWorker(settings, loggers));
    }
}
