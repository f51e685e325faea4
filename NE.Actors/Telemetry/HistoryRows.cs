using static NE.Model.History;

namespace NE.Actors.Telemetry;

/// <summary>The rows of tables that say what the journal says too, so that such a table can be made anew from it.</summary>
internal static class HistoryRows
{
    /// <param name="evaluation">What the journal has of the row.</param>
    /// <param name="inverted">See <see cref="Evaluation.EpisodeResults.Inverted"/>; the journal does not have it.</param>
    internal static (string Name, object Value)[] Of(EvaluationEnded evaluation, IReadOnlyList<int> inverted) =>
    [
        ("step", evaluation.Step),
        ("mean", evaluation.Returns.Average()),
        ("deviation", EventTags.Deviation(evaluation.Returns)),
        ("best", evaluation.IsBest),
        ("meanLength", evaluation.Lengths.Average()),
        .. evaluation.Returns.Select((value, episode) => ($"return{episode}", (object)value)),
        .. inverted.Select((steps, episode) => ($"inverted{episode}", (object)steps)),
    ];

    internal static (string Name, object Value)[] Of(PhaseStarted phase) =>
    [
        ("step", phase.Step),
        ("gradientStep", phase.GradientStep),
        ("phase", phase.Phase),
        ("cycle", phase.Cycle),
        ("task", phase.Task),
    ];

    /// <returns>A row for every layer.</returns>
    internal static IEnumerable<(string Name, object Value)[]> Of(TopologyChanged change) => change.Layers.Select(layer => ((string, object)[])
    [
        ("gradientStep", change.Step),
        ("network", change.Network),
        ("stack", layer.Stack),
        ("layer", layer.Layer),
        ("active", layer.Active),
        ("size", layer.Size),
        ("density", (double)layer.Active / layer.Size),
        ("grown", layer.Grown.Length),
        ("pruned", layer.Pruned.Length),
        ("touched", layer.Touched.Length),
        ("dormant", layer.Dormant),
        ("minScore", layer.MinScore),
        ("maxScore", layer.MaxScore),
        ("outputShift", change.OutputShift),
    ]);
}
