using NE.Actors.Instruments;
using static NE.Model.History;

namespace NE.Actors.Cast;

/// <summary>What the span of a topology event says of it.</summary>
internal static class TopologySpan
{
    public static RunSpan Of(TopologyChanged change, RunSpan span)
    {
        var (active, size) = (change.Layers.Sum(layer => (long)layer.Active), change.Layers.Sum(layer => (long)layer.Size));
        return span
            .Tag("Network", change.Network)
            .Tag("GradientStep", change.Step)
            .Tag("OutputShift", change.OutputShift)
            .Tag("Grown", change.Layers.Sum(layer => layer.Grown.Length))
            .Tag("Pruned", change.Layers.Sum(layer => layer.Pruned.Length))
            .Tag("Dormant", change.Layers.Sum(layer => layer.Dormant))
            .Tag("Density", (double)active / size);
    }
}
