using Microsoft.FSharp.Collections;
using NE.Model.Tasks.ControlSuite;
using NE.Model.Tasks.Custom;

namespace NE.Actors.Environments.TaskFiles;

/// <summary>Reads the `reward` of a task file.</summary>
internal static class RewardReader
{
    private static readonly string[] kinds =
        ["velocity", "alive", "control-cost", "contact-cost", "position", "distance", "sensor", "upright", "joint-velocity", "product"];

    private static readonly (string Word, Sigmoid Sigmoid)[] sigmoids =
    [
        ("gaussian", Sigmoid.Gaussian), ("hyperbolic", Sigmoid.Hyperbolic), ("long-tail", Sigmoid.LongTail), ("reciprocal", Sigmoid.Reciprocal),
        ("cosine", Sigmoid.Cosine), ("linear", Sigmoid.Linear), ("quadratic", Sigmoid.Quadratic), ("tanh-squared", Sigmoid.TanhSquared),
    ];

    internal static FSharpList<RewardTerm> Read(YamlSection root, ModelBinding binding)
    {
        var terms = new List<RewardTerm>();
        foreach (var section in root.Sections("reward"))
        {
            var (kind, named) = Kind(section);
            var value = Value(named, kind, binding);
            var name = named.Text("name") ?? kind;
            var weight = named.Number("weight", 1, double.IsFinite, "a finite number");
            named.End();
            if (kind.Length > 0 && terms.Any(term => term.Name == name))
            {
                named.Problem($"a term is called '{name}' already; give one of them another 'name'", "name");
            }

            terms.Add(new RewardTerm(name, weight, value));
        }

        if (terms.Count == 0)
        {
            root.Problem("'reward' expects at least one term", "reward");
        }

        return ListModule.OfSeq(terms);
    }

    private static (string Kind, YamlSection Section) Kind(YamlSection section)
    {
        var kind = section.Choice("term", required: true, kinds);
        var named = section.Named(kind.Length == 0 ? "reward" : $"reward term {kind}");
        named.Has("term");
        return (kind, named);
    }

    private static RewardValue Value(YamlSection section, string kind, ModelBinding binding)
    {
        var value = kind switch
        {
            "velocity" => RewardValue.NewVelocity(binding.Position(section)),
            "alive" => RewardValue.NewAlive(section.Flag("onTermination")),
            "control-cost" => RewardValue.ControlCost,
            "contact-cost" => RewardValue.NewContactCost(
                section.Number("clip", double.PositiveInfinity, clip => clip > 0, "a number above 0"),
                section.Number("most", double.PositiveInfinity, most => most > 0, "a number above 0")),
            "distance" => RewardValue.NewNearness(binding.Point(section, "from"), binding.Point(section, "to")),
            "product" => Product(section, binding),
            "" => Unknown(section),
            _ => RewardValue.NewOf(binding.Quantity(section, kind)),
        };
        var shapeable = kind is not ("alive" or "control-cost" or "contact-cost" or "product");
        return shapeable && section.Section("tolerance") is { } tolerance ? RewardValue.NewShaped(value, Shaping(tolerance)) : value;
    }

    /// <summary>The kind was reported; its keys are not, because nobody knows which would be right.</summary>
    private static RewardValue Unknown(YamlSection section)
    {
        section.TakeAll();
        return RewardValue.ControlCost;
    }

    private static RewardValue Product(YamlSection section, ModelBinding binding)
    {
        var values = new List<RewardValue>();
        foreach (var factor in section.Sections("of"))
        {
            var (kind, named) = Kind(factor);
            values.Add(Value(named, kind, binding));
            named.End();
        }

        if (values.Count == 0)
        {
            section.Problem("'of' expects a list of terms to multiply", "of");
        }

        return RewardValue.NewProduct(ListModule.OfSeq(values));
    }

    private static Shaping Shaping(YamlSection section)
    {
        var (lower, upper) = section.Range("bounds");
        var margin = section.Number("margin", 0, margin => margin >= 0 && double.IsFinite(margin), "a number of at least 0");
        var word = section.Choice("sigmoid", required: false, [.. sigmoids.Select(sigmoid => sigmoid.Word)]);
        var sigmoid = sigmoids.FirstOrDefault(sigmoid => sigmoid.Word == word, sigmoids[0]).Sigmoid;
        var value = section.Number("valueAtMargin", Tolerance.DefaultValueAtMargin);
        if (!Tolerance.isValidAtMargin(sigmoid, value))
        {
            section.Problem($"the sigmoid {word} cannot have the value {value} at its margin; it lies between 0 and 1", "valueAtMargin");
        }

        section.End();
        return new Shaping(lower, upper, margin, sigmoid, value);
    }
}
