using NE.Shell.Reports.Compare.Data;
using NE.Shell.Reports.Compare.Figures;
using NE.Shell.Reports.Compare.Tables;

namespace NE.Shell.Reports.Compare;

/// <summary>Everything that a report says, before it is written anywhere.</summary>
/// <param name="Title">Heading.</param>
/// <param name="Warnings">What must be read before any number: smoke tests, arms of few seeds, seeds that were lost.</param>
/// <param name="Headline">The first table.</param>
/// <param name="Tables">The others, in order.</param>
/// <param name="Figures">In order.</param>
/// <param name="Facts">Name and value of what is known about the report itself.</param>
/// <param name="Provenance">Tables of the provenance box.</param>
/// <param name="Sweeps">Name and text of every sweep's file.</param>
public sealed record ComparisonReport(
    string Title,
    IReadOnlyList<string> Warnings,
    DataTable Headline,
    IReadOnlyList<DataTable> Tables,
    IReadOnlyList<Figure> Figures,
    IReadOnlyList<(string Name, string Value)> Facts,
    IReadOnlyList<DataTable> Provenance,
    IReadOnlyList<(string Name, string Text)> Sweeps)
{
    public const string SmokeBanner = "Smoke test, never evidence";

    /// <summary>Computes a report.</summary>
    /// <param name="selection">The runs.</param>
    /// <param name="at">Compare at this step; null for the runs' length.</param>
    /// <param name="referenceFiles">Curves of others, to be drawn beside those of the runs.</param>
    /// <param name="heatMaps">Gradient heat maps, drawn elsewhere.</param>
    /// <param name="command">The command that makes it.</param>
    /// <param name="version">Of this program.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="Host.UserError">The runs cannot be compared, or a reference file has none of their environments.</exception>
    public static ComparisonReport Of(
        Selection selection, long? at, IReadOnlyList<ReferenceFile> referenceFiles, IReadOnlyList<Figure> heatMaps, string command, string version, DateTimeOffset now)
    {
        IReadOnlyList<Panel> panels = Grouping.Of(selection, at);
        References references = References.Of(referenceFiles, panels);
        Dictionary<Arm, ArmStatistics> statistics = panels.SelectMany(panel => panel.Arms).ToDictionary(arm => arm, ArmStatistics.Of);
        ArmComparison[] comparisons = [.. panels.SelectMany(ArmComparison.Of)];
        var tables = new List<DataTable>();

        if (comparisons.Length > 0)
        {
            tables.Add(ReportTables.Comparisons(comparisons));
        }

        if (panels.Any(panel => !panel.IsCycle))
        {
            tables.Add(ReportTables.Stages(panels));
        }

        if (ReportTables.Events(panels) is { Rows.Count: > 0 } events)
        {
            tables.Add(events);
        }

        if (references.Shown.Count > 0)
        {
            tables.Add(ReferenceTable.Of(references));
        }

        Figure?[] figures =
        [
            LearningCurves.Draw(panels, references),
            Aggregates.Iqm(panels, statistics),
            Aggregates.Improvement(comparisons),
            Profiles.Draw(panels),
            Aggregates.Bars(panels, statistics),
            TopologyOverTime.Draw(panels),
            Probe.Draw(panels),
            Review.Draw(panels),
            Falls.Draw(panels),
            Cycles.Draw(panels),
            .. heatMaps,
        ];
        DataTable[] provenance = [ProvenanceTables.Runs(panels), ProvenanceTables.Differences(panels), ProvenanceTables.Marks(panels)];
        return new(
            string.Join(", ", panels.Select(panel => panel.Environment)) + ": " + string.Join(", ", panels.SelectMany(panel => panel.Arms).Select(arm => arm.Label).Distinct()),
            [.. ReportWarnings.Of(selection, panels), .. heatMaps.Select(figure => figure.Warning).OfType<string>(), .. references.Notes],
            ReportTables.Headline(panels, statistics),
            tables,
            [.. figures.OfType<Figure>()],
            ProvenanceTables.Facts(panels, command, version, now),
            [.. provenance.Where(table => table.Rows.Count > 0)],
            selection.Sweeps);
    }
}
