// Micro-benchmarks of the parts of UGreen.Py, as `bench/micro` starts them:   UGreen.Py.Bench FOLDER [quick] [list] [PATTERN…]
//
// All is measured in this process. BenchmarkDotNet's usual way, a process for each benchmark, would build a project for each of them on a machine that may have two CPUs, and
// would start CPython in each; what it protects from (what one benchmark's JIT and heap do to the next) matters little beside what is measured here. A green thread needs the
// one hub thread with its stack: see HubThread for how a benchmark gets there.

using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using UGreen.Py.Bench;

Type[] topics =
[
    typeof(SwitchBenchmarks), typeof(HubCallBenchmarks), typeof(RequestBenchmarks), typeof(EnvironBenchmarks), typeof(ResponseHeadBenchmarks), typeof(UwsgiPacketBenchmarks),
    typeof(InboxBenchmarks), typeof(TimerBenchmarks),
];

var folder = args[0];
var patterns = args.Skip(1).Where(argument => argument is not ("quick" or "list")).ToArray();
Directory.CreateDirectory(folder);
using var file = new StreamWriter(Path.Combine(folder, "micro.log"));
// Half of BenchmarkDotNet's usual iteration, or less: an invocation takes milliseconds at most, so there are many in each.
var length = args.Contains("quick") ? Job.ShortRun.WithIterationTime(TimeInterval.FromMilliseconds(100)) : Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(250)).WithMaxIterationCount(30);
var config = ManualConfig.CreateEmpty()
    .AddJob(length.WithToolchain(InProcessEmitToolchain.Instance))
    .WithOptions(ConfigOptions.DisableLogFile)
    .AddLogger(new ProgressLogger(file))
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .WithArtifactsPath(folder);
if (patterns.Length > 0) config.AddFilter(new GlobFilter(patterns));

var runs = topics.Select(topic => BenchmarkConverter.TypeToBenchmarks(topic, config)).Where(run => run.BenchmarksCases.Length > 0).ToArray();
if (args.Contains("list"))
{
    foreach (var benchmark in runs.SelectMany(run => run.BenchmarksCases).Select(one => $"{one.Descriptor.Type.Name}.{one.Descriptor.WorkloadMethod.Name}").Distinct()) Console.WriteLine(benchmark);
    return 0;
}

if (runs.Length == 0)
{
    await Console.Error.WriteLineAsync("no benchmark has such a name; --list shows them").ConfigureAwait(false);
    return 2;
}

var failed = false;
foreach (var summary in BenchmarkRunner.Run(runs))
{
    ResultTable.Print(summary, Console.Out);
    failed |= summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success);
}

return failed ? 1 : 0;
