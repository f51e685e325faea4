using NE.Actors.RunDirectory;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Cells;

/// <summary>How long cells take: as measured in this sweep where a cell is complete, else by the size of the networks.</summary>
public sealed class SweepEstimate
{
    private readonly (PlannedCell Cell, double SecondsPerStep)[] known;
    private readonly Dictionary<(string Environment, string Label), double> measured;
    private readonly double factor;
    private readonly double? anySecondsPerStep;

    /// <param name="known">Cells with the seconds that a step of them took.</param>
    public SweepEstimate(IEnumerable<(PlannedCell Cell, double SecondsPerStep)> known)
    {
        this.known = [.. known];
        this.measured = this.known
            .GroupBy(pair => ArmOf(pair.Cell))
            .ToDictionary(group => group.Key, group => group.Average(pair => pair.SecondsPerStep));
        this.anySecondsPerStep = this.known.Length == 0 ? null : this.known.Average(pair => pair.SecondsPerStep);
        (PlannedCell Cell, double SecondsPerStep)[] planned = [.. this.known.Where(pair => pair.Cell.Plan is { Seconds: > 0 })];
        this.factor = planned.Length == 0 ? 1 : planned.Sum(pair => pair.SecondsPerStep * pair.Cell.Steps) / planned.Sum(pair => pair.Cell.Plan!.Seconds);
    }

    /// <summary>From the runs of these cells that are complete.</summary>
    public static SweepEstimate Measure(string runs, IEnumerable<PlannedCell> complete) => new(
        complete.Select(cell => (cell, CellProgress.SecondsPerStep(RunPaths.Of(runs, cell.Name))))
            .Where(pair => pair.Item2 is not null)
            .Select(pair => (pair.cell, pair.Item2!.Value)));

    /// <summary>With the speed of cells that are running, for arms of which none is complete: the first hour of a sweep has no other figures.</summary>
    public SweepEstimate With(IEnumerable<(PlannedCell Cell, double SecondsPerStep)> running) =>
        new([.. this.known, .. running.Where(pair => !this.measured.ContainsKey(ArmOf(pair.Cell)))]);

    /// <summary>What the estimate of complete cells rests on, as a sentence.</summary>
    public string Basis => this.known.Length switch
    {
        0 => "estimate: 2 ms per gradient step of HalfCheetah's networks at batch 256 on one core, by size for others (an order of magnitude; no cell is complete yet)",
        1 => "estimate: measured on the one cell that is complete; other arms and environments are scaled from it by the size of their networks",
        _ => $"estimate: measured on the {this.known.Length} cells that are complete; arms and environments without one are scaled from them by the size of their networks",
    };

    /// <summary>Seconds of a whole cell; NaN when nothing is known about its environment and no cell is complete.</summary>
    public double Seconds(PlannedCell cell) =>
        this.measured.TryGetValue(ArmOf(cell), out double perStep) ? perStep * cell.Steps
        : cell.Plan is { } plan ? plan.Seconds * this.factor
        : this.anySecondsPerStep is { } any ? any * cell.Steps
        : double.NaN;

    /// <summary>Seconds until all are done when so many work at a time, each taking the next in order; NaN when one of them is not known.</summary>
    public static double Together(IEnumerable<double> seconds, int parallel)
    {
        double[] all = [.. seconds];
        double[] busy = new double[Math.Clamp(all.Length, 1, parallel)];

        foreach (double next in all)
        {
            if (double.IsNaN(next))
            {
                return double.NaN;
            }

            busy[Array.IndexOf(busy, busy.Min())] += next;
        }

        return busy.Max();
    }

    private static (string Environment, string Label) ArmOf(PlannedCell cell) => (cell.Cell.Environment, cell.Cell.Label);
}
