using NE.Model.Statistics;
using NE.Shell.Host;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Tables;

/// <summary>What the references of a report say at its horizon.</summary>
internal static class ReferenceTable
{
    public static DataTable Of(References references)
    {
        var table = new DataTable("references", "References", "algorithm", "environment", "seeds", "last value", "at step", "file")
        {
            Note = "Curves of others, as their files say: the last value of every seed at or before the step at which the arms are compared, mean +- standard deviation over seeds. "
                + "They take no part in scores, ranks and comparisons.",
        };

        foreach (Reference reference in references.Shown)
        {
            Curve[] seeds = [.. reference.Seeds.Select(curve => curve.Until(reference.Horizon))];
            double[] values = [.. seeds.Select(curve => curve.Values[^1])];
            table.Add(
                reference.Name,
                reference.Environment,
                seeds.Length,
                values.Length > 1 ? $"{ReportTables.Value(Descriptive.mean(values))} +- {ReportTables.Value(Descriptive.standardDeviation(values))}" : ReportTables.Value(values[0]),
                Steps(seeds),
                reference.File);
        }

        return table;
    }

    /// <summary>Seeds may end at steps of their own.</summary>
    private static string Steps(IReadOnlyList<Curve> seeds) =>
        string.Join(" to ", new[] { seeds.Min(curve => curve.End), seeds.Max(curve => curve.End) }.Distinct().Select(step => Format.Count((long)step)));
}
