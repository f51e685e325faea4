using static NE.Model.History;

namespace NE.Actors.Telemetry;

/// <summary>What the tables' rows are called in TensorBoard: CleanRL's tags where it has them, plasticity/NAME for the agent's other metrics.</summary>
public static class EventTags
{
    /// <summary>CleanRL's names of metrics that are logged under the same definition.</summary>
    private static readonly Dictionary<string, string> CleanRl = new()
    {
        ["actor_loss"] = "losses/actor_loss",
        ["critic_1_loss"] = "losses/qf1_loss",
        ["critic_2_loss"] = "losses/qf2_loss",
        ["critic_1_q_mean"] = "losses/qf1_values",
        ["critic_2_q_mean"] = "losses/qf2_values",
    };

    public static IEnumerable<(string Tag, double Value)> Of(MetricsRow row)
    {
        yield return ("charts/episodic_return", row.EpisodeReturn);
        yield return ("charts/episodic_length", row.EpisodeLength);
        foreach (var (name, value) in row.Measurement.Metrics)
        {
            yield return name switch
            {
                // CleanRL's is the mean of the two losses, ours their sum.
                "critic_loss" => ("losses/qf_loss", value / 2),
                "q_mean" => ("losses/qf_values", value),
                _ => (CleanRl.GetValueOrDefault(name) ?? $"plasticity/{name}", value),
            };
        }
    }

    public static IEnumerable<(string Tag, double Value)> Of(EvaluationEnded evaluation) =>
    [
        ("eval/episodic_return", evaluation.Returns.Average()),
        ("eval/episodic_return_deviation", Deviation(evaluation.Returns)),
        ("eval/episodic_length", evaluation.Lengths.Average()),
    ];

    public static IEnumerable<(string Tag, double Value)> Of(TimingRow row) => [("charts/SPS", row.StepsPerSecond)];

    /// <summary>Standard deviation of the values themselves, not an estimate of a population's.</summary>
    internal static double Deviation(IReadOnlyCollection<double> values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }
}
