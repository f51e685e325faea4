using NE.Model.Agents;

namespace NE.Actors.Checkpoints;

/// <summary>A learner's state among the components of a commit: under its own names, but for the counters, which lie in one bundle with the run's.</summary>
internal static class LearnerComponents
{
    private const string Counters = "counters";

    /// <param name="ledger">The run's counters.</param>
    public static IEnumerable<KeyValuePair<string, ReadOnlyMemory<byte>>> Of(AgentState learner, byte[] ledger) =>
        learner.Components.Select(component => KeyValuePair.Create<string, ReadOnlyMemory<byte>>(
            component.Item1, component.Item1 == Counters ? StateBundle.Pack([ledger, component.Item2]) : component.Item2));

    /// <exception cref="InvalidDataException">The counters are damaged.</exception>
    public static AgentState Learner(IReadOnlyDictionary<string, byte[]> components) => new(
        components.Select(component => (component.Key, component.Key == Counters ? Bundle(components)[1] : component.Value)));

    /// <summary>The run's counters.</summary>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public static byte[] Ledger(IReadOnlyDictionary<string, byte[]> components) => Bundle(components)[0];

    private static IReadOnlyList<byte[]> Bundle(IReadOnlyDictionary<string, byte[]> components) =>
        StateBundle.Unpack(components[Counters], Counters, expected: 2);
}
