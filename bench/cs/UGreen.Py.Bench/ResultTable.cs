using System.Globalization;
using BenchmarkDotNet.Reports;

namespace UGreen.Py.Bench;

/// <summary>The results of one class in the form of the other benches: medians with the lowest and the highest value. Spreads that overlap are no difference.</summary>
internal static class ResultTable
{
    public static void Print(Summary summary, TextWriter output)
    {
        output.WriteLine($"\n{summary.BenchmarksCases[0].Descriptor.Type.Name}\n");
        output.WriteLine("| benchmark | with | ns each: median (lowest-highest) | allocated, bytes |\n|---|---|---:|---:|");
        foreach (var report in summary.Reports) output.WriteLine(Row(report));
    }

    private static string Row(BenchmarkReport report)
    {
        var benchmark = report.BenchmarkCase;
        var with = string.Join(", ", benchmark.Parameters.Items.Select(item => $"{item.Name} {item.Value}"));
        var time = report.ResultStatistics is { } t ? $"{Number(t.Median)} ({Number(t.Min)}-{Number(t.Max)})" : "failed: see the log";
        var bytes = report.GcStats.GetBytesAllocatedPerOperation(benchmark);
        return $"| {benchmark.Descriptor.WorkloadMethodDisplayInfo.Trim('\'')} | {with} | {time} | {bytes?.ToString(CultureInfo.InvariantCulture) ?? ""} |";
    }

    private static string Number(double value) => value.ToString(value < 1000 ? "F1" : "N0", CultureInfo.InvariantCulture);
}
