using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using NE.Actors.MuJoCo;
using NE.Model.Tasks.Custom;

namespace NE.Actors.Environments.TaskFiles;

/// <summary>Reads how an episode of a task file begins (`reset`) and ends (`termination`).</summary>
internal static class EpisodeReader
{
    internal static FSharpList<TerminationRule> Termination(YamlSection root, ModelBinding binding)
    {
        var rules = new List<TerminationRule>();
        foreach (var section in root.Sections("termination"))
        {
            var kind = section.Choice("rule", required: true, "position", "upright", "sensor", "distance", "joint-velocity", "qpos", "qvel", "not-finite");
            var named = section.Named(kind.Length == 0 ? "termination" : $"termination rule {kind}");
            named.Has("rule");
            if (kind.Length == 0)
            {
                continue;
            }

            rules.Add(Rule(named, kind, binding));
            named.End();
        }

        return ListModule.OfSeq(rules);
    }

    /// <summary>The keyframe that episodes begin with; none without the key.</summary>
    internal static FSharpOption<int> Keyframe(YamlSection root, ModelBinding binding) =>
        root.Text("keyframe") is { } name ? FSharpOption<int>.Some(binding.Index(root, "keyframe", ModelObject.Keyframe, name)) : FSharpOption<int>.None;

    internal static FSharpList<StartNoise> Reset(YamlSection root, ModelBinding binding)
    {
        var noises = new List<StartNoise>();
        foreach (var section in root.Sections("reset"))
        {
            var kind = section.Choice("noise", required: true, "uniform", "normal", "between");
            var named = section.Named(kind.Length == 0 ? "reset" : $"reset noise {kind}");
            named.Has("noise");
            if (kind.Length == 0)
            {
                continue;
            }

            noises.Add(Noise(named, kind, binding));
            named.End();
        }

        return ListModule.OfSeq(noises);
    }

    private static TerminationRule Rule(YamlSection section, string kind, ModelBinding binding)
    {
        if (kind == "not-finite")
        {
            return TerminationRule.NotFinite;
        }

        var (low, high) = section.Range("outside");
        var inclusive = section.Flag("inclusive");
        if (kind is not ("qpos" or "qvel"))
        {
            return TerminationRule.NewOutside(binding.Quantity(section, kind), low, high, inclusive);
        }

        var (first, count) = ObservationReader.Slice(section, kind == "qpos" ? binding.Model?.NQ : binding.Model?.NV);
        return TerminationRule.NewAnyOutside(kind == "qpos" ? StateArray.QPos : StateArray.QVel, first, count, low, high, inclusive);
    }

    private static StartNoise Noise(YamlSection section, string kind, ModelBinding binding)
    {
        var isVelocity = section.Choice("of", required: true, "qpos", "qvel") == "qvel";
        var indices = Indices(section, isVelocity, binding);
        if (kind == "between")
        {
            var (low, high) = section.Range("range");
            if (!double.IsFinite(low) || !double.IsFinite(high))
            {
                section.Problem("'range' expects finite numbers", "range");
            }

            return StartNoise.NewBetween(isVelocity, indices, low, high);
        }

        if (!section.Has("scale"))
        {
            section.Problem("'scale' is missing");
        }

        var scale = section.Number("scale", 0, scale => scale >= 0 && double.IsFinite(scale), "a number of at least 0");
        return kind == "uniform" ? StartNoise.NewUniform(isVelocity, indices, scale) : StartNoise.NewNormal(isVelocity, indices, scale);
    }

    /// <summary>The coordinates of the named joints, or all.</summary>
    private static int[] Indices(YamlSection section, bool isVelocity, ModelBinding binding)
    {
        if (section.Texts("joints") is not { } joints)
        {
            return [.. Enumerable.Range(0, (isVelocity ? binding.Model?.NV : binding.Model?.NQ) ?? 0)];
        }

        var indices = new List<int>();
        foreach (var name in joints)
        {
            var (position, positions, velocity, velocities) = binding.Joint(binding.Index(section, "joints", ModelObject.Joint, name));
            indices.AddRange(isVelocity ? Enumerable.Range(velocity, velocities) : Enumerable.Range(position, positions));
        }

        return [.. indices];
    }
}
