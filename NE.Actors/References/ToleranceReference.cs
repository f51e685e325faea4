using System.Text.Json;
using NE.Model.Tasks.ControlSuite;

namespace NE.Actors.References;

/// <summary>The reference file of the Control Suite's `tolerance` function.</summary>
internal static class ToleranceReference
{
    private const double ValueTolerance = 1e-12;

    internal static ReplayResult Run(string file, JsonElement root)
    {
        JsonElement[] cases = [.. root.GetProperty("cases").EnumerateArray()];
        var difference = new LargestDifference(ValueTolerance);
        for (var i = 0; i < cases.Length; i++)
        {
            difference.Add(i, Ours(cases[i]), cases[i].GetProperty("value").GetDouble());
        }

        return new ReplayResult(file, "tolerance") { Cases = new CaseComparison(cases.Length, difference.Named("value")) };
    }

    private static double Ours(JsonElement given)
    {
        var upper = given.GetProperty("upper");
        var bounds = (given.GetProperty("lower").GetDouble(), upper.ValueKind == JsonValueKind.Null ? double.PositiveInfinity : upper.GetDouble());
        return Tolerance.tolerance(
            bounds,
            given.GetProperty("margin").GetDouble(),
            SigmoidOf(given.GetProperty("sigmoid").GetString()!),
            given.GetProperty("value_at_margin").GetDouble(),
            given.GetProperty("x").GetDouble());
    }

    private static Sigmoid SigmoidOf(string name) => name switch
    {
        "gaussian" => Sigmoid.Gaussian,
        "hyperbolic" => Sigmoid.Hyperbolic,
        "long_tail" => Sigmoid.LongTail,
        "reciprocal" => Sigmoid.Reciprocal,
        "cosine" => Sigmoid.Cosine,
        "linear" => Sigmoid.Linear,
        "quadratic" => Sigmoid.Quadratic,
        "tanh_squared" => Sigmoid.TanhSquared,
        _ => throw new FormatException($"the sigmoid '{name}' is not known"),
    };
}
