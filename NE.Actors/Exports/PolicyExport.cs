using System.Globalization;
using System.Text.Json;
using NE.Actors.Environments;
using NE.Model.Networks;

namespace NE.Actors.Exports;

/// <summary>A policy ready for other programs: action = Offset + Scale tanh(network(observation)), within the environment's own bounds.</summary>
/// <param name="Policy">Its networks.</param>
/// <param name="Scale">Per component of the action, half the width of its bounds [ActionSize].</param>
/// <param name="Offset">The middle of the bounds [ActionSize].</param>
/// <param name="Metadata">What the policy is and where it comes from, as texts.</param>
public sealed record PolicyExport(PortablePolicy Policy, float[] Scale, float[] Offset, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Name and version of what the metadata and the tensors' names mean.</summary>
    public const string Format = "ne-policy 1";

    /// <summary>The same of a policy that normalises observations: whoever does not know that would act otherwise without noticing.</summary>
    public const string NormalisingFormat = "ne-policy 2";

    /// <summary>Name of the tensor of the scale.</summary>
    public const string ScaleName = ActionPrefix + "scale";

    /// <summary>Name of the tensor of the offset.</summary>
    public const string OffsetName = ActionPrefix + "offset";

    private const string ActionPrefix = NE.Model.Agents.ActorImport.ActionPrefix;

    /// <summary>All tensors: those of the networks, then scale and offset.</summary>
    public IEnumerable<ExportedTensor> Tensors
    {
        get
        {
            foreach (var network in this.Policy.Networks)
            {
                foreach (var tensor in network.Tensors)
                {
                    yield return new(tensor.Name, [.. tensor.Shape], network.Read(tensor));
                }
            }
            yield return new(ScaleName, [this.Scale.Length], this.Scale);
            yield return new(OffsetName, [this.Offset.Length], this.Offset);
        }
    }

    /// <summary>A policy of a task.</summary>
    /// <param name="task">What the agent sees of the task; of a cycle's task, without the padding.</param>
    /// <param name="provenance">Where the policy comes from.</param>
    public static PolicyExport Of(Policy policy, EnvironmentSpec task, IEnumerable<KeyValuePair<string, string>> provenance)
    {
        var portable = policy.Portable(task.ObservationSize, task.ActionSize);
        var (scale, offset) = ActionBounds(task);
        var bounds = task.Native ?? task;
        var metadata = new SortedDictionary<string, string>(provenance.ToDictionary(), StringComparer.Ordinal)
        {
            ["format"] = Normaliser(portable) is null ? Format : NormalisingFormat,
            ["observation"] = portable.Input switch
            {
                PortableInput.Pictures { shape: var image } => $"uint8 [{image.Channels}, {image.Height}, {image.Width}]",
                _ => $"float32 [{task.ObservationSize}]",
            },
            ["action"] = $"float32 [{task.ActionSize}]",
            ["action_low"] = Text(bounds.ActionLow),
            ["action_high"] = Text(bounds.ActionHigh),
            ["networks"] = JsonSerializer.Serialize(portable.Networks.ToDictionary(network => network.Name, network => network.Layers.Select(NameOf))),
            ["computes"] = Formula(portable),
        };
        return new(portable, scale, offset, metadata);
    }

    /// <summary>What brings the tanh of a policy to a task's own bounds, component by component.</summary>
    public static (float[] Scale, float[] Offset) ActionBounds(EnvironmentSpec task)
    {
        if (task.Native is not { } native)
        {
            // One symmetric bound, which the policy's actions have already.
            return (task.ActionHigh, new float[task.ActionSize]);
        }
        // A rescaled environment maps the policy's [-1, 1] to its own bounds.
        var bounds = native.ActionLow.Zip(native.ActionHigh, (low, high) => (Half: (float)(0.5 * high - 0.5 * low), Middle: (float)(0.5 * low + 0.5 * high))).ToList();
        return ([.. bounds.Select(bound => bound.Half)], [.. bounds.Select(bound => bound.Middle)]);
    }

    private static PortableLayer.Normalise? Normaliser(PortablePolicy policy) =>
        policy.Perception.SelectMany(network => network.Layers).OfType<PortableLayer.Normalise>().FirstOrDefault();

    private static string Text(float[] numbers) => $"[{string.Join(", ", numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)))}]";

    /// <summary>PyTorch's name of a layer; it has none for CReLU.</summary>
    private static string NameOf(PortableLayer layer) => layer switch
    {
        PortableLayer.Convolution { stride: var stride } => $"Conv2d stride {stride}",
        PortableLayer.Normalise { clip: var clip } => $"Normalise clip {clip.ToString("R", CultureInfo.InvariantCulture)}",
        { IsLinear: true } => "Linear",
        { IsLayerNorm: true } => "LayerNorm",
        { IsRelu: true } => "ReLU",
        { IsCrelu: true } => "CReLU",
        { IsFlatten: true } => "Flatten",
        _ => "Tanh",
    };

    private static string Formula(PortablePolicy policy)
    {
        var input = policy.Input.IsPictures ? "observation / 255 - 0.5" : "observation";
        var features = policy.Perception.Aggregate(input, (inner, network) => $"{network.Name}({inner})");
        var outputs = policy.Bodies.Length == 1 ? "actor(x)" : "kept(x) + (actor(x) - subtracted(x))";
        var action = $"action = {OffsetName} + {ScaleName} * tanh(u), u = {outputs}, x = {features}";
        return Normaliser(policy) is { } normaliser
            ? $"{action}, {normaliser.mean.Name.Split('.')[0]}(o) = min(max((o - {normaliser.mean.Name}) * {normaliser.scale.Name}, -clip), clip)"
            : action;
    }
}
