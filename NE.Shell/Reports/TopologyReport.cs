using NE.Model;

namespace NE.Shell.Reports;

/// <summary>One layer of one stack at a point of a run's history.</summary>
/// <param name="Stack">0 for the actor, 0 and 1 for the twin critics.</param>
/// <param name="Layer">Linear layer within the stack, 0 is the first.</param>
/// <param name="Size">All weights.</param>
/// <param name="Active">Active weights.</param>
/// <param name="Density">Active / Size.</param>
/// <param name="Grown">Weights grown by all events up to here.</param>
/// <param name="Pruned">Weights pruned by all events up to here.</param>
/// <param name="Touched">Neurons re-initialised by all events up to here.</param>
/// <param name="Dormant">Dormant neurons when the newest of these events was planned; null before the first.</param>
public sealed record LayerTopology(int Stack, int Layer, long Size, long Active, double Density, long Grown, long Pruned, long Touched, int? Dormant);

/// <summary>One network at a point of a run's history.</summary>
/// <param name="Network">"actor" or "critic".</param>
/// <param name="Events">Grow-prune events up to here.</param>
/// <param name="LastEvent">Gradient step of the newest of them; null before the first.</param>
/// <param name="Density">Active weights of the layers below over all of theirs.</param>
/// <param name="Layers">The layers that events name, by stack and layer.</param>
public sealed record NetworkTopology(string Network, int Events, long? LastEvent, double Density, IReadOnlyList<LayerTopology> Layers);

/// <summary>What the topology was at a gradient step, folded from the history.</summary>
/// <param name="Run">The run's name.</param>
/// <param name="At">Gradient step that was asked for, or of the newest event.</param>
/// <param name="Networks">Networks that any event of the run names.</param>
public sealed record TopologyReport(string Run, long At, IReadOnlyList<NetworkTopology> Networks)
{
    /// <summary>Folds the events up to a gradient step.</summary>
    /// <param name="run">The run's name.</param>
    /// <param name="events">All topology events of the run, oldest first.</param>
    /// <param name="at">Gradient step; null for the newest event.</param>
    public static TopologyReport Fold(string run, IReadOnlyList<History.TopologyChanged> events, long? at)
    {
        long until = at ?? (events.Count == 0 ? 0 : events.Max(change => change.Step));
        return new(run, until, [.. events.GroupBy(change => change.Network).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => Network(group.Key, [.. group], until))]);
    }

    private static NetworkTopology Network(string name, IReadOnlyList<History.TopologyChanged> all, long until)
    {
        History.TopologyChanged[] past = [.. all.Where(change => change.Step <= until)];
        var layers = all
            .SelectMany(change => change.Layers.Select(layer => (change.Step, Layer: layer)))
            .GroupBy(entry => (entry.Layer.Stack, entry.Layer.Layer))
            .OrderBy(group => group.Key)
            .Select(group => Layer([.. group], until))
            .ToList();
        long size = layers.Sum(layer => layer.Size);
        return new(name, past.Length, past.LastOrDefault()?.Step, size == 0 ? 0 : (double)layers.Sum(layer => layer.Active) / size, layers);
    }

    private static LayerTopology Layer(IReadOnlyList<(long Step, History.LayerChange Layer)> all, long until)
    {
        History.LayerChange[] past = [.. all.Where(entry => entry.Step <= until).Select(entry => entry.Layer)];
        History.LayerChange first = all[0].Layer;
        // Before the first event the layer had what that event found.
        long active = past.Length > 0 ? past[^1].Active : first.Active - first.Grown.Length + first.Pruned.Length;
        return new(
            first.Stack,
            first.Layer,
            first.Size,
            active,
            (double)active / first.Size,
            past.Sum(layer => (long)layer.Grown.Length),
            past.Sum(layer => (long)layer.Pruned.Length),
            past.Sum(layer => (long)layer.Touched.Length),
            past.Length > 0 ? past[^1].Dormant : null);
    }
}
