using Google.Protobuf;
using NE.Model.Networks;
using Onnx;

namespace NE.Actors.Exports;

/// <summary>A policy as an ONNX model: "observation" [batch, ...] in, "action" [batch, ActionSize] out.</summary>
public static class OnnxFile
{
    /// <summary>Operators of this version: the first one with LayerNormalization.</summary>
    private const int Operators = 17;

    /// <summary>The version of the format that came with these operators.</summary>
    private const int IntermediateRepresentation = 8;

    private const string Observation = "observation";
    private const string Action = "action";

    /// <summary>The bytes of the file; the same for the same policy.</summary>
    /// <param name="version">Of this program.</param>
    public static byte[] Bytes(PolicyExport export, string version)
    {
        var graph = new OnnxGraph("policy");
        var actionSize = export.Policy.ActionSize;
        var features = Input(graph, export.Policy.Input);
        foreach (var network in export.Policy.Perception)
        {
            features = Through(graph, network, features);
        }
        // A distribution acts by its mean; its deviations stay behind.
        var outputs = export.Policy.Bodies.Select(body => Through(graph, body, features)).ToList();
        // kept + (actor - subtracted), as the agent adds them.
        var sum = outputs is [var actor, var kept, var subtracted]
            ? graph.Node("Add", [kept, graph.Node("Sub", [actor, subtracted])])
            : outputs[0];
        var scale = graph.Constant(new(PolicyExport.ScaleName, [actionSize], export.Scale));
        var offset = graph.Constant(new(PolicyExport.OffsetName, [actionSize], export.Offset));
        graph.Node("Add", [graph.Node("Mul", [graph.Node("Tanh", [sum]), scale]), offset], output: Action);
        graph.Output(Action, [actionSize]);
        var model = new ModelProto
        {
            IrVersion = IntermediateRepresentation,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Operators } },
            ProducerName = "NE.Actors",
            ProducerVersion = version,
            Graph = graph.Graph,
            MetadataProps = { export.Metadata.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }) },
        };
        return model.ToByteArray();
    }

    private static string Input(OnnxGraph graph, PortableInput input)
    {
        if (input is PortableInput.Pictures { shape: var image })
        {
            graph.Input(Observation, TensorProto.Types.DataType.Uint8, [image.Channels, image.Height, image.Width]);
            var floats = graph.Node("Cast", [Observation], [OnnxGraph.Number("to", (int)TensorProto.Types.DataType.Float)]);
            var share = graph.Node("Div", [floats, graph.Constant(new("largest_byte", [], [255]))]);
            return graph.Node("Sub", [share, graph.Constant(new("half", [], [0.5f]))]);
        }
        graph.Input(Observation, TensorProto.Types.DataType.Float, [((PortableInput.Numbers)input).count]);
        return Observation;
    }

    private static string Through(OnnxGraph graph, PortableNetwork network, string input)
    {
        string Constant(PortableTensor tensor) => graph.Constant(new(tensor.Name, [.. tensor.Shape], network.Read(tensor)));
        return network.Layers.Aggregate(input, (x, layer) => layer switch
        {
            PortableLayer.Linear linear => graph.Node("Gemm", [x, Constant(linear.weight), Constant(linear.bias)], [OnnxGraph.Number("transB", 1)]),
            PortableLayer.Convolution conv => graph.Node(
                "Conv", [x, Constant(conv.weight), Constant(conv.bias)], [OnnxGraph.Numbers("strides", [conv.stride, conv.stride])]),
            PortableLayer.LayerNorm norm => graph.Node(
                "LayerNormalization", [x, Constant(norm.weight), Constant(norm.bias)], [OnnxGraph.Real("epsilon", PortablePolicy.Epsilon)]),
            PortableLayer.Normalise normalise => graph.Node("Clip", [
                graph.Node("Mul", [graph.Node("Sub", [x, Constant(normalise.mean)]), Constant(normalise.scale)]),
                graph.Constant(new($"{network.Name}.lowest", [], [-normalise.clip])),
                graph.Constant(new($"{network.Name}.highest", [], [normalise.clip])),
            ]),
            { IsRelu: true } => graph.Node("Relu", [x]),
            { IsCrelu: true } => graph.Node("Concat", [graph.Node("Relu", [x]), graph.Node("Relu", [graph.Node("Neg", [x])])], [OnnxGraph.Number("axis", 1)]),
            { IsFlatten: true } => graph.Node("Flatten", [x]),
            { IsTanh: true } => graph.Node("Tanh", [x]),
            _ => throw new NotSupportedException($"ONNX has no operator for {layer}."),
        });
    }
}
