using System.Globalization;
using System.Text;
using System.Text.Json;

namespace NE.Actors.References;

/// <summary>The worst difference of one quantity: |ours - reference| / (1 + |reference|) for trajectories, relative for compiled arrays.</summary>
/// <param name="Quantity">The quantity's name, such as qpos, observation, term:forward or body_mass.</param>
/// <param name="Worst">The largest difference; NaN when the sizes differ.</param>
/// <param name="Tolerance">The largest difference that passes.</param>
/// <param name="At">Where the worst one is: the step of an episode, the index in an array; -1 when nothing differs.</param>
public sealed record QuantityDifference(string Quantity, double Worst, double Tolerance, int At)
{
    public bool Passed => this.Worst <= this.Tolerance;
}

/// <summary>One episode of the reference replayed on one task.</summary>
/// <param name="Name">The episode's name in the file.</param>
/// <param name="Task">The id of our task.</param>
/// <param name="Steps">Steps in the reference.</param>
/// <param name="ComparedSteps">Leading steps that are comparable between processors.</param>
/// <param name="TerminatedMismatches">Compared steps whose terminated flag differs.</param>
/// <param name="Quantities">The worst difference of each quantity.</param>
public sealed record EpisodeReplay(
    string Name, string Task, int Steps, int ComparedSteps, int TerminatedMismatches, IReadOnlyList<QuantityDifference> Quantities)
{
    public bool Passed => this.TerminatedMismatches == 0 && this.Quantities.All(quantity => quantity.Passed);
}

/// <summary>The compiled arrays of one robot against the reference.</summary>
/// <param name="Robot">The robot's name.</param>
/// <param name="Arrays">The worst difference of each array.</param>
public sealed record ModelComparison(string Robot, IReadOnlyList<QuantityDifference> Arrays)
{
    public bool Passed => this.Arrays.All(array => array.Passed);
}

/// <summary>Single values against the reference, such as those of `tolerance`.</summary>
/// <param name="Count">Number of cases.</param>
/// <param name="Value">The worst difference, and the case that it is in.</param>
public sealed record CaseComparison(int Count, QuantityDifference Value)
{
    public bool Passed => this.Value.Passed;
}

/// <summary>One rendered frame against the reference's picture, over all pixels and colours.</summary>
/// <param name="Picture">The picture's file.</param>
/// <param name="Robot">The robot's name.</param>
/// <param name="MeanDifference">Mean absolute difference in grey levels, 0 to 255.</param>
/// <param name="LargestDifference">The largest one.</param>
/// <param name="Tolerance">The largest mean that passes.</param>
public sealed record FrameComparison(string Picture, string Robot, double MeanDifference, int LargestDifference, double Tolerance)
{
    public bool Passed => this.MeanDifference <= this.Tolerance;
}

/// <summary>What a replay of a reference file found.</summary>
/// <param name="File">The reference file.</param>
/// <param name="Environment">What the file is about: the environment's name in it, without a version.</param>
public sealed record ReplayResult(string File, string Environment)
{
    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>One comparison per robot in the file.</summary>
    public IReadOnlyList<ModelComparison> Models { get; init; } = [];

    /// <summary>One replay per episode and task.</summary>
    public IReadOnlyList<EpisodeReplay> Episodes { get; init; } = [];

    /// <summary>Values of a function; null when the file has none.</summary>
    public CaseComparison? Cases { get; init; }

    /// <summary>One comparison per frame.</summary>
    public IReadOnlyList<FrameComparison> Frames { get; init; } = [];

    public bool Passed =>
        this.Frames.All(frame => frame.Passed) && this.Models.All(model => model.Passed) && this.Episodes.All(episode => episode.Passed) && this.Cases is null or { Passed: true };

    public string ToJson() => JsonSerializer.Serialize(this, jsonOptions);

    /// <summary>One line per model and episode, and one per quantity that is too far off.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        foreach (var model in this.Models)
        {
            var worst = model.Arrays.MaxBy(array => double.IsNaN(array.Worst) ? double.PositiveInfinity : array.Worst);
            text.Append(CultureInfo.InvariantCulture, $"{Mark(model.Passed)} model {model.Robot}: {model.Arrays.Count} compiled arrays");
            text.AppendLine(worst is null ? "" : string.Create(CultureInfo.InvariantCulture, $", worst {worst.Quantity} {worst.Worst:0.0e+00}"));
            Failures(text, model.Arrays, "index");
        }

        foreach (var episode in this.Episodes)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Mark(episode.Passed)} {episode.Task} {episode.Name}: {episode.ComparedSteps} of {episode.Steps} steps;");
            foreach (var quantity in episode.Quantities.Where(quantity => !quantity.Quantity.StartsWith("term:", StringComparison.Ordinal)))
            {
                text.Append(CultureInfo.InvariantCulture, $" {quantity.Quantity} {quantity.Worst:0.0e+00},");
            }

            text.AppendLine(CultureInfo.InvariantCulture, $" terminated {episode.TerminatedMismatches} mismatches");
            Failures(text, episode.Quantities, "step");
        }

        foreach (var frame in this.Frames)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"{Mark(frame.Passed)} {frame.Picture} ({frame.Robot}): mean difference {frame.MeanDifference:0.000} grey levels, largest {frame.LargestDifference}, allowed mean {frame.Tolerance}");
        }

        if (this.Cases is { } cases)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{Mark(cases.Passed)} {cases.Count} cases, worst {cases.Value.Worst:0.0e+00}");
            Failures(text, [cases.Value], "case");
        }

        return text.AppendLine(this.Passed ? $"{this.Environment}: equal to the reference" : $"{this.Environment}: differs from the reference").ToString();
    }

    private static string Mark(bool passed) => passed ? "ok  " : "FAIL";

    private static void Failures(StringBuilder text, IEnumerable<QuantityDifference> quantities, string place)
    {
        foreach (var quantity in quantities.Where(quantity => !quantity.Passed))
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"       {quantity.Quantity}: {quantity.Worst:0.0e+00} at {place} {quantity.At}, allowed {quantity.Tolerance:0e+00}");
        }
    }
}
