using NE.Shell.Host;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>An algorithm of a reference file on an environment of the report, up to the report's horizon. It is drawn, and takes no part in any statistics.</summary>
public sealed record Reference
{
    /// <summary>What distinguishes it from other references: the algorithm, with the file where several have it.</summary>
    public required string Name { get; init; }

    public required string Environment { get; init; }

    /// <summary>As it was given.</summary>
    public required string File { get; init; }

    /// <summary>At least one; all begin at or before the horizon, and may go on behind it.</summary>
    public required IReadOnlyList<Curve> Seeds { get; init; }

    /// <summary>The step at which the arms are compared.</summary>
    public required double Horizon { get; init; }

    /// <summary>Position among all names: decides colour and line.</summary>
    public int Index { get; init; }

    /// <summary>What the legend calls it: "TD3 (reference, 10 seeds)".</summary>
    public string Label { get; init; } = "";

    /// <summary>Mean and deviation as far as two seeds have got; a single seed is its own curve.</summary>
    public IReadOnlyList<SpreadPoint> Mean => Spread.Until(this.Seeds, Math.Min(2, this.Seeds.Count), this.Horizon);
}

/// <summary>The references of a report.</summary>
/// <param name="Shown">In the order of the files.</param>
/// <param name="Notes">What of the files is not shown, one sentence each.</param>
public sealed record References(IReadOnlyList<Reference> Shown, IReadOnlyList<string> Notes)
{
    /// <summary>Takes from the files what belongs to the panels.</summary>
    /// <exception cref="UserError">A file has no environment of the report.</exception>
    public static References Of(IReadOnlyList<ReferenceFile> files, IReadOnlyList<Panel> panels)
    {
        var shown = new List<Reference>();
        var notes = new List<string>();
        string[] environments = [.. panels.Select(panel => panel.Environment)];

        foreach (ReferenceFile file in files)
        {
            string[] others = [.. file.Environments.Except(environments)];

            if (others.Length == file.Environments.Count)
            {
                throw new UserError(
                    $"--reference {file.Path}: expected an environment of the report ({string.Join(", ", environments)}), found {string.Join(", ", others)}; "
                    + "give the file's column environment the report's names where they are the same task");
            }

            if (others.Length > 0)
            {
                notes.Add($"{file.Path}: {string.Join(", ", others)} {(others.Length == 1 ? "is" : "are")} not in this report and left out.");
            }

            foreach (ReferenceCurves curves in file.Curves)
            {
                if (panels.FirstOrDefault(panel => panel.Environment == curves.Environment) is not { } panel)
                {
                    continue;
                }

                Curve[] seeds = [.. curves.Seeds.Where(curve => curve.Steps[0] <= panel.Horizon)];

                if (seeds.Length == 0)
                {
                    notes.Add($"{file.Path}: {curves.Algorithm} on {curves.Environment} begins behind step {Format.Count((long)panel.Horizon)} and is left out.");
                    continue;
                }

                shown.Add(new Reference
                {
                    Name = Name(curves.Algorithm, file, files),
                    Environment = curves.Environment,
                    File = file.Path,
                    Seeds = seeds,
                    Horizon = panel.Horizon,
                });
            }
        }

        return new(Labelled(shown), notes);
    }

    /// <summary>Those of a panel.</summary>
    public IEnumerable<Reference> On(Panel panel) => this.Shown.Where(reference => reference.Environment == panel.Environment);

    /// <summary>Files that have the same algorithm on the same environment are told apart.</summary>
    private static string Name(string algorithm, ReferenceFile file, IReadOnlyList<ReferenceFile> files)
    {
        HashSet<string> environments = [.. file.Curves.Where(curves => curves.Algorithm == algorithm).Select(curves => curves.Environment)];
        return files.Any(other => other != file && other.Curves.Any(curves => curves.Algorithm == algorithm && environments.Contains(curves.Environment)))
            ? $"{algorithm}, {file.Path}"
            : algorithm;
    }

    /// <summary>The same name looks the same, and is called the same, on every environment.</summary>
    private static Reference[] Labelled(IReadOnlyList<Reference> references)
    {
        string[] names = [.. references.Select(reference => reference.Name).Distinct()];
        Dictionary<string, string> labels = references
            .GroupBy(reference => reference.Name)
            .ToDictionary(same => same.Key, same => $"{same.Key} (reference, {Seeds(same.Min(one => one.Seeds.Count), same.Max(one => one.Seeds.Count))})");
        return [.. references.Select(reference => reference with { Index = Array.IndexOf(names, reference.Name), Label = labels[reference.Name] })];
    }

    private static string Seeds(int least, int most) => least < most ? $"{least} to {most} seeds" : most == 1 ? "1 seed" : $"{most} seeds";
}
