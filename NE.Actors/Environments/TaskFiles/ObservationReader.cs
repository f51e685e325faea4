using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using NE.Actors.MuJoCo;
using NE.Model.Tasks.Custom;

namespace NE.Actors.Environments.TaskFiles;

/// <summary>Reads the `observation` of a task file.</summary>
internal static class ObservationReader
{
    private static readonly string[] kinds =
    [
        "qpos", "qvel", "sensor", "position", "orientation", "contact-forces", "body-velocities", "body-inertias", "actuator-forces", "constraint-forces",
    ];

    private static readonly string[] entries = ["xx", "xy", "xz", "yx", "yy", "yz", "zx", "zy", "zz"];

    internal static FSharpList<ObservationPart> Read(YamlSection root, ModelBinding binding)
    {
        var parts = new List<ObservationPart>();
        foreach (var section in root.Sections("observation"))
        {
            var kind = section.Choice("part", required: true, kinds);
            var named = section.Named(kind.Length == 0 ? "observation" : $"observation part {kind}");
            named.Has("part");
            if (kind.Length == 0)
            {
                continue;
            }

            var sources = Sources(named, kind, binding).ToList();
            var clip = named.Number("clip", double.PositiveInfinity, clip => clip > 0, "a number above 0");
            named.End();
            parts.AddRange(sources.Select(source => new ObservationPart(source, clip)));
        }

        if (parts.Count == 0)
        {
            root.Problem("'observation' expects at least one part", "observation");
        }

        return ListModule.OfSeq(parts);
    }

    /// <summary>A run of the numbers of an array, by `from` and `count`.</summary>
    /// <param name="length">Numbers in the array; null when the model is unknown.</param>
    internal static (int First, int Count) Slice(YamlSection section, int? length)
    {
        var first = section.Whole("from", 0, 0);
        var count = section.Whole("count", Math.Max(1, (length ?? 1) - first), 1);
        if (length is { } known && (first > known || count > known - first))
        {
            section.Problem($"the model has {known} of these numbers; found from {first}, count {count}", section.Has("count") ? "count" : "from");
            return (0, 0);
        }

        return (first, count);
    }

    private static IEnumerable<ObservationSource> Sources(YamlSection section, string kind, ModelBinding binding)
    {
        var model = binding.Model;
        switch (kind)
        {
            case "qpos":
                return [Run(section, StateArray.QPos, model?.NQ)];
            case "qvel":
                return [Run(section, StateArray.QVel, model?.NV)];
            case "actuator-forces":
                return [Run(section, StateArray.QFrcActuator, model?.NV)];
            case "constraint-forces":
                return [Run(section, StateArray.QFrcConstraint, model?.NV)];
            case "sensor":
                var (address, count) = binding.Readings(section, "sensor");
                return [ObservationSource.NewSlice(StateArray.SensorData, address, count)];
            case "position":
                return [Position(section, binding)];
            case "orientation":
                var body = binding.Index(section, "body", ModelObject.Body);
                return [ObservationSource.NewEntries(StateArray.XMat, [.. Entries(section).Select(entry => 9 * body + entry)])];
            default:
                return Bodies(section, kind, binding);
        }
    }

    private static ObservationSource Run(YamlSection section, StateArray array, int? length)
    {
        var (first, count) = Slice(section, length);
        return ObservationSource.NewSlice(array, first, count);
    }

    private static ObservationSource Position(YamlSection section, ModelBinding binding)
    {
        var point = binding.Point(section);
        var relativeTo = section.Has("relativeTo") ? FSharpOption<Point>.Some(binding.Point(section, "relativeTo")) : FSharpOption<Point>.None;
        var axes = section.Text("axes") ?? "xyz";
        if (axes.Any(axis => axis is not ('x' or 'y' or 'z')))
        {
            section.Problem($"'axes' expects letters of xyz, such as xz, found '{axes}'", "axes");
        }

        return ObservationSource.NewPosition(point, relativeTo, [.. axes.Select(axis => ModelBinding.Axis(axis.ToString()))]);
    }

    private static IEnumerable<int> Entries(YamlSection section)
    {
        foreach (var entry in section.Texts("entries") ?? entries)
        {
            var index = Array.IndexOf(entries, entry);
            if (index < 0)
            {
                section.Problem($"there is no entry '{entry}' (allowed: {string.Join(", ", entries)})", "entries");
            }

            yield return Math.Max(0, index);
        }
    }

    /// <summary>Rows of an array that has one per body: of the named bodies, or of all but the world.</summary>
    private static IEnumerable<ObservationSource> Bodies(YamlSection section, string kind, ModelBinding binding)
    {
        var (array, width) = kind switch
        {
            "contact-forces" => (StateArray.CFrcExt, 6),
            "body-velocities" => (StateArray.CVel, 6),
            _ => (StateArray.CInert, 10),
        };
        return section.Texts("bodies") is { } names
            ? names.Select(name => ObservationSource.NewSlice(array, width * binding.Index(section, "bodies", ModelObject.Body, name), width))
            : [ObservationSource.NewSlice(array, width, width * ((binding.Model?.NBody ?? 2) - 1))];
    }
}
