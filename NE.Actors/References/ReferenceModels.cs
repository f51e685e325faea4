using System.Text.Json;
using NE.Actors.MuJoCo;
using NE.Model.Tasks;

namespace NE.Actors.References;

/// <summary>Compares the compiled arrays of our robots with those of a reference file.</summary>
internal static class ReferenceModels
{
    private const double Tolerance = 1e-12;

    /// <summary>One comparison for each of the file's models that we have.</summary>
    /// <param name="root">The file, whose `models` map a name to its arrays.</param>
    /// <param name="robot">From a model's name in the file to our robot's.</param>
    internal static IReadOnlyList<ModelComparison> Compare(JsonElement root, Func<string, string> robot) =>
        root.TryGetProperty("models", out var models)
            ? [.. models.EnumerateObject().Where(model => Robots.names.Contains(robot(model.Name))).Select(model => Compare(robot(model.Name), model.Value))]
            : [];

    private static ModelComparison Compare(string robot, JsonElement reference)
    {
        var ours = ModelArrays.Read(MuJoCoModel.OfRobot(robot));
        var named = reference.EnumerateObject().SelectMany(
            property => property.Value.ValueKind == JsonValueKind.Object
                ? property.Value.EnumerateObject().Select(inner => (Name: $"{property.Name}.{inner.Name}", inner.Value))
                : [(property.Name, property.Value)]);
        var differences = new List<QuantityDifference>();
        foreach (var (name, value) in named.Where(entry => ours.ContainsKey(entry.Name)))
        {
            var difference = new LargestDifference(Tolerance);
            difference.AddRelative(ours[name], ReferenceJson.Numbers(value));
            differences.Add(difference.Named(name));
        }

        return new ModelComparison(robot, differences);
    }
}
